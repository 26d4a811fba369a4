"""`ssd300 compare`: is B better than A, on the same images, and would it be on others?"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ssd300 import run_layout
from ssd300.cli.options import DataFormat, Json, device_for, print_json, read_classes, say
from ssd300.errors import RunError, UsageError

if TYPE_CHECKING:
    from ssd300.data import Dataset
    from ssd300.evaluation.comparison import Comparison
    from ssd300.types import DetectionTable


def compare(
    a: str,
    b: str,
    *data: Path,
    metric: Literal["voc07", "voc12"] = "voc07",
    resamples: int = 2000,
    seed: int = 0,
    require: Literal["nothing", "not-worse", "better"] = "nothing",
    markdown: Path | None = None,
    html: Path | None = None,
    split: str | None = None,
    classes: Path | None = None,
    format_: DataFormat = "auto",
    on_bad_label: Literal["error", "drop-box", "drop-image"] = "error",
    ids_of: Path | None = None,
    device: str = "auto",
    json_: Json = False,
) -> None:
    """Compare two detectors on the same labelled images, and say how sure the difference is.

    Parameters
    ----------
    a
        The one to compare with: a run folder or weights file, or stored predictions in any form that eval takes.
    b
        The other one.
    data
        PASCAL VOC folders, joined, or COCO annotations, YOLO data, lists; the test or val split is taken.
    metric
        'voc07' is the mean of 11 points, 'voc12' the area under the curve.
    resamples
        How often as many images as there are are drawn anew, for the interval.
    seed
        Of the drawing.
    require
        Exit with 1 unless B is 'better', or 'not-worse', by the whole interval: for automatic checks.
    markdown
        Write the table as Markdown into this file, for a pull request.
    html
        Write a page into this file, with the images that changed most.
    split
        Another split.
    classes
        A file with one class a line.
    format_
        Read the data as this, instead of finding out.
    on_bad_label
        What a box that is inverted, empty or outside gets.
    ids_of
        The COCO annotations whose ids COCO results use; left out, those of the data.
    device
        'auto', 'cpu', 'cuda' or 'mps'.
    json_
        Print one JSON object and nothing else.
    """
    if not data:
        raise UsageError("compare needs A, B and data: two words or fewer were named", fix="ssd300 compare A B DATA")
    if resamples < 1:
        raise UsageError(
            f"resamples is {resamples}; it must be 1 or more", fix="Name 1 or more; 2000 if it is left out."
        )
    for file, option in ((markdown, "--markdown"), (html, "--html")):
        if file is not None and file.exists():
            raise UsageError("the file exists", where=file, fix=f"Name another {option}.")
    from ssd300.data import load_dataset
    from ssd300.data.formats.coco import coco_files
    from ssd300.evaluation.comparison import compare as compare_tables
    from ssd300.reporting.comparison import comparison_markdown, comparison_page

    dataset = load_dataset(
        *data, split=split, classes=read_classes(classes), format=format_, on_bad_label=on_bad_label, purpose="test",
        require_images=any(map(_is_weights, (a, b))),
    )  # fmt: skip
    say(dataset.notes)
    if ids_of is None and len(data) == 1:
        ids_of = coco_files(data[0]).get(dataset.split)
    tables = [_detections(which, dataset, ids_of, device) for which in (a, b)]
    result = compare_tables(dataset, *tables, metric=metric, resamples=resamples, seed=seed)
    changed = [(dataset.annotations[index].image_id, change) for index, change in result.changed]
    if markdown is not None:
        from ssd300.system.files import write_text

        write_text(markdown, comparison_markdown(a, b, result))
    if html is not None:
        from ssd300.reporting.html import write_report

        write_report(html, comparison_page(dataset, tables, result, names=(a, b)))
    if json_:
        print_json(
            {
                "detectors": {"a": a, "b": b},
                **result.to_dict(),
                "changed": [{"image": i, "change": c} for i, c in changed],
            }
        )
    else:
        _print(a, b, result, changed)
    verdict = result.overall.verdict
    if (require == "better" and verdict != "better") or (require == "not-worse" and verdict == "worse"):
        raise RunError(f"B is {verdict}, and --require says {require}", where=b, fix="Keep A, or compare on more data.")


def _is_weights(which: str) -> bool:
    """Whether it is a detector rather than what one has stored."""
    from ssd300.detection.backends import EXPORTED_SUFFIXES

    path = Path(which)
    if not path.is_dir():
        return path.suffix in (".safetensors", *EXPORTED_SUFFIXES) or not path.exists()
    return (path / run_layout.BEST_WEIGHTS).is_file()


def _detections(which: str, dataset: "Dataset", ids_of: Path | None, device: str) -> "DetectionTable":
    if not _is_weights(which):
        from ssd300.data.predictions.read import read_predictions

        stored = read_predictions(Path(which), dataset.annotations, dataset.classes, ids_of=ids_of)
        say(f"{which}: {note}" for note in stored.notes)
        return stored.table
    from ssd300.evaluation.evaluator import evaluate

    report = evaluate(which, dataset, device=device_for(which, device))
    if report.dataset.classes != dataset.classes:
        return _with_labels(report.detections, report.dataset.classes, dataset.classes)
    return report.detections


def _with_labels(table: "DetectionTable", old: tuple[str, ...], new: tuple[str, ...]) -> "DetectionTable":
    """Labels of the weights' classes as those of the data. Detections of other classes go: nothing is scored there."""
    import numpy as np

    numbers = np.array([new.index(name) if name in new else -1 for name in old], dtype=np.int64)
    renumbered = replace(table, labels=numbers[table.labels])
    return renumbered.select(renumbered.labels >= 0)


def _print(a: str, b: str, result: "Comparison", changed: list[tuple[str, int]]) -> None:
    from ssd300.reporting.comparison import HEAD, comparison_rows

    rows = [HEAD, *comparison_rows(result)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    sys.stdout.write(f"A: {a}\nB: {b}\n\n")
    for row in rows:
        cells: list[Any] = [f"{row[0]:{widths[0]}}", *(f"{c:>{w}}" for c, w in zip(row[1:], widths[1:], strict=True))]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    sys.stdout.write("\nB leads in: the share of resamples in which it is ahead of A\n")
    sys.stdout.write(f"{result.metric}, {result.images} images, {result.resamples} resamples, seed {result.seed}\n")
    if changed:
        from ssd300.evaluation.scoring import SHOWN_SCORE

        sys.stdout.write(f"changed most (objects found less false ones, scores from {SHOWN_SCORE:g}): ")
        sys.stdout.write(", ".join(f"{image} {change:+d}" for image, change in changed) + "\n")
