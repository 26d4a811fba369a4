"""`ssd300 demo`: the whole job with nothing but the installed package."""

import sys
from dataclasses import replace
from pathlib import Path

from ssd300.cli.options import Json, Switch, log_to_stderr, print_json, say

PICTURES = (240, 60)  # drawn for training and for testing
STEPS, BATCH_SIZE, WARMUP_STEPS, LEARNING_RATE = 100, 8, 10, 2e-2
SHOWN = 9
SHOWN_SCORE = 0.5


def demo(*, out: Path = Path("demo"), seed: int = 0, overwrite: Switch = False, json_: Json = False) -> None:
    """Draw a small data set, list, train, evaluate and detect on it, and write a report.

    Parameters
    ----------
    out
        Where everything goes.
    seed
        Of the pictures and of the training.
    overwrite
        Write into a folder that is not empty.
    json_
        Print the summary as one JSON object and nothing else.
    """
    from ssd300.files import check_output_free, whole_folder

    check_output_free(out, overwrite=overwrite)
    from ssd300.data import load_dataset
    from ssd300.data.drawn import write_drawn_dataset
    from ssd300.data.lists import write_lists
    from ssd300.detect import Detector
    from ssd300.model.postprocess import Selection
    from ssd300.presets import light
    from ssd300.reporting.html import ClassRow, Gallery, RunReport, write_report
    from ssd300.training.loop import train

    data, run = out / "data", out / "run"
    train_count, test_count = PICTURES
    say([f"drawing {train_count} pictures to train on and {test_count} to test on: {data}"])
    write_drawn_dataset(data, train=train_count, test=test_count, seed=seed)
    dataset, held_out = load_dataset(data), load_dataset(data, purpose="test")
    with whole_folder(out / "lists", overwrite=overwrite) as lists:
        write_lists(lists, [dataset], [held_out], home=out / "lists")
    log_to_stderr(run / "train.log")
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
    selection = Selection(min_score=SHOWN_SCORE)
    shown = [annotation.image_path for annotation in held_out.annotations[:SHOWN]]
    pictures = []
    for path, result in zip(shown, detector.stream(shown, selection, batch_size=SHOWN), strict=True):
        drawn = result.draw()
        (out / "detections").mkdir(exist_ok=True)
        drawn.save(out / "detections" / path.name, quality=95)
        pictures.append((f"{path.name}: {len(result)} found", drawn))
    rows = [ClassRow(name=name, **result) for name, result in summary["per_class"].items()]
    write_report(
        out / "report.html",
        RunReport(
            title="SSD300 on drawn scenes",
            subtitle="Drawn, listed, trained, evaluated and detected on by `ssd300 demo`.",
            headline=f"{summary['map']:.3f}",
            headline_meaning=f"mAP ({summary['metric']}) on {len(held_out)} pictures that training never saw",
            per_class=rows,
            galleries=[
                Gallery(
                    title="Held-out pictures",
                    explanation=f"Detections with a score of at least {SHOWN_SCORE}.",
                    pictures=pictures,
                )
            ],
            facts=[
                ("model", config.model),
                ("images seen", str(summary["images_seen"])),
                ("training, seconds", str(summary["seconds"])),
                ("seed", str(seed)),
                ("torch", summary["versions"]["torch"]),
            ],
        ),
    )
    if json_:
        print_json(
            {name: summary[name] for name in ("map", "metric", "per_class", "images")}
            | {"report": str(out / "report.html")}
        )
        return
    sys.stdout.write(f"mAP {summary['map']:.4f} ({summary['metric']}) on {summary['images']} held-out pictures\n")
    sys.stdout.write(f"look at {out / 'report.html'}\n")
