"""The findings of `ssd300 check` as a page: problems, images that show them, labels, and counts of objects."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ssd300.data.checks.coverage import COVERED_IOU
from ssd300.data.checks.findings import LEVELS, Findings
from ssd300.data.formats.annotations import AnnotatedImages
from ssd300.images.colors import class_colors
from ssd300.reporting.html import write_page
from ssd300.reporting.labeled_images import NAMED
from ssd300.reporting.problem_images import ListedImages, pair_pictures, problem_pictures, sample_pictures

NEAR_COPIES = "near-copy-across-splits"  # the rule whose images are shown in pairs
LISTED = 500  # problems of one rule
OPEN = 5  # problems of one rule without pictures whose list is open
PICTURE_BYTES, PICTURES_BYTES = 45_000, 1_250_000  # of one JPEG and, about, of all; base64 adds a third


def write_findings(
    path: Path,
    findings: Findings,
    *,
    data: Sequence[str],
    splits: Mapping[str, AnnotatedImages] | None = None,
) -> None:
    """Write the page to `path`: the problems by rule, images that have them, labels, and the statistics.

    `data` names the dataset, and `splits` are its images; without them there are pictures of near copies alone.
    """
    rules = dict(sorted(findings.by_rule().items(), key=lambda rule: LEVELS.index(rule[0][0])))
    listed = ListedImages(splits or {})
    pictures = {rule: problem_pictures(problems, listed) for rule, problems in rules.items()}
    copies = [(Path(one.file), Path(one.other_file), f"{one.split}, {one.other_split}") for one in findings.near_copies]
    pictures |= {rule: pair_pictures(copies) for rule in rules if rule[1] == NEAR_COPIES}
    colors = class_colors(list(findings.classes))
    samples = sample_pictures(listed.splits, colors)
    drawn = sum(len(picture.images) for group in (samples, *pictures.values()) for picture in group)
    totals = {name: sum(counts.values()) for name, counts in findings.classes.items()}
    write_page(
        path,
        "findings.html.jinja",
        title="What is in the data",
        data=data,
        findings=findings,
        rules=rules,
        pictures=pictures,
        samples=samples,
        named=NAMED,
        listed=LISTED,
        open=OPEN,
        picture_bytes=min(PICTURE_BYTES, PICTURES_BYTES // max(drawn, 1)),
        colors={name: "rgb({}, {}, {})".format(*color) for name, color in colors.items()},
        totals=totals,
        splits=list(next(iter(findings.classes.values()), {})),
        most=max(totals.values(), default=0) or 1,
        most_sizes=max((size.objects for size in findings.coverage["sizes_px"].values()), default=0) or 1,
        iou=COVERED_IOU,
    )
