"""pytorch-SSD300's create_data_list.py: lists of VOC2007 and VOC2012 as JSON.

It runs `ssd300 prepare`; options that are not listed here are passed on to it, and so is a folder of other data.
"""

import sys
from pathlib import Path

from ssd300.cli.scripts import Script
from ssd300.data.formats.lists import LIST_FILES

script = Script("prepare", __doc__)
option = script.option
option("--voc07_path", "--voc07", help="VOC2007, or the VOCdevkit above it; its test is the test list")
option("--voc12_path", "--voc12", help="VOC2012, or the VOCdevkit above it")
option("--output_folder", "--out", default="./", help="the folder of the five lists")
option("--absolute_paths", "--absolute-paths", action="store_true", help="write paths as pytorch-SSD300 does")
option("--overwrite", "--overwrite", action="store_true", help="replace existing lists")

if __name__ == "__main__":
    args, _typed, words = script.parse()
    words += ["--out", args["output_folder"]]
    words += ["--voc07", args["voc07_path"]] if args["voc07_path"] else []
    words += ["--voc12", args["voc12_path"]] if args["voc12_path"] else []
    words += ["--absolute-paths"] if args["absolute_paths"] else []
    # Other files in the folder are not touched, so only existing lists make --overwrite necessary.
    free = not any((Path(args["output_folder"]) / name).exists() for name in LIST_FILES)
    sys.exit(script.run([*words, "--overwrite"] if args["overwrite"] or free else words))
