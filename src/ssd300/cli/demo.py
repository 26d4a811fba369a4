"""`ssd300 demo`: the whole job with nothing but the installed package."""

import json
import sys
from dataclasses import replace
from pathlib import Path

from ssd300 import run_layout
from ssd300.cli.options import Json, Switch, log_to_stderr, print_json, say

IMAGES = (240, 60)  # drawn for training and for testing
STEPS, BATCH_SIZE, WARMUP_STEPS, LEARNING_RATE = 120, 8, 10, 2e-2
SHOWN = 9


def demo(*, out: Path = Path("demo"), seed: int = 0, overwrite: Switch = False, json_: Json = False) -> None:
    """Make a small synthetic dataset, list, train, evaluate and detect on it, and write a report.

    Parameters
    ----------
    out
        Where everything goes.
    seed
        Of the images and of the training.
    overwrite
        Write into a folder that is not empty.
    json_
        Print the summary as one JSON object and nothing else.
    """
    from ssd300.system.files import check_output_free, whole_folder

    check_output_free(out, overwrite=overwrite)
    from ssd300.data import load_dataset
    from ssd300.data.prepare import write_lists
    from ssd300.data.synthetic import write_synthetic_dataset
    from ssd300.detection.detector import Detector
    from ssd300.evaluation.scoring import SHOWN_SCORE
    from ssd300.reporting.html import Gallery, write_report
    from ssd300.reporting.run import run_page
    from ssd300.training.loop import train
    from ssd300.training.presets import light
    from ssd300.types import Selection

    data, run = out / "data", out / "run"
    train_count, test_count = IMAGES
    say([f"drawing {train_count} images to train on and {test_count} to test on: {data}"])
    write_synthetic_dataset(data, train=train_count, test=test_count, seed=seed)
    dataset, held_out = load_dataset(data), load_dataset(data, purpose="test")
    with whole_folder(out / "lists", overwrite=overwrite) as lists:
        write_lists(lists, [dataset], [held_out], home=out / "lists")
    log_to_stderr()
    config = replace(
        light(run),
        steps=STEPS,
        batch_size=BATCH_SIZE,
        warmup_steps=WARMUP_STEPS,
        lr=LEARNING_RATE,
        workers=1,
        seed=seed,
    )
    summary = train(dataset, config, validation=held_out, overwrite=True)
    detector = Detector.load(run)
    shown = [annotation.image_path for annotation in held_out.annotations[:SHOWN]]
    found = list(detector.stream(shown, Selection(min_score=SHOWN_SCORE), batch_size=SHOWN))
    drawn = [result.draw() for result in found]
    with whole_folder(out / "detections", overwrite=overwrite) as folder:
        for path, image in zip(shown, drawn, strict=True):
            image.save(folder / path.name, quality=95)
        rows = [json.dumps(result.to_dict(), ensure_ascii=False) + "\n" for result in found]
        (folder / run_layout.DETECTIONS_JSONL).write_text("".join(rows), encoding="utf-8")
    report = run_page(run)
    gallery = Gallery(
        title="What it finds",
        explanation=f"Held-out images and their detections with a score of at least {SHOWN_SCORE:g}.",
        images=[
            (f"{path.name}: {len(result)} found", image)
            for path, result, image in zip(shown, found, drawn, strict=True)
        ],
    )
    write_report(
        out / run_layout.REPORT,
        replace(
            report,
            title="SSD300 on drawn scenes",
            subtitle=f"Drawn, listed, trained, evaluated and detected on by `ssd300 demo`: {report.subtitle}.",
            galleries=[gallery, *report.galleries],
        ),
    )
    if json_:
        print_json(
            {name: summary[name] for name in ("map", "metric", "per_class", "images")}
            | {"report": str(out / run_layout.REPORT)}
        )
        return
    sys.stdout.write(f"mAP {summary['map']:.4f} ({summary['metric']}) on {summary['images']} held-out images\n")
    sys.stdout.write(f"look at {out / run_layout.REPORT}\n")
