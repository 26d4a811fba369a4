"""pytorch-SSD300's eval.py: the AP of each class and their mean.

It runs `ssd300 eval`; options that are not listed here are passed on to it.
"""

import sys
from pathlib import Path

from ssd300.cli.scripts import Script
from ssd300.data.formats.lists import has_lists

script = Script("eval", __doc__)
option = script.option
option("--data_folder", default="./", help="the folder of the lists, or a VOC folder")
option("--checkpoint", "--weights", default="checkpoint_ssd300", help="a run folder or a weights file")
option("--min_score", "--min-score", default=0.01, help="confidence threshold: the minimum score of a detection")
option("--max_overlap", "--max-overlap", default=0.45, help="NMS IoU: a box with more IoU with a better one is removed")
option("--top_k", "--top-k", default=200, help="at most so many detections per image")
option("--device", "--device", default="auto", help="auto, cpu, cuda or mps")

if __name__ == "__main__":
    args, _typed, others = script.parse()
    words = [args["data_folder"], *others, "--weights", args["checkpoint"], "--min-score", str(args["min_score"])]
    words += ["--max-overlap", str(args["max_overlap"]), "--top-k", str(args["top_k"]), "--device", args["device"]]
    # The lists may lie beside the VOCdevkit that they were made from, and then --format auto would be ambiguous.
    sys.exit(script.run([*words, "--format", "lists"] if has_lists(Path(args["data_folder"])) else words))
