"""pytorch-SSD300's detect.py: draws detected boxes on copies of images.

It runs `ssd300 detect`; options that are not listed here are passed on to it.
"""

import sys

from ssd300.cli.scripts import Script

script = Script("detect", __doc__, named="IMAGE_OR_FOLDER ...")
option = script.option
option("--checkpoint", "--weights", default="checkpoint_ssd300", help="a run folder or a weights file")
option("--out", "--out", default="detections", help="the folder for the annotated images")
option("--min_score", "--min-score", default=0.2, help="confidence threshold: the minimum score of a detection")
option("--max_overlap", "--max-overlap", default=0.5, help="NMS IoU: a box with more IoU with a better one is removed")
option("--top_k", "--top-k", default=200, help="at most so many detections per image")
option("--suppress", "--suppress", nargs="+", default=[], help="classes to exclude")
option("--device", "--device", default="auto", help="auto, cpu, cuda or mps")

if __name__ == "__main__":
    args, typed, words = script.parse()
    words += ["--weights", args["checkpoint"], "--min-score", str(args["min_score"])]
    words += ["--out", args["out"]] if "out" in typed else []
    words += ["--max-overlap", str(args["max_overlap"]), "--top-k", str(args["top_k"]), "--device", args["device"]]
    sys.exit(script.run([*words, "--suppress", *args["suppress"]] if args["suppress"] else words))
