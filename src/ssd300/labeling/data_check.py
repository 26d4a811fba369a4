"""What is wrong with the labels so far, and which images are nearly the same: `ssd300 check`'s rules, for the page."""

from dataclasses import dataclass

from ssd300.data.checks.annotations import annotation_problems, count_classes
from ssd300.data.checks.findings import read_splits
from ssd300.errors import DataError
from ssd300.images.near_copies import group_copies, hash_images
from ssd300.labeling.label_store import LabelStore
from ssd300.system.files import absolute

MOST_PROBLEMS, MOST_GROUPS = 500, 200  # that the page lists


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A problem. `image` is the number of the image that it is about, None for one of the dataset."""

    level: str
    message: str
    fix: str
    image: int | None


@dataclass(frozen=True, kw_only=True)
class DataCheck:
    """The problems, the images per split, and groups of images that are copies or nearly so, by their numbers."""

    findings: tuple[Finding, ...]
    splits: dict[str, int]
    copies: tuple[tuple[int, ...], ...]


def check_labels(store: LabelStore) -> DataCheck:
    """Read all labels and images anew. It takes a while for thousands of images."""
    files = store.files
    groups: dict[int, list[int]] = {}
    for number, group in enumerate(group_copies(hash_images(files.images)).tolist()):
        groups.setdefault(group, []).append(number)
    copies = tuple(tuple(group) for group in groups.values() if len(group) > 1)[:MOST_GROUPS]
    if not any(one.exists for one in store.summaries):
        return DataCheck(findings=(), splits={}, copies=copies)
    try:
        read = read_splits([files.home], None, files.format, require_images=False)
    except DataError as error:
        broken = Finding(level="error", message=error.what, fix=error.fix or "", image=None)
        return DataCheck(findings=(broken,), splits={}, copies=copies)
    numbers = {absolute(image): number for number, image in enumerate(files.images)}
    by_where = {image.where: numbers.get(absolute(image.image_path)) for split in read.splits.values()
                for image in split.images if image.image_path is not None}  # fmt: skip
    problems = [*read.unusable, *annotation_problems(read.splits, count_classes(read.splits))]
    problems.sort(key=lambda problem: problem.level)
    findings = (
        Finding(level=one.level, message=one.message, fix=one.fix, image=by_where.get(one.file)) for one in problems
    )
    splits = {name: len(split.images) for name, split in read.splits.items()}
    return DataCheck(findings=tuple(findings)[:MOST_PROBLEMS], splits=splits, copies=copies)
