"""The kinds of error in plain words: a few for tables and pictures, and a sentence each."""

from ssd300.metrics.error_kinds import BACKGROUND_IOU

WORDS = {  # by the names of `error_kinds.KINDS`
    "class": "wrong class",
    "location": "loose box",
    "both": "wrong class, loose box",
    "duplicate": "double",
    "background": "nothing there",
    "missed": "missed",
}
MEANINGS = {
    "class": "The box fits an object, but the class is another one.",
    "location": f"The class is right, but the box does not fit the object well enough (IoU from {BACKGROUND_IOU:g}).",
    "both": "The class is wrong, and the box does not fit well enough.",
    "duplicate": "One more box for an object that was found already.",
    "background": "No labeled object is there. Look at these: some may be objects without a label.",
    "missed": "No detection is for this object, not even one with a loose box or a wrong class.",
}
