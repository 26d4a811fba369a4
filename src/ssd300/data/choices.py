"""The choices in reading and writing data, by their names on the command line. Cheap to import: `--help` needs them."""

from typing import Literal

FormatName = Literal["auto", "voc", "coco", "yolo", "lists"]  # what is read; all but 'auto' are keys of FORMATS
WrittenFormat = Literal["voc", "coco", "yolo"]
OnBadLabel = Literal["error", "drop-box", "drop-image"]
Purpose = Literal["train", "test"]  # which split is read where none is named
