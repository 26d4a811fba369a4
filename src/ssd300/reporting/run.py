"""The page of a training run, made from the files of its folder alone.

So it can be written at any time, during a run and after it, also on another machine.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from ssd300 import run_layout
from ssd300.evaluation.limits import Limits
from ssd300.images.header import open_file, open_header, pillow_errors
from ssd300.metrics.words import MAP_IN_ONE_SENTENCE, metric_in_words
from ssd300.reporting.evaluation import (
    HELD_OUT_COUNTS,
    PLOTS,
    class_rows,
    counts_from,
    error_tables,
    shown_in_words,
    worst_gallery,
)
from ssd300.reporting.html import Gallery, Page, Plot
from ssd300.reporting.montage import GRIDS, take_apart
from ssd300.reporting.next_steps import Step, as_typed, step_to_resume, steps_of_run
from ssd300.run_command import stored_commands
from ssd300.system.duration import duration

SHOWN_IMAGES = 6
AUGMENTED = (
    "Images of the first batch as the network gets them: cut, flipped, shrunk and recolored at random (augmentation), "
    "with the labels that are left."
)
NOT_AUGMENTED = "Images of the first batch as the network gets them, with their labels: resized, without augmentation."

_PLOTS = (  # file, alternative text
    (run_layout.LOSS_PLOT, "loss over steps"),
    (run_layout.MAP_PLOT, "mAP over steps"),
    (run_layout.LEARNING_RATE_PLOT, "learning rate over steps"),
    *((run_layout.EVALUATION_PLOT.format(name=name), alternative) for name, alternative in PLOTS.items()),
    (run_layout.LABELS_PLOT, "objects per class, objects per image and object sizes in the training data"),
)


def run_page(folder: Path) -> Page:
    """The page of a run folder, without plots, images and tables that do not exist yet.

    Raises:
        FileNotFoundError: a file that each run has is missing: configuration, data, environment or summary.
    """
    config: dict[str, Any] = yaml.safe_load((folder / run_layout.CONFIG).read_text(encoding="utf-8"))
    data, summary = _read_json(folder / run_layout.DATA), _read_json(folder / run_layout.SUMMARY)
    errors_file = folder / run_layout.EVALUATION / run_layout.ERRORS
    errors: dict[str, Any] = _read_json(errors_file) if summary["metric"] and errors_file.is_file() else {}
    training = has_steps_left(folder, config, summary)
    headline, meaning = _headline(config, summary, _evaluations(folder), training=training)
    return Page(
        title=_title(folder, config, summary) if training else folder.resolve().name,
        subtitle=f"{config['model']}, trained on {data['images']:,} images for {summary['steps']:,} of "
        f"{config['steps']:,} steps{_of_images(config, summary)}",
        headline=headline,
        headline_meaning=meaning,
        explanation="" if summary["map"] is None else MAP_IN_ONE_SENTENCE,
        facts_title="The run",
        notes=_notes(config, data, summary, training=training),
        counts_from=counts_from(errors, HELD_OUT_COUNTS if summary.get("min_scores") else ""),
        per_class=class_rows(summary["per_class"] or {}, errors),
        tables=error_tables(errors) if errors else [],
        plots=[
            Plot(alternative=alternative, png=(folder / name).read_bytes())
            for name, alternative in _PLOTS
            if (folder / name).is_file()
        ],
        galleries=_galleries(folder, errors, augmented=config.get("augment", True)),
        facts=_facts(folder, data, summary),
        configuration=[(name, _as_text(value)) for name, value in config.items()],
        steps=_steps(folder, data, training=training),
    )


def has_steps_left(folder: Path, config: dict[str, Any], summary: dict[str, Any]) -> bool:
    """Whether steps are left, unless the run ended before them because mAP rose no more (`patience`)."""
    if summary["steps"] >= config["steps"]:
        return False
    patience, values = config.get("patience", 0), [value for _, value in _evaluations(folder)]
    return not patience or not values or len(values) - 1 - values.index(max(values)) < patience


def _evaluations(folder: Path) -> list[tuple[int, float]]:
    """The step of each evaluation so far, and the mAP of the better of its weights."""
    rows = folder / run_layout.METRICS_JSONL
    if not rows.is_file():
        return []
    found = [row for line in rows.read_text().splitlines() if "map" in (row := json.loads(line))]
    return [(row["step"], max(row["map"] or 0.0, row.get("map_ema") or 0.0)) for row in found]


def _title(folder: Path, config: dict[str, Any], summary: dict[str, Any]) -> str:
    return f"{folder.resolve().name}: step {summary['steps']:,} of {config['steps']:,} so far"


def _headline(
    config: dict[str, Any], summary: dict[str, Any], evaluations: Sequence[tuple[int, float]], *, training: bool
) -> tuple[str, str]:
    """The largest number of the page, and what it is: mAP or, before there is one, how far the run is; or nothing."""
    if summary["map"] is not None:
        meaning = f"{metric_in_words(summary['metric'])}, on {summary['images']:,} held-out images"
        if limits := summary.get("limits"):  # runs of earlier versions do not have it
            meaning += f"; {Limits.of_dict(limits).describe(summary['metric'])}"
        if len(evaluations) > 1:
            step, _ = max(evaluations, key=lambda one: one[1])
            meaning += f"; the best of {len(evaluations)} evaluations, at step {step:,}, whose weights are kept"
        return f"{summary['map']:.3f}", meaning
    if not training:
        return "", ""
    meaning = f"of {config['steps']:,} steps, in {duration(summary['seconds'])}{_left(config, summary)}"
    return f"{summary['steps'] / config['steps']:.0%}", meaning


def _left(config: dict[str, Any], summary: dict[str, Any]) -> str:
    """'; about 2 min 3 s left', or nothing before the first step."""
    if not summary["steps"]:
        return ""
    return f"; about {duration(summary['seconds'] * (config['steps'] / summary['steps'] - 1))} left"


def _notes(config: dict[str, Any], data: dict[str, Any], summary: dict[str, Any], *, training: bool) -> list[str]:
    notes = []
    if training:
        notes.append(
            f"This page was written at step {summary['steps']:,} of {config['steps']:,}{_left(config, summary)}. While "
            "the run trains, each saved state writes it again: reload it. A run that was stopped can be resumed."
        )
    elif summary["steps"] < config["steps"]:
        notes.append(f"The run ended at step {summary['steps']:,} of {config['steps']:,}, as mAP rose no more.")
    if data["validation"] is None:
        notes.append(
            "Nothing was measured: the data has no held-out split. Train with --holdout 0.2 to set a fifth of the "
            "images aside, and this page shows mAP, detections and errors on them."
        )
    elif summary["map"] is None and summary["metric"] is None:
        every = config.get("eval_every")
        notes.append(
            "There is no evaluation yet: mAP, detections and errors are shown after the first, "
            + (f"at step {every:,}." if every and every < config["steps"] else "at the end of the run.")
        )
    elif summary["map"] is None:
        notes.append("The held-out images have no object that counts, so there is no mAP.")
    if summary["metric"] and not any(row["detections"] for row in summary["per_class"].values()):
        notes.append("The best weights detected nothing on the held-out images. Train longer, or look at the labels.")
    if data["dropped"]:
        notes.append("Dropped from the data: " + ", ".join(f"{n} {what}" for what, n in data["dropped"].items()) + ".")
    return notes


def _of_images(config: dict[str, Any], summary: dict[str, Any]) -> str:
    """How many images the steps had; with another batch size on the way, all of them together."""
    seen, each = summary["images_seen"], config["batch_size"]
    return f" of {each} images each" if seen == summary["steps"] * each else f", {seen:,} images in all"


def _galleries(folder: Path, errors: dict[str, Any], *, augmented: bool) -> list[Gallery]:
    held_out, worst = (
        [folder / name.format(number=number) for number in range(1, SHOWN_IMAGES + 1)]
        for name in (run_layout.VALIDATION_IMAGE, run_layout.WORST_IMAGE)
    )
    batch = _captioned([folder / run_layout.TRAINING_BATCH_IMAGE])
    columns = GRIDS.get(len(batch), 1)
    galleries = (
        Gallery(
            title="Labels beside detections",
            explanation=f"Held-out images: their labels, and the detections with {shown_in_words(errors)}.",
            images=_captioned(held_out),
            columns=2,
            open=6,
        ),
        worst_gallery(_captioned(worst), errors),
        Gallery(
            title="What training sees",
            explanation=AUGMENTED if augmented else NOT_AUGMENTED,
            images=batch,
            columns=columns,
            narrow_columns=1 if len(batch) % 2 else 2,
            open=16,
            late=True,
        ),
    )
    return [gallery for gallery in galleries if gallery.images]


def _captioned(paths: Sequence[Path]) -> list[tuple[str, Image.Image]]:
    """The pictures that each file holds side by side; on a phone they are below each other."""
    return [tile for path in paths if path.is_file() for tile in _tiles(path)]


def _tiles(path: Path) -> list[tuple[str, Image.Image]]:
    with open_file(path) as file, pillow_errors(path):
        image = open_header(file, path)
        image.load()  # while the file is open
        return take_apart(image)


def _facts(folder: Path, data: dict[str, Any], summary: dict[str, Any]) -> list[tuple[str, str]]:
    environment = _read_json(folder / run_layout.ENVIRONMENT)
    facts = [
        ("training data", _counts(data)),
        ("images seen", f"{summary['images_seen']:,} (each one counts as often as it was seen)"),
        ("time", duration(summary["seconds"])),
        ("device", f"{summary['device']}, {summary['precision']}"),
        ("seed", str(summary["seed"])),
        *((name, str(environment[name])) for name in ("ssd300", "torch", "python", "platform")),
    ]
    if summary["metric"]:
        facts.insert(1, ("metric", summary["metric"]))
    if summary.get("averaged"):
        facts.insert(1, ("best weights", "the averaged ones"))
    if data["validation"]:
        facts.insert(1, ("held-out data", _counts(data["validation"])))
    if summary["git"]:
        facts.append(("commit", summary["git"]))
    if lines := stored_commands(folder):
        facts.append(("command", "\n".join(map(as_typed, lines))))
    return facts


def _steps(folder: Path, data: dict[str, Any], *, training: bool) -> list[Step]:
    shown = data["validation"] or data
    resume = step_to_resume(folder) if training else None
    return [*([resume] if resume else []), *steps_of_run(folder, shown.get("example"))]


def _counts(data: dict[str, Any]) -> str:
    return f"{data['images']:,} images, {sum(data['objects'].values()):,} objects ({data['split']})"


def _as_text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "–" if value is None else str(value)


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
