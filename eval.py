"""The seed's eval.py: the AP of each class and their mean. The work is that of `ssd300 eval`."""

import argparse
import sys

from ssd300.cli import main

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
parser.add_argument("--data_folder", "--data-folder", default="./", help="the folder of the lists, or a VOC folder")
parser.add_argument("--checkpoint", default="checkpoint_ssd300", help="a run folder or a weights file")
parser.add_argument("--min_score", "--min-score", default=0.01, type=float, help="lowest score of a detection")
parser.add_argument(
    "--max_overlap",
    "--max-overlap",
    default=0.45,
    type=float,
    help="a box that overlaps a better one by more is suppressed",
)
parser.add_argument("--top_k", "--top-k", default=200, type=int, help="most detections a picture")

if __name__ == "__main__":
    args = parser.parse_args()
    words = ["eval", args.data_folder, "--weights", args.checkpoint, "--min-score", str(args.min_score)]
    sys.exit(main([*words, "--max-overlap", str(args.max_overlap), "--top-k", str(args.top_k)]))
