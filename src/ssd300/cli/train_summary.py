"""What `ssd300 train` prints at its end, or after `--dry-run`."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssd300 import run_layout
from ssd300.cli.next_steps import next_steps
from ssd300.cli.options import print_json, say, say_result
from ssd300.cli.train_options import preset_values
from ssd300.reporting.next_steps import command
from ssd300.system.wording import plural
from ssd300.training.config import TrainConfig

if TYPE_CHECKING:
    from ssd300.training.forecast import Forecast

SHORT = 2  # a run with so many times fewer steps than its preset is called short


def print_summary(
    summary: dict[str, Any],
    config: TrainConfig,
    example: Path,
    *,
    preset: str,
    images: int,
    stop_after: int | None,
    as_json: bool,
) -> None:
    """The result of a run with `preset` on `images` images, and what comes next; `example` is an image to detect on."""
    from ssd300.metrics.words import map_in_words
    from ssd300.reporting.run import has_steps_left

    out = config.out
    if summary["skipped_images"]:
        skipped = plural(summary["skipped_images"], "image")
        say([f"{skipped} could not be read and skipped: {out / run_layout.LOG}"])
    if as_json:
        print_json(summary)
        return
    lines = []
    if summary["map"] is not None:
        held_out = plural(summary["images"], "held-out image")
        lines.append(f"best {map_in_words(summary['metric'], summary['map'])}, on {held_out}")
    if summary["min_scores"]:
        scores = ", ".join(f"{name} {score:.2f}" for name, score in summary["min_scores"].items())
        lines.append(f"confidence thresholds of best F1, stored in the weights: {scores}")
    lines.append(f"report: {out / run_layout.REPORT}")
    if summary["steps"] < config.steps:
        is_open = has_steps_left(out, asdict(config), summary)
        stopped = stop_after is not None and summary["steps"] >= stop_after
        why, how = (
            ("", "--resume without --stop-after" if stopped else "--resume")
            if is_open
            else (", as mAP rose no more", "--resume --patience 0")
        )
        lines.append(f"ended after step {summary['steps']:,} of {config.steps:,}{why}; {how} continues it")
    say_result([*lines, *_on_length(preset, summary, config, images)])
    next_steps(
        [
            (command("detect", example, "--weights", out), "boxes on an image; name one of yours"),
            (command("export", "--weights", out, "--out", out / "model.onnx"), "a file for ONNX Runtime"),
        ]
    )


def print_forecast(found: "Forecast", *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(found))
        return
    rows = found.describe()
    width = max(map(len, rows))
    sys.stdout.writelines(f"{name:{width}}  {value}\n" for name, value in rows.items())


def _on_length(preset: str, summary: Mapping[str, Any], config: TrainConfig, images: int) -> list[str]:
    """A sentence on a run that had much fewer steps than its preset has."""
    usual, steps = preset_values()[preset].steps, summary["steps"]
    if config.steps * SHORT > usual:
        return []
    epochs = f"{summary['images_seen'] / images:.2g}"
    many = "epoch" if epochs == "1" else "epochs"
    return [f"a short run: the preset {preset} has {usual:,} steps; this was {steps:,} ({epochs} {many})"]
