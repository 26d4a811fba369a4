"""The findings of `ssd300 check` as a page: problems, images that show them, labels, and counts of objects."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ssd300.data.checks.coverage import COVERED_IOU, SIZES_IN_WORDS
from ssd300.data.checks.findings import LEVELS, Findings
from ssd300.data.formats.annotations import AnnotatedImages
from ssd300.data.problems import Problem
from ssd300.images.colors import class_colors
from ssd300.reporting.html import write_page
from ssd300.reporting.labeled_images import NAMED
from ssd300.reporting.next_steps import Step, command, free_run
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
    rules = dict(sorted(findings.by_rule().items(), key=_rank))
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
        levels=[(level, count) for level in LEVELS if (count := sum(one.level == level for one in findings.problems))],
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
        sizes_in_words=SIZES_IN_WORDS,
        steps=_steps(path, data, findings, list(splits or ())),
    )


def _rank(rule: tuple[tuple[str, str], Sequence[Problem]]) -> tuple[int, bool]:
    """Errors first; of each level first what is about all of the data, as it is advice for the training."""
    (level, _), problems = rule
    return LEVELS.index(level), bool(problems[0].file)


def _steps(path: Path, data: Sequence[str], findings: Findings, splits: Sequence[str]) -> list[Step]:
    """To train on the data, unless files are at fault, and to check it again once it is mended."""
    folders = [Path(one).absolute() for one in data]
    options = [] if len(splits) > 1 else ["--holdout", "0.2"]
    errors = [problem for problem in findings.problems if problem.level == "error"]
    options += ["--on-bad-label", "drop-box"] if errors else []
    purpose = "Train on it" + (", without the boxes that have errors" if errors else "")
    purpose += " and with a fifth of the images held out to measure on." if len(splits) < 2 else "."  # fmt: skip
    train = Step(purpose, command("train", *folders, "--out", free_run("first").as_posix(), *options))
    steps = [] if any(problem.object is None for problem in errors) else [train]
    if findings.problems:
        again = command("check", *folders, "--html", path.absolute(), "--overwrite")
        steps.append(Step("Check it again once it is mended: this page is replaced.", again))
    return steps
