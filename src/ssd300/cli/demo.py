"""`ssd300 demo`: the whole job with nothing but the installed package."""

import sys
from pathlib import Path

from ssd300 import run_layout
from ssd300.cli.options import Json, Switch, log_to_stderr, print_json
from ssd300.system.files import check_output_free


def demo(*, out: Path = Path("demo"), seed: int = 0, overwrite: Switch = False, json_: Json = False) -> None:
    """Make a small synthetic dataset, list, train, evaluate and detect on it, and write a report.

    Parameters
    ----------
    out
        The folder for everything that the demo writes.
    seed
        Seed of the images and of the training.
    overwrite
        Write into a folder that is not empty.
    json_
        Print the summary as one JSON object and nothing else.
    """
    check_output_free(out, overwrite=overwrite)  # before the imports, which take seconds
    from ssd300.training.demo import run_demo

    log_to_stderr()
    summary = run_demo(out, seed=seed, overwrite=overwrite)
    report = out / run_layout.REPORT
    if json_:
        print_json({name: summary[name] for name in ("map", "metric", "per_class", "images")} | {"report": str(report)})
        return
    sys.stdout.write(f"mAP {summary['map']:.4f} ({summary['metric']}) on {summary['images']} held-out images\n")
    sys.stdout.write(f"the report is {report}\n")
