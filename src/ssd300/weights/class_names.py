"""Class names of foreign checkpoints, which store only the number of their outputs."""

from collections.abc import Mapping, Sequence

from ssd300.data.formats.voc import VOC_CLASSES

# As in the annotations of COCO 2017: ids 1 to 90, of which ten are not used.
COCO_CLASSES_WITH_GAPS = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "unused 12", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep",
    "cow", "elephant", "bear", "zebra", "giraffe", "unused 26", "backpack", "umbrella", "unused 29", "unused 30",
    "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat",
    "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle", "unused 45", "wine glass", "cup", "fork",
    "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza",
    "donut", "cake", "chair", "couch", "potted plant", "bed", "unused 66", "dining table", "unused 68", "unused 69",
    "toilet", "unused 71", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven",
    "toaster", "sink", "refrigerator", "unused 83", "book", "clock", "vase", "scissors", "teddy bear", "hair drier",
    "toothbrush",
)  # fmt: skip
COCO_CLASSES = tuple(name for name in COCO_CLASSES_WITH_GAPS if not name.startswith("unused"))
NAMES_BY_COUNT: Mapping[int, Sequence[str]] = {
    len(names): names for names in (VOC_CLASSES, COCO_CLASSES, COCO_CLASSES_WITH_GAPS)
}
