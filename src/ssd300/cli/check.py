"""`ssd300 check`: what is wrong with labelled images, and what SSD300 can learn of them."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ssd300.cli.options import DataFormat, Json, Switch, print_json, say
from ssd300.errors import DataError, UsageError

if TYPE_CHECKING:
    from ssd300.data.checks.annotations import Findings
    from ssd300.data.checks.problem import Problem
    from ssd300.data.formats.labels import LabelledImages

SHOWN = 10  # of one rule


def check(
    *data: Path,
    split: str | None = None,
    format_: DataFormat = "auto",
    default_boxes: Literal["paper", "coco", "torchvision", "pytorch-ssd300"] = "paper",
    pixels: bool = True,
    html: Path | None = None,
    overwrite: Switch = False,
    strict: Switch = False,
    json_: Json = False,
) -> None:
    """Report the problems of a dataset, and what SSD300 can learn from it.

    Parameters
    ----------
    data
        PASCAL VOC folders, joined, or COCO annotations, YOLO data, a folder of lists.
    split
        Look at this split alone; left out, at all.
    format_
        Read the data as this, instead of finding out.
    default_boxes
        Whose overlap with the objects is measured.
    pixels
        Read every image; without it the annotations alone are looked at.
    html
        Write the findings into this file too, as a page that opens from disk.
    overwrite
        Let the page take the place of a file that is there.
    strict
        Warnings count as errors: exit code 3.
    json_
        Print one JSON object and nothing else.
    """
    if html is not None and html.is_dir():
        raise UsageError("--html names a folder where a file is needed", where=html, fix="Name a file in it.")
    if html is not None and html.exists() and not overwrite:
        raise UsageError("the page is there already", where=html, fix="Name another file, or add --overwrite.")
    import numpy as np

    from ssd300.data.checks.annotations import check as find

    splits, problems = _read(list(data), split, format_, pixels=pixels)
    from ssd300.model.boxes import cxcywh_to_xyxy
    from ssd300.model.default_boxes import SETTINGS, SSD512, DefaultBoxSettings, make_default_boxes

    def corners(settings: DefaultBoxSettings) -> np.ndarray:
        boxes: np.ndarray = cxcywh_to_xyxy(make_default_boxes(settings)).double().numpy()
        return boxes

    settings = SETTINGS[default_boxes]
    others = {f"--default-boxes {name}": SETTINGS[name] for name in ("paper", "coco") if name != default_boxes}
    others["SSD512's boxes on 512 x 512 pixels (as much as tiles of 3/5 of the images' sides)"] = SSD512
    findings = find(
        splits,
        corners(settings),
        size_px=settings.image_size_px,
        alternatives={words: corners(other) for words, other in others.items()},
        pixels=pixels,
        advance=_progress(),
    )
    findings.problems[:0] = problems
    if html is not None:
        from ssd300.reporting.findings import write_findings

        write_findings(html, findings, data=[str(path) for path in data])
        say([f"the findings as a page: {html}"])
    if json_:
        print_json(findings.to_dict())
    else:
        _print(findings)
    errors = sum(problem.level == "error" for problem in findings.problems)
    if findings.has_errors(strict=strict):
        count = len(findings.problems) if strict else errors
        raise DataError(f"{count} problem(s) found", where=", ".join(map(str, data)), fix="They are listed above.")


def _read(
    paths: list[Path], split: str | None, form: DataFormat, *, pixels: bool
) -> tuple[dict[str, "LabelledImages"], list["Problem"]]:
    """The splits by name, and, where all of them are read, the files that none of them uses."""
    from ssd300.data.checks.unused_files import stray_files
    from ssd300.data.load import labelled_splits, read_labelled, recognise

    splits: dict[str, LabelledImages] = {}
    for name in (split,) if split is not None else labelled_splits(paths, form) or (None,):
        found = read_labelled(paths, form, name, "train", require_images=pixels, faults="keep")
        say(found.notes)
        splits[found.split] = found
    return splits, stray_files(paths, recognise(paths[0], form), splits) if split is None else []


def _progress() -> Callable[[int, int], None]:
    """A line that counts, on a terminal alone."""
    if not sys.stderr.isatty():
        return lambda _done, _all: None

    def show(done: int, count: int) -> None:
        if done % 50 == 0 or done == count:
            sys.stderr.write(f"\rimages read: {done:,} of {count:,}" + ("\n" if done == count else ""))
            sys.stderr.flush()

    return show


def _print(findings: "Findings") -> None:
    rules: dict[tuple[str, str], list[Problem]] = {}
    for problem in findings.problems:
        rules.setdefault((problem.level, problem.rule), []).append(problem)
    out = sys.stdout
    for (level, rule), problems in rules.items():
        out.write(f"{level}: {rule}, {len(problems)} time(s)\n")
        for problem in problems[:SHOWN]:
            place = problem.file + (f", object {problem.object}" if problem.object is not None else "")
            out.write(f"  {place}: {problem.message}\n" if place else f"  {problem.message}\n")
        if len(problems) > SHOWN:
            out.write(f"  and {len(problems) - SHOWN} more; --json has them all\n")
        out.write(f"  to do: {problems[0].fix}\n\n")
    if not rules:
        out.write("nothing is wrong\n\n")
    out.write(f"{findings.images:,} images, {findings.objects:,} objects\n\n")
    width = max(map(len, [*findings.classes, "class"]))
    names = list(next(iter(findings.classes.values()), {}))
    out.write(f"{'class':{width}}" + "".join(f"  {name:>10}" for name in names) + f"  {'fits':>6}\n")
    for name, counts in findings.classes.items():
        fits = findings.coverage["classes"].get(name)
        share = "-" if fits is None or fits.share is None else f"{fits.share:.0%}"
        out.write(f"{name:{width}}" + "".join(f"  {count:10,}" for count in counts.values()) + f"  {share:>6}\n")
    out.write("\nside at the network's size, pixels: objects, those that a default box fits\n")
    for name, size in findings.coverage["sizes_px"].items():
        share = "-" if size.share is None else f"{size.share:.0%}"
        out.write(f"{name:>12}  {size.objects:8,}  {share:>6}\n")
