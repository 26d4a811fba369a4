"""pytorch-SSD300's detect.py: boxes on copies of images.

The work is done by `ssd300 detect`, which also takes the options that are not listed here.
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
option("--out", default="detections", help="where the annotated images go")
option("--min_score", "--min-score", default=0.2, help="lowest score of a detection")
option("--max_overlap", "--max-overlap", default=0.5, help="a box that overlaps a better one by more is suppressed")
option("--top_k", "--top-k", default=200, help="most detections an image")
option("--suppress", nargs="+", default=[], help="classes that are not wanted")
option("--device", default="auto", help="auto, cpu, cuda or mps")

if __name__ == "__main__":
    args, others = parser.parse_known_args()
    words = ["detect", *args.img_path, *others, "--weights", args.checkpoint, "--out", args.out]
    words += ["--min-score", str(args.min_score), "--max-overlap", str(args.max_overlap), "--top-k", str(args.top_k)]
    words += ["--device", args.device, *(["--suppress", *args.suppress] if args.suppress else [])]
    sys.exit(main(words))
