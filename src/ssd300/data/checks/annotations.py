"""Problems of annotations: files and boxes that cannot be used, misspelled classes, classes that a split lacks."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from ssd300.data.checks.problem import Problem
from ssd300.data.formats.annotations import AnnotatedImage, AnnotatedImages


def annotation_problems(
    splits: Mapping[str, AnnotatedImages], classes: Mapping[str, Mapping[str, int]]
) -> list[Problem]:
    """All of them; `classes` are the counts of `count_classes`."""
    images = [image for split in splits.values() for image in split.images]
    problems = [problem for image in images for problem in _problems_of_image(image)]
    return [*problems, *_spellings(images), *_absent_classes(splits, classes)]


def count_classes(splits: Mapping[str, AnnotatedImages]) -> dict[str, dict[str, int]]:
    """Objects per class and split: first the classes that the data lists, then the others in sorted order."""
    listed = [name for split in splits.values() for name in split.classes or ()]
    found = {item.name.strip() for split in splits.values() for image in split.images for item in image.objects}
    counts = {name: dict.fromkeys(splits, 0) for name in dict.fromkeys([*listed, *sorted(found)])}
    for split_name, split in splits.items():
        for image in split.images:
            for item in image.objects:
                counts[item.name.strip()][split_name] += 1
    return counts


def _problems_of_image(image: AnnotatedImage) -> Iterable[Problem]:
    if image.fault is not None:
        yield Problem(
            level="error", file=image.where, object=None, rule="annotation", message=image.fault,
            fix="Write the annotation again, or remove the image from the list.",
        )  # fmt: skip
    if image.image_path is None:
        yield Problem(
            level="error", file=image.where, object=None, rule="missing-image",
            message=f"the image {image.image_id} is missing",
            fix="Put it there, or remove its id from the list.",
        )  # fmt: skip
    for number, item in enumerate(image.objects, start=1):
        if item.fault is not None:
            yield Problem(
                level="error", file=image.where, object=number, rule="box", message=f"{item.name}: {item.fault}",
                fix="Correct the box, or train with --on-bad-label drop-box.",
            )  # fmt: skip


def _spellings(images: Sequence[AnnotatedImage]) -> Iterable[Problem]:
    """Names that are another name but for case or spaces; of each group the most frequent is right."""
    counts = Counter(item.name for image in images for item in image.objects)
    alike = defaultdict(list)
    for name in counts:
        alike[" ".join(name.split()).casefold()].append(name)
    first = {item.name: image.where for image in reversed(images) for item in image.objects}
    for names in alike.values():
        usual = max(names, key=lambda name: counts[name])
        for name in sorted(set(names) - {usual}):
            yield Problem(
                level="warning", file=first[name], object=None, rule="class-spelling",
                message=f"the class '{name}' ({counts[name]} objects) is '{usual}' ({counts[usual]}) but for case or "
                "spaces",
                fix=f"Write '{usual}' everywhere; training takes them for one.",
            )  # fmt: skip


def _absent_classes(
    splits: Mapping[str, AnnotatedImages], classes: Mapping[str, Mapping[str, int]]
) -> Iterable[Problem]:
    if not any(any(counts.values()) for counts in classes.values()):
        yield Problem(
            level="error", file="", object=None, rule="no-objects", message="no image has an object",
            fix="Check that the annotations belong to these images.",
        )  # fmt: skip
        return
    for split in splits:
        for name, counts in classes.items():
            if not counts[split]:
                yield Problem(
                    level="warning", file="", object=None, rule="absent-class",
                    message=f"the split {split} has no '{name}'",
                    fix="It cannot be learned or measured there: add images, or remove the class.",
                )  # fmt: skip
