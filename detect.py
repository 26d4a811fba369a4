"""The seed's detect.py: boxes on copies of pictures. The work is that of `ssd300 detect`."""

import argparse
import sys

from ssd300.cli import main

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
parser.add_argument("img_path", nargs="+", help="pictures or folders")
parser.add_argument("--checkpoint", default="checkpoint_ssd300", help="a run folder or a weights file")
parser.add_argument("--out", default="detections", help="where the annotated pictures go")
parser.add_argument("--min_score", "--min-score", default=0.2, type=float, help="lowest score of a detection")
parser.add_argument(
    "--max_overlap",
    "--max-overlap",
    default=0.5,
    type=float,
    help="a box that overlaps a better one by more is suppressed",
)
parser.add_argument("--top_k", "--top-k", default=200, type=int, help="most detections a picture")
parser.add_argument("--suppress", nargs="*", default=[], help="classes that are not wanted")
parser.add_argument("--overwrite", action="store_true", help="write into a folder that is not empty")

if __name__ == "__main__":
    args = parser.parse_args()
    words = ["detect", *args.img_path, "--weights", args.checkpoint, "--out", args.out]
    words += ["--min-score", str(args.min_score), "--max-overlap", str(args.max_overlap), "--top-k", str(args.top_k)]
    words += ["--suppress", *args.suppress] if args.suppress else []
    sys.exit(main([*words, "--overwrite"] if args.overwrite else words))
