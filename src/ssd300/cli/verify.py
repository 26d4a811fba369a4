"""`ssd300 verify`: can a run's mAP be reproduced?"""

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ssd300.cli.early_checks import check_device, check_weights
from ssd300.cli.mistakes import Mistakes
from ssd300.cli.options import AnnotationOptions, DetectingOptions, Json, print_json, say, say_device
from ssd300.cli.weights_words import is_run_or_weights
from ssd300.errors import DataError, RunError, UsageError
from ssd300.system.progress import numbered, shown
from ssd300.system.wording import plural

if TYPE_CHECKING:
    from ssd300.evaluation.verification import Verification


def verify(
    run: Path,
    /,
    *data: Path,
    reading: AnnotationOptions = AnnotationOptions(),  # frozen
    detecting: DetectingOptions = DetectingOptions(),  # frozen
    json_: Json = False,
) -> None:
    """Check that a run's weights and detections still give its mAP.

    Parameters
    ----------
    run
        A folder that `ssd300 train` wrote.
    data
        The data of the training, read with the same options. Its held-out split must be that of the run.
    reading
        How the annotations are read.
    detecting
        How the weights detect.
    json_
        Print one JSON object and nothing else.
    """
    from ssd300.evaluation.verification import check_measured, classes_of_run
    from ssd300.evaluation.verification import verify as verify_run

    mistakes = Mistakes()
    runs = [path for path in data if is_run_or_weights(str(path))]
    if runs and not is_run_or_weights(str(run)):
        mistakes.add("verify takes the run first, then the data", fix=f"Type `ssd300 verify {runs[0]} {run}`.")
        mistakes.raise_all()
    check_device(mistakes, str(run), detecting.device)
    check_weights(mistakes, str(run))
    with mistakes.caught():
        check_measured(run)
    mistakes.raise_all()
    if not data:
        mistakes.errors.append(_no_data(run))
        mistakes.raise_all()
    with mistakes.caught(), _with_usual_data(run, mistakes.words):
        dataset = reading.load(data, "test", **classes_of_run(run))
    mistakes.raise_all()
    say_device(str(run), detecting.device)
    with _with_usual_data(run, mistakes.words):
        result = verify_run(
            run, dataset, device=detecting.device, on_bad_image=detecting.on_bad_image, progress=numbered(shown, 3)
        )
    if result.left_out:
        say([f"{plural(result.left_out, 'image')} left out, as the run was trained on them"])
    if json_:
        print_json({**asdict(result), "holds": result.holds})
    else:
        _print(run, result)
    if not result.holds:
        raise RunError("the run's mAP is not reproduced", where=run, fix="Were weights, detections or summary changed?")


@contextmanager
def _with_usual_data(run: Path, words: Sequence[str] | None) -> Iterator[None]:
    """An error in the data also says what to type for the data of the run's own command, unless that was typed."""
    from ssd300.cli.run_data import verify_commands

    try:
        yield
    except DataError as error:
        usual = verify_commands(run)
        if not usual or shlex.split(usual[-1])[1:] == [word for word in words or () if word != "--json"]:
            raise
        fix = f"{error.fix or ''} For the data of the run type {_typed(usual)}.".strip()
        raise DataError(error.what, where=error.where, fix=fix) from error


def _no_data(run: Path) -> UsageError:
    """What to type, with the data that the run's own command names."""
    from ssd300.cli.run_data import verify_commands

    lines = verify_commands(run)
    return UsageError(
        "verify needs the data that the run was measured on",
        fix=f"Type {_typed(lines)}." if lines else f"Name it after the run: `ssd300 verify {run} DATA`.",
    )


def _typed(lines: Sequence[str]) -> str:
    return ", then ".join(f"`{line}`" for line in lines)


def _print(run: Path, result: "Verification") -> None:
    from ssd300.metrics.words import map_in_words

    sys.stdout.write(f"{run}: {map_in_words(result.metric, result.map, digits=6)}\n")
    for check in result.checks:
        found = "-" if check.found is None else f"{check.found:.6f}"
        apart = f"does not hold: {check.difference:.2g} apart, {check.tolerance:g} allowed"
        sys.stdout.write(f"{check.what}: {found}, {'holds' if check.holds else apart}\n")
