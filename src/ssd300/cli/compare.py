"""`ssd300 compare`: is B better than A on the same images, and how sure is that?"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ssd300.cli.early_checks import check_counts, check_device, check_file_given, check_weights
from ssd300.cli.mistakes import Mistakes
from ssd300.cli.options import (
    DataOptions,
    Device,
    Json,
    OfData,
    OfOutput,
    Seed,
    Usual,
    print_json,
    say,
)
from ssd300.cli.weights_words import is_run_or_weights
from ssd300.errors import RunError
from ssd300.system.progress import Progress, shown
from ssd300.system.wording import plural

if TYPE_CHECKING:
    from ssd300.evaluation.comparison import Comparison


def compare(
    a: str,
    b: str,
    /,
    *data: Path,
    metric: Annotated[Literal["voc07", "voc12"], Usual] = "voc07",
    resamples: Annotated[int, Usual] = 2000,
    seed: Seed = 0,
    require: Annotated[Literal["nothing", "not-worse", "better"], OfOutput] = "nothing",
    markdown: Annotated[Path | None, OfOutput, Parameter(metavar="FILE")] = None,
    html: Annotated[Path | None, OfOutput, Parameter(metavar="FILE")] = None,
    ids_of: Annotated[Path | None, OfData, Parameter(metavar="FILE")] = None,
    reading: DataOptions = DataOptions(),  # frozen
    device: Device = "auto",
    json_: Json = False,
) -> None:
    """Compare two detectors: is B better than A, and how surely?

    Parameters
    ----------
    a
        The detector to compare with: weights or stored predictions, each as `ssd300 eval` takes them.
    b
        The other detector.
    data
        PASCAL VOC folders, COCO annotations, YOLO data or folders of lists; several of one format are joined.
    metric
        voc07 is the mean precision at 11 recalls, voc12 the area under the curve; both at IoU 0.5.
    resamples
        Number of bootstrap resamples of the images.
    seed
        Seed of the resampling.
    require
        Exit with code 1 unless B is better, or not-worse, by the whole interval: for automatic checks.
    markdown
        Write the table as Markdown to this new file, for a pull request. Default: none.
    html
        Write a page with the images that changed most to this new file. Default: none.
    ids_of
        The file of COCO annotations whose ids the COCO results use. Default: that of the data.
    reading
        How the dataset is read.
    device
        auto, cpu, cuda or mps; auto takes a GPU if there is one. An exported file runs on the CPU.
    json_
        Print one JSON object and nothing else.
    """
    mistakes = Mistakes()
    check_counts(mistakes, [("--resamples", resamples)], "compare")
    for file, option in ((markdown, "--markdown"), (html, "--html")):
        check_file_given(mistakes, file, option=option, overwrite=False, can_overwrite=False)
    from ssd300.evaluation.comparison import compare as compare_detections
    from ssd300.evaluation.stored import detections_of, is_weights
    from ssd300.reporting.comparison import comparison_markdown, comparison_page
    from ssd300.reporting.html import write_report
    from ssd300.system.files import write_text

    if len(data) == 1 and is_run_or_weights(str(data[0])) and not is_run_or_weights(a):
        fix = f"Type `ssd300 compare {b} {data[0]} {a}`."
        mistakes.add("compare needs A, B and DATA, in this order", fix=fix)
        mistakes.raise_all()
    for source in (a, b):
        if is_weights(source):
            check_device(mistakes, source, device)
            check_weights(mistakes, source)
    if data:
        with mistakes.caught():
            dataset = reading.load(data, "test", require_images=is_weights(a) or is_weights(b))
    else:
        mistakes.add("compare needs A, B and DATA, in this order", fix="Type `ssd300 compare A B DATA`.")
    mistakes.raise_all()
    both = [
        detections_of(which, dataset, ids_of=ids_of, device=device, progress=_of(name))
        for name, which in (("A", a), ("B", b))
    ]
    say(f"{which}: {note}" for which, found in zip((a, b), both, strict=True) for note in found.notes)
    tables = [found.table for found in both]
    min_scores = both[0].min_scores, both[1].min_scores
    result = compare_detections(
        dataset,
        *tables,
        metric=metric,
        resamples=resamples,
        seed=seed,
        min_scores=min_scores,
        progress=shown,
    )
    if markdown is not None:
        write_text(markdown, comparison_markdown(a, b, result))
    if html is not None:
        with shown("writing the page"):
            write_report(html, comparison_page(dataset, tables, result, names=(a, b)))
    if json_:
        limits = dict(zip("ab", (found.limits.to_dict([result.metric]) for found in both), strict=True))
        print_json({"detectors": {"a": a, "b": b}, "limits": limits, **result.to_dict()})
    else:
        of_a, of_b = (found.limits.describe(result.metric) for found in both)
        _print(f"{a} ({of_a})", f"{b} ({of_b})", result)
    if not result.meets(require):
        raise RunError(
            f"B is {result.overall.verdict}, and --require is {require}",
            where=b,
            fix="Keep A, or compare on more data.",
        )


def _of(name: str) -> Progress:
    """`shown`, which says of which of the two detectors."""
    return lambda what, total=None, *, unit="images", done=0: shown(f"{name}: {what}", total, unit=unit, done=done)


def _print(a: str, b: str, result: "Comparison") -> None:
    from ssd300.metrics.words import metric_in_words
    from ssd300.reporting.comparison import HEAD, comparison_rows, shown_in_words

    rows = [HEAD, *comparison_rows(result)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    sys.stdout.write(f"A: {a}\nB: {b}\n\n")
    for row in rows:
        cells = [
            f"{row[0]:{widths[0]}}",
            *(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)),
        ]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    sys.stdout.write("\nB leads in: the share of resamples in which B is ahead of A\n")
    sys.stdout.write(
        f"{metric_in_words(result.metric)}, on {plural(result.images, 'image')}, "
        f"{plural(result.resamples, 'resample')}, seed {result.seed}\n"
    )
    if result.changed:
        sys.stdout.write(f"changed most (objects found minus false detections, {shown_in_words(result)}): ")
        sys.stdout.write(", ".join(f"{one.image_id} {one.change:+d}" for one in result.changed) + "\n")
