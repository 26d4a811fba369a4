"""pytorch-SSD300's detect.py: draws detected boxes on copies of images.

It runs `ssd300 detect`; options that are not listed here are passed on to it.
"""

import argparse
import sys

from ssd300.cli import main

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
)
option = parser.add_argument
option("img_path", nargs="*", help="images or folders")
option("--checkpoint", default="checkpoint_ssd300", help="a run folder or a weights file")
option("--out", default="detections", help="the folder for the annotated images")
option("--min_score", "--min-score", default=0.2, help="confidence threshold: the minimum score of a detection")
option("--max_overlap", "--max-overlap", default=0.5, help="NMS IoU: a box with more IoU with a better one is removed")
option("--top_k", "--top-k", default=200, help="at most so many detections per image")
option("--suppress", nargs="+", default=[], help="classes to exclude")
option("--device", default="auto", help="auto, cpu, cuda or mps")

if __name__ == "__main__":
    args, others = parser.parse_known_args()
    words = ["detect", *args.img_path, *others, "--weights", args.checkpoint, "--out", args.out]
    words += ["--min-score", str(args.min_score), "--max-overlap", str(args.max_overlap), "--top-k", str(args.top_k)]
    words += ["--device", args.device, *(["--suppress", *args.suppress] if args.suppress else [])]
    sys.exit(main(words))
