"""pytorch-SSD300's create_data_list.py: lists of VOC2007 and VOC2012 as JSON.

The work is done by `ssd300 prepare`, which also takes the options that are not listed here.
"""

import argparse
import sys
from pathlib import Path

from ssd300.cli import main
from ssd300.data.formats.lists import LIST_FILES

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
)
option = parser.add_argument
option("--voc07_path", "--voc07-path", help="VOC2007, or the VOCdevkit above it; its test is the test list")
option("--voc12_path", "--voc12-path", help="VOC2012, or the VOCdevkit above it")
option("--output_folder", "--output-folder", default="./", help="the folder of the five lists")
option("--absolute_paths", "--absolute-paths", action="store_true", help="write paths as pytorch-SSD300 does")
option("--overwrite", action="store_true", help="replace existing lists")

if __name__ == "__main__":
    args, others = parser.parse_known_args()
    words = ["prepare", *others, "--out", args.output_folder]
    words += ["--voc07", args.voc07_path] if args.voc07_path else []
    words += ["--voc12", args.voc12_path] if args.voc12_path else []
    words += ["--absolute-paths"] if args.absolute_paths else []
    # Other files in the folder are not touched, so only existing lists make --overwrite necessary.
    free = not any((Path(args.output_folder) / name).exists() for name in LIST_FILES)
    sys.exit(main([*words, "--overwrite"] if args.overwrite or free else words))
