"""The demo: the whole job on synthetic scenes, from making the dataset to a report with detections."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ssd300 import run_layout
from ssd300.data.dataset import Dataset
from ssd300.data.load import load_dataset
from ssd300.data.prepare import write_lists
from ssd300.data.synthetic import write_synthetic_dataset
from ssd300.detection.detector import Detector
from ssd300.detection.results import Result
from ssd300.evaluation.scoring import SHOWN_SCORE
from ssd300.reporting.html import Gallery, write_report
from ssd300.reporting.run import run_page
from ssd300.system.files import check_output_free, whole_folder
from ssd300.training.loop import train
from ssd300.training.presets import light
from ssd300.types import Selection

TRAINING_IMAGES, TEST_IMAGES, SHOWN = 240, 60, 9
STEPS, BATCH_SIZE, WARMUP_STEPS, LEARNING_RATE = 120, 8, 10, 2e-2

log = logging.getLogger(__name__)


def run_demo(out: Path, *, seed: int = 0, overwrite: bool = False) -> dict[str, Any]:
    """Make, list, train on, evaluate and detect on a synthetic dataset, and write `out`/report.html.

    Returns the summary of the run in `out`/run. Data, lists and detections are beside it. `seed` is that of the images
    and of the training. Raises UsageError if `out` is not empty and `overwrite` is false, and what `train` raises.
    """
    check_output_free(out, overwrite=overwrite)
    dataset, held_out = _make_data(out, seed, overwrite=overwrite)
    config = replace(
        light(out / "run"),
        steps=STEPS,
        batch_size=BATCH_SIZE,
        warmup_steps=WARMUP_STEPS,
        lr=LEARNING_RATE,
        workers=1,
        seed=seed,
    )
    summary = train(dataset, config, validation=held_out, overwrite=True)
    shown = [annotation.image_path for annotation in held_out.annotations[:SHOWN]]
    found = list(Detector.load(config.out).stream(shown, Selection(min_score=SHOWN_SCORE), batch_size=SHOWN))
    gallery = _store_detections(out / "detections", shown, found, overwrite=overwrite)
    page = run_page(config.out)
    write_report(
        out / run_layout.REPORT,
        replace(
            page,
            title="SSD300 on synthetic scenes",
            subtitle=f"Made, listed, trained on, evaluated and detected on by `ssd300 demo`: {page.subtitle}.",
            galleries=[gallery, *page.galleries],
        ),
    )
    return summary


def _make_data(out: Path, seed: int, *, overwrite: bool) -> tuple[Dataset, Dataset]:
    """The training and the test split, written with their lists."""
    data = out / "data"
    log.info("making %d images to train on and %d to test on: %s", TRAINING_IMAGES, TEST_IMAGES, data)
    write_synthetic_dataset(data, train=TRAINING_IMAGES, test=TEST_IMAGES, seed=seed)
    dataset, held_out = load_dataset(data), load_dataset(data, purpose="test")
    with whole_folder(out / "lists", overwrite=overwrite) as lists:
        write_lists(lists, [dataset], [held_out], home=out / "lists")
    return dataset, held_out


def _store_detections(folder: Path, paths: Sequence[Path], found: Sequence[Result], *, overwrite: bool) -> Gallery:
    """Annotated images and detections.jsonl in `folder`, and the same images for the report."""
    images = [result.draw() for result in found]
    with whole_folder(folder, overwrite=overwrite) as building:
        for path, image in zip(paths, images, strict=True):
            image.save(building / path.name, quality=95)
        rows = [json.dumps(result.to_dict(), ensure_ascii=False) + "\n" for result in found]
        (building / run_layout.DETECTIONS_JSONL).write_text("".join(rows), encoding="utf-8")
    return Gallery(
        title="What it finds",
        explanation=f"Held-out images and their detections with a score of at least {SHOWN_SCORE:g}.",
        images=[
            (f"{path.name}: {len(result)} found", image)
            for path, result, image in zip(paths, found, images, strict=True)
        ],
    )
