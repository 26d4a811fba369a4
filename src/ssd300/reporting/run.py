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
from ssd300.evaluation.scoring import SHOWN_SCORE
from ssd300.images.read import read_image
from ssd300.reporting.evaluation import PLOTS, errors_table, worst_gallery
from ssd300.reporting.html import ClassRow, Gallery, Page, Plot
from ssd300.system.duration import duration

SHOWN_IMAGES = 6

_PLOTS = (  # file, alternative text, whether it is as wide as the page
    (run_layout.LOSS_PLOT, "loss over steps", False),
    (run_layout.MAP_PLOT, "mAP over steps", False),
    (run_layout.LEARNING_RATE_PLOT, "learning rate over steps", False),
    *((run_layout.EVALUATION_PLOT.format(name=name), alternative, wide) for name, (alternative, wide) in PLOTS.items()),
    (run_layout.LABELS_PLOT, "objects per class, objects per image and object sizes in the training data", True),
)


def run_page(folder: Path) -> Page:
    """The page of a run folder, without plots, images and tables that do not exist yet.

    Raises:
        FileNotFoundError: a file that each run has is missing: configuration, data, environment or summary.
    """
    config: dict[str, Any] = yaml.safe_load((folder / run_layout.CONFIG).read_text(encoding="utf-8"))
    data, summary = _read_json(folder / run_layout.DATA), _read_json(folder / run_layout.SUMMARY)
    headline, meaning = "–", "no mAP yet"
    if summary["map"] is not None:
        headline = f"{summary['map']:.3f}"
        meaning = f"mAP ({summary['metric']}) on {summary['images']:,} held-out images"
        if limits := summary.get("limits"):  # runs of earlier versions do not have it
            meaning += f"; {Limits.of_dict(limits).describe(summary['metric'])}"
    errors = folder / run_layout.EVALUATION / run_layout.ERRORS
    return Page(
        title=folder.resolve().name,
        subtitle=f"{config['model']}, {summary['steps']:,} of {config['steps']:,} steps, "
        f"{config['batch_size']} images each",
        headline=headline,
        headline_meaning=meaning,
        facts_title="The run",
        notes=_notes(config, data, summary),
        per_class=[ClassRow(name=name, **values) for name, values in (summary["per_class"] or {}).items()],
        tables=[errors_table(_read_json(errors))] if errors.is_file() else [],
        plots=[
            Plot(alternative=alternative, png=(folder / name).read_bytes(), wide=wide)
            for name, alternative, wide in _PLOTS
            if (folder / name).is_file()
        ],
        galleries=_galleries(folder),
        facts=_facts(folder, data, summary),
        configuration=[(name, _as_text(value)) for name, value in config.items()],
    )


def _notes(config: dict[str, Any], data: dict[str, Any], summary: dict[str, Any]) -> list[str]:
    notes = []
    if summary["steps"] < config["steps"]:
        notes.append(f"The run is at step {summary['steps']:,} of {config['steps']:,}.")
    if data["validation"] is None:
        notes.append(
            "The data has no held-out split, so nothing was evaluated: mAP, precision and recall, confusion and "
            "detections are absent, and the best weights are the last."
        )
    elif summary["map"] is None and summary["metric"] is None:
        notes.append("There is no evaluation yet: mAP, precision and recall, confusion and detections follow.")
    elif summary["map"] is None:
        notes.append("The held-out images have no object that counts, so there is no mAP.")
    if data["dropped"]:
        notes.append("Dropped from the data: " + ", ".join(f"{n} {what}" for what, n in data["dropped"].items()) + ".")
    return notes


def _galleries(folder: Path) -> list[Gallery]:
    held_out, worst = (
        [folder / name.format(number=number) for number in range(1, SHOWN_IMAGES + 1)]
        for name in (run_layout.VALIDATION_IMAGE, run_layout.WORST_IMAGE)
    )
    galleries = (
        Gallery(
            title="Annotations beside detections",
            explanation=f"Held-out images; the detections have a score of at least {SHOWN_SCORE:g}.",
            images=_images(held_out),
            wide=True,
        ),
        worst_gallery(_images(worst)),
        Gallery(
            title="Training images",
            explanation="The first batch after augmentation, with its boxes.",
            images=_images([folder / run_layout.TRAINING_BATCH_IMAGE]),
            wide=True,
        ),
    )
    return [gallery for gallery in galleries if gallery.images]


def _images(paths: Sequence[Path]) -> list[tuple[str, Image.Image]]:
    return [("", Image.fromarray(read_image(path))) for path in paths if path.is_file()]


def _facts(folder: Path, data: dict[str, Any], summary: dict[str, Any]) -> list[tuple[str, str]]:
    environment = _read_json(folder / run_layout.ENVIRONMENT)
    facts = [
        ("training data", _counts(data)),
        ("images seen", f"{summary['images_seen']:,}"),
        ("training", duration(summary["seconds"])),
        ("device", f"{summary['device']}, {summary['precision']}"),
        ("seed", str(summary["seed"])),
        *((name, str(environment[name])) for name in ("ssd300", "torch", "python", "platform")),
    ]
    if summary.get("averaged"):
        facts.insert(1, ("best weights", "the averaged ones"))
    if data["validation"]:
        facts.insert(1, ("held-out data", _counts(data["validation"])))
    if summary["git"]:
        facts.append(("commit", summary["git"]))
    if (folder / run_layout.COMMAND).is_file():
        facts.append(("command", (folder / run_layout.COMMAND).read_text(encoding="utf-8").strip()))
    return facts


def _counts(data: dict[str, Any]) -> str:
    return f"{data['images']:,} images, {sum(data['objects'].values()):,} objects ({data['split']})"


def _as_text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "–" if value is None else str(value)


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
