"""`ssd300 review`: where labels and detector disagree, the most suspicious case first."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ssd300.cli.early_checks import check_counts, check_device, check_file_given, check_weights
from ssd300.cli.help import SELECTION
from ssd300.cli.mistakes import Mistakes
from ssd300.cli.next_steps import next_steps
from ssd300.cli.options import (
    DataOptions,
    DetectingOptions,
    Json,
    MinScore,
    Overwrite,
    Usual,
    Weights,
    print_json,
    say,
    say_device,
    words_of,
)
from ssd300.cli.weights_words import is_run_or_weights
from ssd300.reporting.next_steps import Step, command
from ssd300.system.files import free_beside
from ssd300.system.progress import shown
from ssd300.system.wording import on_one_line, plural

if TYPE_CHECKING:
    from ssd300.evaluation.reviewing import WeightsReview

Iou = Annotated[float | None, Parameter(group=SELECTION, metavar="IOU")]
PAGE = Path("review.html")


def review(
    *data: Path,
    weights: Weights,
    top: Annotated[int, Usual] = 20,
    html: Annotated[Path | None, Usual, Parameter(metavar="FILE")] = None,
    overwrite: Overwrite = False,
    min_score: Annotated[float | None, MinScore, Parameter(group=SELECTION)] = None,
    match_iou: Iou = None,
    close_iou: Iou = None,
    near_iou: Iou = None,
    doubled_iou: Iou = None,
    reading: DataOptions = DataOptions(),  # frozen
    detecting: DetectingOptions = DetectingOptions(),  # frozen
    json_: Json = False,
) -> None:
    """Find labels that may be wrong: where a detector disagrees.

    Parameters
    ----------
    data
        PASCAL VOC folders, COCO annotations, YOLO data or folders of lists; several of one format are joined.
    weights
        A run folder, a .safetensors file, an exported .onnx or .xml file, or a name of published weights.
    top
        How many of the worst cases are listed, and how many of each kind --html shows. --json has all.
    html
        Write a page with pictures of the worst cases of each kind to this file. Default: no page.
    overwrite
        Replace the file that --html names.
    min_score
        A detection is confident from this score on, of whatever class. Default: the thresholds in the weights, which
        training and `ssd300 thresholds` store, or else 0.5.
    match_iou
        From this IoU on a label and a detection are about one object. Default: 0.5.
    close_iou
        From this IoU on their boxes agree; between the two a label is loose. Default: 0.75.
    near_iou
        From this IoU on a label and a detection of its class are about one object if neither has another partner: the
        label is loose. Default: 0.3.
    doubled_iou
        From this IoU on two labels are of one object. Default: 0.75.
    reading
        How the dataset is read.
    detecting
        How the weights detect.
    json_
        Print one JSON object with all cases and nothing else.
    """
    from ssd300.evaluation.disagreement import ReviewRules
    from ssd300.types import Selection

    mistakes = Mistakes()
    check_counts(mistakes, [("--top", top)], "review")
    check_file_given(mistakes, html, option="--html", overwrite=overwrite)
    if overwrite and html is None:
        mistakes.add("--overwrite is for the file of --html, which is not given", fix="Leave it out.")
    mistakes.built(Selection, {"min_score": min_score}, fix="It is a score, such as 0.5.")
    ious = {"match_iou": match_iou, "close_iou": close_iou, "near_iou": near_iou, "doubled_iou": doubled_iou}
    rules = mistakes.built(ReviewRules, ious, fix="An IoU of 1 is that of equal boxes.")
    inside = [str(path) for path in data if is_run_or_weights(str(path))]
    if inside and mistakes.words is not None:  # else --weights is missing, and that says it
        mistakes.add(f"{inside[0]} is weights and no data", fix="Name it with --weights, or leave it out.")
    check_device(mistakes, weights, detecting.device)
    with mistakes.caught():
        dataset = reading.load([path for path in data if str(path) not in inside], "test")
    check_weights(mistakes, weights)
    mistakes.raise_all()
    from ssd300.evaluation.reviewing import review_labels
    from ssd300.reporting.label_review import trained_on_in_words

    say_device(weights, detecting.device)
    done = review_labels(
        weights,
        dataset,
        min_scores=None if min_score is None else dict.fromkeys(dataset.classes, min_score),
        rules=rules,
        on_bad_image=detecting.on_bad_image,
        device=detecting.device,
        progress=shown,
    )
    remark = trained_on_in_words(done.trained_on_images, len(done.review.dataset))
    notes = [*([remark] if remark else []), *(f"skipped: {image}" for image in done.skipped)]
    say(notes)
    words: list[Any] = ["review", *data, "--weights", weights, *words_of(reading)]
    again = command(*words, "--html", PAGE if not PAGE.exists() else free_beside(PAGE))
    if html is not None:
        from ssd300.reporting.html import write_report
        from ssd300.reporting.label_review import review_page

        steps = [Step("Review again, once labels are mended.", command(*words, "--html", html, "--overwrite"))]
        with shown("writing the page"):
            write_report(html, review_page(done.review, weights=weights, top=top, notes=notes, steps=steps))
        say([f"the worst cases as a page: {html}"])
    if json_:
        print_json(
            {
                "weights": weights,
                **done.review.to_dict(),
                "skipped": list(done.skipped),
                "trained_on_images": done.trained_on_images,
            }
        )
        return
    _print(done, top)
    if not done.review.cases:
        return
    steps_left = [] if html is not None else [(again, "see them on a page")]
    if len(data) == 1:
        format_ = [] if reading.format == "auto" else ["--format", reading.format]
        decide = command("label", *data, *format_, "--weights", weights)
        of_all = "" if reading.split is None else ", which has all images of the data and not only those of the split"
        of_all += ", and all classes" if reading.only else ""
        steps_left.append((decide, f"decide on them one by one, in the tab Review of its page{of_all}"))
    next_steps(steps_left)


def _print(done: "WeightsReview", top: int) -> None:
    from ssd300.evaluation.disagreement import KINDS, MEANINGS
    from ssd300.evaluation.shown import thresholds_in_words
    from ssd300.reporting.label_review import case_in_words, review_rows

    result, out = done.review, sys.stdout
    rows = review_rows(result)
    _print_columns(rows, ["<", *[">"] * (len(rows[0]) - 1)])
    width = max(map(len, KINDS))
    out.write("\n" + "".join(f"{kind:{width}}  {MEANINGS[kind]}\n" for kind in KINDS) + "\n")
    worst = result.cases[:top]
    if worst:
        head = ("suspicion", "kind", "image", "what")
        lines = [
            (f"{one.suspicion:.3f}", one.kind, on_one_line(one.image_id), on_one_line(case_in_words(one)))
            for one in worst
        ]
        _print_columns([head, *lines], [">", "<", "<", "<"])
        if len(worst) < len(result.cases):
            out.write(f"and {len(result.cases) - len(worst):,} more; --json has them all\n")
        out.write("\n")
    out.write(
        f"{plural(len(result.cases), 'case')} on {plural(len(result.dataset), 'image')}; confident detections have "
        f"{thresholds_in_words(result.min_scores)}\n"
    )


def _print_columns(rows: Sequence[Sequence[str]], sides: Sequence[str]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(sides))]
    for row in rows:
        cells = [f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
