"""What can be wrong with a dataset: each rule with its level, its words for a note, and what to do.

A rule is an error where something cannot be used as it is, so that `--on-bad-label` decides; else it is a warning.
Readers record a `Fault`; `ssd300 check` lists all of them as `Problem`s, other commands count them in notes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

from ssd300.system.wording import counted

Level = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """`object` counts from 1 in its file, None for a problem of the whole file. `file` is "" for one of the dataset."""

    level: Level
    file: str
    object: int | None
    rule: str
    message: str
    fix: str


class Rule(NamedTuple):
    """`counted` follows the number of cases in a note, and agrees with it: "{box is|boxes are} one pixel wide"."""

    level: Level
    counted: str
    fix: str


class Fault(NamedTuple):
    """What is wrong with an image or an object of it. `fix` is that of the rule where it is empty."""

    rule: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        return self.message

    def at(self, file: str, number: int | None = None, *, name: str = "") -> Problem:
        """The problem at `file`; `name` is the class of object `number`."""
        rule = RULES[self.rule]
        message = f"{name}: {self.message}" if name else self.message
        return Problem(
            level=rule.level, file=file, object=number, rule=self.rule, message=message, fix=self.fix or rule.fix
        )


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        # The annotation of an image as a whole.
        "annotation": Rule(
            "error",
            "{annotation is|annotations are} missing or cannot be read",
            "Write the annotation again, or remove the image from the list.",
        ),
        "size": Rule(
            "error",
            "{annotation is|annotations are} for an image of another size",
            "Put back the image that was annotated or annotate this one; if the boxes are right for it, correct the "
            "size in the annotation.",
        ),
        "rotated": Rule(
            "error",
            "{image is|images are} turned by EXIF data, and nothing says for which side up the boxes are",
            "Turn the pixels and remove the tag, then compare the boxes with the image.",
        ),
        "missing-image": Rule(
            "error",
            "{image is|images are} missing",
            "Put it there, or remove its annotation, and its id from the list.",
        ),
        "ambiguous-image": Rule(
            "error",
            "{annotation fits|annotations fit} more than one image",
            "Rename one of the images and its annotation.",
        ),
        # Objects.
        "box": Rule("error", "{box is|boxes are} bad", "Correct the box, or train with --on-bad-label drop-box."),
        "object": Rule(
            "error", "{object is|objects are} not as the format has them", "Correct it, or use --on-bad-label drop-box."
        ),
        "object-without-image": Rule(
            "error", "{object belongs|objects belong} to no image", "Correct the file, or export it again."
        ),
        "one-pixel-box": Rule(
            "warning", "{box is|boxes are} one pixel wide or high, or less", "Remove it if it was a mere click."
        ),
        "cut-box": Rule(
            "warning",
            "{box|boxes} reached up to a pixel out of {its image and was|their images and were} cut",
            "Nothing is needed.",
        ),
        "counted-from-0": Rule(
            "warning",
            "VOC {box has|boxes have} a corner at 0, where VOC counts from 1",
            "If the tool counts from 0, its boxes lie one pixel to the left and above: export them as PASCAL VOC "
            "counts, or as COCO.",
        ),
        "duplicate-object": Rule(
            "warning",
            "{object is|objects are} listed twice in {its image|their images}",
            "Remove one: it counts as an object of its own.",
        ),
        "difficult-value": Rule(
            "warning", "{object has|objects have} a <difficult> that is neither 0 nor 1; read as 0", "Write 0 or 1."
        ),
        # How an image and its annotation fit together, settled.
        "turned-boxes": Rule(
            "warning",
            "{image is|images are} turned by EXIF data, and the boxes with {it|them}",
            "Nothing is needed here; turn the pixels and remove the tag, so that every tool reads the same.",
        ),
        "turned-without-size": Rule(
            "warning",
            "{image is|images are} turned by EXIF data; the boxes are read as for the image as it is shown",
            "Compare the boxes with the image; turn the pixels and remove the tag, so that every tool reads the same.",
        ),
        "no-size": Rule(
            "warning",
            "{annotation has|annotations have} no size; that of the image is used",
            "Write the size of the image into it.",
        ),
        "no-labels-file": Rule(
            "warning", "{image|images} without a text file {is|are} read as {an image|images} without objects",
            "Add an empty text file if that is right.",
        ),
        "image-listed-twice": Rule(
            "warning",
            "{image is|images are} listed by two entries, whose objects are joined",
            "Join the entries in the file.",
        ),
        "misnamed": Rule(
            "warning",
            "{annotation names|annotations name} another image; the annotation's own name decides",
            "Correct its <filename>.",
        ),
        # Files that no split uses.
        "unlisted-image": Rule(
            "warning", "annotated {image is|images are} in no split", "Add them to a list, or remove them."
        ),
        "unlisted-annotation": Rule(
            "warning", "annotation {file is|files are} in no split", "Add it to a list, or remove it."
        ),
        "image-without-annotation": Rule(
            "warning",
            "{image is|images are} not used, as they have no annotation",
            "Annotate it (without objects where it shows none), or remove it.",
        ),
        "annotation-without-image": Rule(
            "warning",
            "annotation {file is|files are} not used, as they have no image",
            "Put the image back, give it the same name, or remove the annotation.",
        ),
        "unsupported-image": Rule(
            "warning", "{image is|images are} of a format that is not read", "Convert them to JPEG or PNG."
        ),
        "litter": Rule(
            "warning",
            "{file|files} of the operating system or a notebook {is|are} ignored",
            "Remove them.",
        ),
        # Splits and classes.
        "shard": Rule("error", "{shard is|shards are} missing, truncated or changed", "Write the shards again."),
        "unusable-split": Rule(
            "warning", "{split|splits} cannot be used", "Correct it, or remove it from the list of splits."
        ),
        "image-in-two-splits": Rule(
            "warning",
            "{image is|images are} in two splits",
            "Remove it from one: what is trained on must not be measured on.",
        ),
        "class-spelling": Rule(
            "warning",
            "class {name differs|names differ} by case or spaces and are taken for one",
            "Write it the same everywhere.",
        ),
        "absent-class": Rule(
            "warning",
            "{class has|classes have} no object in a split",
            "It cannot be learned or measured there: add images, or remove the class.",
        ),
        "no-objects": Rule("error", "no image has an object", "Check that the annotations belong to these images."),
        "background-class": Rule(
            "warning",
            "{class|classes} called background {was|were} dropped",
            "Remove it from the list; every model has it already.",
        ),
        # What decoding and measuring find, in `checks` alone.
        "image": Rule("error", "{image|images} cannot be read", "Replace the file, or remove it from the data."),
        "animated": Rule(
            "warning",
            "{image has|images have} several frames or pages",
            "If another one than the first was annotated, save it as an image of its own.",
        ),
        "duplicate": Rule("warning", "{image is|images are} the same file twice", "Remove one."),
        "duplicate-across-splits": Rule(
            "error",
            "{image is|images are} the same file in two splits",
            "Remove one: what is trained on must not be measured on.",
        ),
        "near-copy-across-splits": Rule(
            "warning",
            "{image is|images are} nearly the same as one of another split",
            "Keep near copies in one split, as `ssd300 split` does: a model that has seen one scores too high on the "
            "other.",
        ),
        "tiny-box": Rule(
            "warning",
            "{object has|objects have} a side of few pixels at the network's size",
            "SSD300 hardly detects it: cut large images into tiles, or remove such objects.",
        ),
        "uncovered-class": Rule(
            "warning", "{class is|classes are} little covered by default boxes", "Try other default boxes, or tiles."
        ),
    }
)  # fmt: skip


def count_in_notes(problems: Iterable[Problem]) -> list[str]:
    """A line for each rule: how many problems, and the first one's place."""
    problems = list(problems)
    counts = Counter(problem.rule for problem in problems)
    first = {problem.rule: problem for problem in reversed(problems)}
    return [f"{counted(count, RULES[rule].counted)}{_place(first[rule])}" for rule, count in counts.items()]


def _place(problem: Problem) -> str:
    if not problem.file:
        return f": {problem.message}"
    return f"; first {problem.file}" + (f", object {problem.object}" if problem.object is not None else "")
