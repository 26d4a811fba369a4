"""`ssd300 split`: lists of a part to train on and a held-out part, from a dataset that has no held-out split."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ssd300.cli.early_checks import check_share
from ssd300.cli.mistakes import Mistakes
from ssd300.cli.next_steps import next_steps, training
from ssd300.cli.options import (
    DataOptions,
    Json,
    OfOutput,
    OutFolder,
    Overwrite,
    Seed,
    Switch,
    Usual,
    print_json,
    say,
)
from ssd300.cli.prepare import print_counts
from ssd300.cli.progress import image_progress
from ssd300.reporting.next_steps import command


def split(
    *data: Path,
    out: OutFolder,
    holdout: Annotated[float, Usual, Parameter(metavar="SHARE")],
    seed: Seed = 0,
    absolute_paths: Annotated[Switch, OfOutput] = False,
    reading: DataOptions = DataOptions(),  # frozen
    overwrite: Overwrite = False,
    json_: Json = False,
) -> None:
    """Set a share of the images aside to measure on, as two lists.

    Parameters
    ----------
    data
        PASCAL VOC folders, COCO annotations, YOLO data or folders of lists; several of one format are joined. Of
        their splits only the training split, or the one that --split names, is read and split.
    out
        The folder of the lists.
    holdout
        The share of the images to hold out, between 0 and 1.
    seed
        The same seed gives the same parts, in whatever order the images are listed.
    absolute_paths
        Write absolute paths instead of paths relative to --out.
    reading
        How the data is read.
    overwrite
        Write into a folder that is not empty.
    json_
        Print one JSON object and nothing else.
    """
    from ssd300.data.held_out import unused_splits
    from ssd300.data.holdout import hold_out
    from ssd300.data.prepare import write_lists
    from ssd300.data.recognition import open_data
    from ssd300.system.files import check_output_free, whole_folder

    mistakes = Mistakes()
    check_share(mistakes, "--holdout", holdout)
    with mistakes.caught():
        check_output_free(out, overwrite=overwrite)
    with mistakes.caught():
        dataset = reading.load(data, "train")
    mistakes.raise_all()
    typed, out = out, out.resolve()  # a folder called `.` has no name to build beside
    with image_progress(len(dataset), 0, what="comparing the images") as advance:
        train, held_out = hold_out(dataset, holdout, seed=seed, advance=advance)
    say([*held_out.notes, *unused_splits(open_data(data, reading.format), [dataset.split])])
    with whole_folder(out, overwrite=overwrite) as folder:
        summary = write_lists(folder, [train], [held_out], home=out, absolute_paths=absolute_paths)
    if json_:
        print_json(summary | {"share": len(held_out) / len(dataset), "seed": seed})
        return
    print_counts(summary, "holdout")
    next_steps([training([typed]), (command("check", typed), "check both parts")])
