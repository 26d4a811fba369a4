"""The defaults of detection, once. Nothing heavy is imported here, so that the command line can show them at once."""

MIN_SCORE, MAX_OVERLAP, TOP_K = 0.2, 0.5, 200  # of pytorch-SSD300's detect.py
BATCH = 8
CHUNK_IMAGES = 256  # of a part file of a job on millions of images
