"""`ssd300 demo`: the whole job with nothing but the installed package."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

from ssd300 import run_layout
from ssd300.cli.next_steps import next_steps
from ssd300.cli.options import Json, OutFolder, Overwrite, Seed, Usual, print_json, say, say_result
from ssd300.cli.signals import on_signal
from ssd300.errors import UsageError
from ssd300.reporting.next_steps import command, free_run
from ssd300.system.logs import log_to_stderr
from ssd300.system.wording import plural
from ssd300.training.demo_folder import DATA, RUN, open_demo

ABOUT = (
    "The demo draws scenes, trains a small detector on some of them, measures it on the others, and writes a report.",
    "It takes about two minutes on two free cores, and longer on a slow or busy machine.",
    "Ctrl-C stops it; the same command resumes it.",
)


def demo(
    *,
    out: OutFolder = Path("demo"),
    seed: Seed = 0,
    steps: Annotated[int | None, Usual] = None,
    overwrite: Overwrite = False,
    json_: Json = False,
) -> None:
    """Try everything on synthetic images, with a report at the end.

    Ctrl-C stops it; the same command resumes it.

    Parameters
    ----------
    out
        The folder for everything that the demo writes.
    seed
        Seed of the images and of the training.
    steps
        Steps to train; fewer are sooner done. Default: as many as fit into a minute and a half, by the time of some
        steps, but at least those that good boxes need.
    overwrite
        Write into a folder that is not empty.
    json_
        Print the summary as one JSON object and nothing else.
    """
    if steps is not None and steps < 1:
        raise UsageError(f"--steps is {steps}; it must be 1 or more", fix="Leave it out to have them chosen.")
    plan = open_demo(out, seed=seed, steps=steps, overwrite=overwrite)  # before the imports, which take seconds
    with on_signal(lambda: "the same command resumes the demo" + (", without --overwrite" if overwrite else "")):
        say([f"resuming the demo in {out}"] if plan.prepared else [*ABOUT, f"everything is written into {out}"])
        from ssd300.system.progress import shown
        from ssd300.training.demo import run_demo

        log_to_stderr()
        summary = run_demo(out, seed=seed, steps=steps, overwrite=overwrite, progress=shown)
    _print_summary(summary, out, as_json=json_)


def _print_summary(summary: dict[str, Any], out: Path, *, as_json: bool) -> None:
    from ssd300.metrics.words import map_in_words

    report = out / run_layout.REPORT
    if as_json:
        names = ("map", "metric", "per_class", "images", "steps")
        print_json({name: summary[name] for name in names} | {"report": str(report)})
        return
    measured = f"{map_in_words(summary['metric'], summary['map'])}, on {plural(summary['images'], 'held-out image')}"
    say_result([f"{measured} after {plural(summary['steps'], 'step')}", f"report: {report}"])
    run, data = out / RUN, out / DATA
    image = next(iter(sorted((data / "JPEGImages").glob("test_*"))))
    next_steps([
        (command("detect", image, "--weights", run), "boxes on an image; name one of yours"),
        (command("train", data, "--out", free_run("").as_posix()), f"train; name your data in place of {data}"),
        _try_out(run),
    ])  # fmt: skip


def _try_out(run: Path) -> tuple[str, str]:
    """To use the weights in a browser, if what that needs is installed."""
    if all(find_spec(module) for module in ("fastapi", "uvicorn", "prometheus_client")):
        return command("serve", "--weights", run), "try it in a browser"
    return command("info", run), "what the weights are"
