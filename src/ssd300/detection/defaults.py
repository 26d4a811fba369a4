"""The defaults of detection, once. Nothing heavy is imported here, so that the command line can show them at once."""

from typing import Literal

MIN_SCORE, MAX_OVERLAP, TOP_K = 0.2, 0.5, 200  # of pytorch-SSD300's detect.py
BATCH = 8
Measure = Literal["entropy", "mean-entropy", "near-threshold", "flip"]  # how unsure the detector is: `uncertainty`
MEASURE: Measure = "entropy"
RANDOM_SHARE = 0.2  # of the images that are chosen to be labeled next
CHUNK_IMAGES = 256  # of a part file of a job on millions of images
COUNT_READERS = 16  # part files that the count of a job reads at a time: a store takes its time to answer
