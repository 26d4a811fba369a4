"""`ssd300 verify`: does a run's number hold?"""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from ssd300.cli.options import DataFormat, Json, print_json, say
from ssd300.errors import RunError


def verify(
    run: Path,
    *data: Path,
    split: str | None = None,
    format_: DataFormat = "auto",
    on_bad_label: Literal["error", "drop-box", "drop-image"] = "error",
    on_bad_image: Literal["error", "skip"] = "error",
    device: str = "auto",
    json_: Json = False,
) -> None:
    """Score a run's stored detections again, then its weights, and compare with its summary.

    It fails, with exit code 1, if either gives another number.

    Parameters
    ----------
    run
        A folder that train wrote.
    data
        The data that it was trained with; the test or val split is taken, and must be that of the run.
    split
        Another split.
    format_
        Read the data as this, instead of finding out.
    on_bad_label
        What a box that is inverted, empty or outside gets: the same as for training.
    on_bad_image
        What an image that cannot be read gets; 'skip' leaves it and its objects out, and counts it.
    device
        'auto', 'cpu', 'cuda' or 'mps'.
    json_
        Print one JSON object and nothing else.
    """
    from ssd300.data import load_dataset
    from ssd300.evaluation.verification import verify as verify_run
    from ssd300.system.device import choose_device
    from ssd300.weights import read_card

    classes = read_card(run).classes
    dataset = load_dataset(
        *data, split=split, classes=classes, format=format_, on_bad_label=on_bad_label, purpose="test"
    )
    say(dataset.notes)
    result = verify_run(run, dataset, device=str(choose_device(device)), on_bad_image=on_bad_image)
    if json_:
        print_json({**asdict(result), "holds": result.holds})
    else:
        sys.stdout.write(f"{run}: {result.metric} {result.map:.6f}\n")
        for check in result.checks:
            found = "-" if check.found is None else f"{check.found:.6f}"
            apart = f"does not hold: {check.difference:.2g} apart, {check.tolerance:g} allowed"
            word = "holds" if check.holds else apart
            sys.stdout.write(f"{check.what}: {found}, {word}\n")
    if not result.holds:
        raise RunError("the run's number does not hold", where=run, fix="Were weights, detections or summary changed?")
