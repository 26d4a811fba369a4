"""`ssd300 check`: all problems of annotated images, and what SSD300 can learn of them."""

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ssd300.cli.mistakes import Mistakes
from ssd300.cli.next_steps import HOLD_OUT, next_steps, training
from ssd300.cli.options import (
    DataFormat,
    Json,
    Overwrite,
    Split,
    Switch,
    Usual,
    print_json,
    say,
)
from ssd300.cli.progress import image_progress
from ssd300.cli.shard_options import ShardOptions
from ssd300.errors import DataError
from ssd300.reporting.next_steps import command
from ssd300.system.files import check_file_free
from ssd300.system.progress import shown
from ssd300.system.wording import counted, plural, some
from ssd300.training.option_checks import IMAGE_SIZES_PX

if TYPE_CHECKING:
    import numpy as np

    from ssd300.data.checks.coverage import UsableBoxes
    from ssd300.data.checks.findings import Findings

SHOWN = 10  # of one rule
LIGHT, IMAGE_SIZE_PX = "ssd300_efficientnet_lite0", 300  # what is trained without other options
# The options with which training goes on in spite of an error of a rule. Copies of images that are trained on are left
# out of the held-out ones in any case.
TRAIN_ANYWAY = {
    "box": ("--on-bad-label", "drop-box"),
    "object": ("--on-bad-label", "drop-box"),
    "object-without-image": ("--on-bad-label", "drop-box"),
    "image": ("--on-bad-image", "skip"),
    "duplicate-across-splits": (),
}


def check(
    *data: Path,
    split: Split | None = None,
    format_: DataFormat = "auto",
    shards: ShardOptions = ShardOptions(),  # frozen
    default_boxes: Annotated[Literal["paper", "coco", "torchvision", "pytorch-ssd300"], Usual] = "paper",
    image_size: Annotated[int, Usual, Parameter(metavar="PIXELS")] = IMAGE_SIZE_PX,
    pixels: Annotated[bool, Usual] = True,
    html: Annotated[Path | None, Usual, Parameter(metavar="FILE")] = None,
    overwrite: Overwrite = False,
    strict: Annotated[Switch, Usual] = False,
    json_: Json = False,
) -> None:
    """List problems of a dataset, and what SSD300 can learn from it.

    Parameters
    ----------
    data
        PASCAL VOC folders, COCO annotations, YOLO data or folders of lists; several of one format are joined. Or the
        folder or address of shards.
    split
        The split to check. Default: all, and files that no split uses.
    format_
        The format of the data; auto recognizes it by its content.
    shards
        How shards are read.
    default_boxes
        The default boxes whose IoU with the objects is measured.
    image_size
        The width and height of the network's input, as `train --image-size` sets it.
    pixels
        Decode every image; without it, only the sizes of images that are there are read.
    html
        Write the findings to this file too, as a page with pictures that opens from disk. Default: no page.
    overwrite
        Replace the file that --html names.
    strict
        Warnings count as errors: exit code 3.
    json_
        Print one JSON object and nothing else.
    """
    mistakes = Mistakes()
    with mistakes.caught():
        _refuse_page(html, overwrite=overwrite)
    if image_size not in range(*IMAGE_SIZES_PX):
        mistakes.add(
            f"--image-size is {image_size}; it must be {IMAGE_SIZES_PX[0]} to {IMAGE_SIZES_PX[1] - 1}",
            fix="Give the size that you train with.",
        )
    cache = shards.cache(mistakes)
    mistakes.raise_all()
    from ssd300.data.checks import findings as checks
    from ssd300.data.shards.dataset import refuse_options, shards_among
    from ssd300.data.splits import has_held_out

    if (place := shards_among(data)) is not None:
        from ssd300.data.checks.shards import read_shards

        refuse_options(place, {"--format": format_ != "auto", "--html": html is not None})
        with image_progress(0, 0, what="comparing checksums") as advance:
            read = read_shards(place, split, cache, verify=pixels, advance=advance)
        pixels = False  # they were decoded when the shards were written
    else:
        with shown("reading the dataset"):
            read = checks.read_splits(data, split, format_, require_images=pixels)
    say(read.notes)
    boxes, alternatives = _default_boxes(default_boxes, image_size)
    with image_progress(0, 0, what="checking") as advance:
        findings = checks.check(
            read, boxes, size_px=image_size, alternatives=alternatives, fitted=partial(_covered_by_fitted, image_size),
            pixels=pixels, advance=advance,
        )  # fmt: skip
    if html is not None:
        from ssd300.reporting.findings import write_findings

        with shown("writing the page"):
            write_findings(html, findings, data=[str(path) for path in data], splits=read.splits)
        say([f"the findings as a page: {html}"])
    if json_:
        print_json(findings.to_dict())
    else:
        _print(findings, image_size)
        # One split that was named says nothing of the others.
        hold_out = () if split is not None or has_held_out(read.splits) else HOLD_OUT
        as_given = () if format_ == "auto" else ("--format", format_)
        next_steps(_next_steps(findings, data, as_given, hold_out, page=html is not None or place is not None))
    if count := findings.count(strict=strict):
        raise DataError(
            f"{plural(count, 'problem')} found", where=", ".join(map(str, data)), fix="They are listed above."
        )


def _next_steps(
    findings: "Findings",
    data: Sequence[Path],
    as_given: Sequence[str],
    hold_out: Sequence[str],
    *,
    page: bool,
) -> list[tuple[str, str]]:
    """Look at the problems, unless there is a `page` or can be none; then train, without what is bad, unless an error
    stops training whatever its options.
    """
    steps: list[tuple[str, str]] = []
    if findings.problems and not page:
        steps = [(command("check", *data, *as_given, "--html", "check.html"), "see them on a page")]
    rules = {problem.rule for problem in findings.problems if problem.level == "error"}
    if not rules <= TRAIN_ANYWAY.keys():
        return steps
    words = dict.fromkeys(TRAIN_ANYWAY[rule] for rule in sorted(rules))
    options = [*as_given, *(word for pair in words for word in pair), *hold_out]
    line, title = training(data, *options)
    return [*steps, (line, "train without what is bad" if any(words) else title)]


def _refuse_page(html: Path | None, *, overwrite: bool) -> None:
    if html is not None:
        check_file_free(html, "--html", overwrite=overwrite)


def _default_boxes(name: str, size_px: int) -> tuple["np.ndarray", Mapping[str, "np.ndarray"]]:
    """The default boxes of that name for an input size, and others by the words that advise them."""
    from ssd300.model.boxes import cxcywh_to_xyxy
    from ssd300.model.default_boxes import SSD512, make_default_boxes
    from ssd300.model.shapes import SHAPES

    shape = SHAPES[LIGHT]
    others = {
        f"--default-boxes {other}": shape.default_boxes(other, size_px) for other in ("paper", "coco") if other != name
    }
    others["tiles of 3/5 of the images' sides"] = SSD512  # as 300 are 3/5 of its 512 pixels
    wanted, *alternatives = (
        cxcywh_to_xyxy(make_default_boxes(settings)).double().numpy()
        for settings in (shape.default_boxes(name, size_px), *others.values())
    )
    return wanted, dict(zip(others, alternatives, strict=True))


def _covered_by_fitted(size_px: int, usable: "UsableBoxes") -> "np.ndarray":
    """Which objects default boxes that are fitted to them cover, for an input size."""
    import numpy as np

    from ssd300.model.fitted_boxes import covered, fit_default_boxes
    from ssd300.model.shapes import SHAPES

    paper = SHAPES[LIGHT].default_boxes("paper", size_px)
    _, labels = np.unique(np.array(usable.names, dtype=str), return_inverse=True)
    return covered(fit_default_boxes(paper, usable.boxes, labels), usable.boxes)


def _print(findings: "Findings", size_px: int) -> None:
    _print_problems(findings)
    sys.stdout.write(f"{plural(findings.images, 'image')}, {plural(findings.objects, 'object')}\n")
    if findings.files:
        sys.stdout.write(_files_in_words(findings.files, findings.other_files) + "\n")
    sys.stdout.write("\n")
    _print_classes(findings)
    _print_sizes(findings, size_px)


def _files_in_words(files: Mapping[str, int], others: Sequence[str]) -> str:
    """How many files there are, and what becomes of them; kinds without a file are left out."""
    used, reported = files["used"], files["reported"]
    if not reported and not others:
        return f"{plural(used, 'file')}, {'which is' if used == 1 else 'all'} used"
    parts = [f"{used:,} {'is' if used == 1 else 'are'} used"]
    if reported:
        parts.append(f"{reported:,} {'is' if reported == 1 else 'are'} not used, as listed above")
    if others:
        names = some([Path(other).name for other in others])
        parts.append(
            counted(
                len(others), f"{{is neither an image nor an annotation|are neither images nor annotations}}: {names}"
            )
        )
    return f"{plural(used + reported + len(others), 'file')}: {'; '.join(parts)}"


def _print_problems(findings: "Findings") -> None:
    out, rules = sys.stdout, findings.by_rule()
    for (level, rule), problems in rules.items():
        out.write(f"{level}: {rule}, {plural(len(problems), 'time')}\n")
        one_fix = len({problem.fix for problem in problems}) == 1
        for problem in problems[:SHOWN]:
            place = problem.file + (f", object {problem.object}" if problem.object is not None else "")
            out.write(f"  {place}: {problem.message}\n" if place else f"  {problem.message}\n")
            if not one_fix:
                out.write(f"    to do: {problem.fix}\n")
        if len(problems) > SHOWN:
            out.write(f"  and {len(problems) - SHOWN} more; --json has them all\n")
        out.write(f"  to do: {problems[0].fix}\n\n" if one_fix else "\n")
    if not rules:
        out.write("no problems found\n\n")


def _print_classes(findings: "Findings") -> None:
    out = sys.stdout
    width = max(map(len, [*findings.classes, "class"]))
    splits = list(next(iter(findings.classes.values()), {}))
    out.write("objects of each class:\n")
    out.write(f"{'class':{width}}" + "".join(f"  {name:>10}" for name in splits) + f"  {'fits':>6}  {'fitted':>6}\n")
    for name, counts in findings.classes.items():
        found = [findings.coverage[part].get(name) for part in ("classes", "fitted")]
        shares = "".join(f"  {_percent(None if one is None else one.share):>6}" for one in found)
        out.write(f"{name:{width}}" + "".join(f"  {count:10,}" for count in counts.values()) + f"{shares}\n")


def _print_sizes(findings: "Findings", size_px: int) -> None:
    from ssd300.data.checks.coverage import COVERED_IOU, SIZES_IN_WORDS

    out = sys.stdout
    out.write(f"\nobjects by size, as the side of a square of the same area in an image of {size_px} x {size_px}:\n")
    out.write(f"{'pixels':>12}  {'objects':>8}  {'fits':>6}\n")
    for words, size in zip(SIZES_IN_WORDS, findings.coverage["sizes_px"].values(), strict=True):
        out.write(f"{words:>12}  {size.objects:8,}  {_percent(size.share):>6}\n")
    out.write(
        f"\nfits: the share of objects that one of the network's default boxes fits (IoU of {COVERED_IOU:g} or more).\n"
        "The network learns these best. Each other object has only the default box that is nearest to it.\n"
        "fitted: the share with default boxes that are chosen for these objects, as preset best has them.\n"
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
