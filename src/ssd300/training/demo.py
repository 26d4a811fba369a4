"""The demo: the whole job on synthetic scenes, from making the dataset to a report with detections.

It trains for as long as one waits for it: `TRAINING_S`, in as many steps as fit, timed on this machine. In so few steps
boxes become tight only without augmentation: the scenes of both splits are alike, and there is nothing to prepare for.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from ssd300.images.encode import write_image
from ssd300.reporting.html import Gallery, write_report
from ssd300.reporting.run import run_page
from ssd300.system.device import choose_device
from ssd300.system.duration import duration
from ssd300.system.files import whole_folder
from ssd300.system.progress import Progress, silent
from ssd300.system.wording import plural
from ssd300.training.callbacks import Callback
from ssd300.training.config import TrainConfig
from ssd300.training.demo_folder import DATA, DETECTIONS, LISTS, RUN, begin, open_demo
from ssd300.training.distributed import ALONE
from ssd300.training.initial_state import initial_state
from ssd300.training.loop import train
from ssd300.training.presets import light
from ssd300.training.timing import time_steps

TRAINING_IMAGES, TEST_IMAGES, SHOWN = 240, 60, 9
BATCH_SIZE, WARMUP_STEPS, LEARNING_RATE = 8, 10, 2e-2
TRAINING_S, TIMED_S = 85.0, 2.0
SLOW = 1.5  # times TRAINING_S: a training that is longer needs an explanation
FEWEST, MOST = 90, 160  # steps: after fewer, boxes are loose and some are doubled; more add little

log = logging.getLogger(__name__)


def run_demo(
    out: Path,
    *,
    seed: int = 0,
    steps: int | None = None,
    overwrite: bool = False,
    callbacks: Sequence[Callback] = (),
    progress: Progress = silent,
) -> dict[str, Any]:
    """Make, list, train on, evaluate and detect on a synthetic dataset, and write `out`/report.html.

    Returns the summary of the run in `out`/run. Data, lists and detections are beside it. `seed` is that of the images
    and of the training. Without `steps`, as many are chosen as fit into the time. An unfinished demo in `out` is
    continued where it stopped. Raises what `open_demo` and `train` raise.
    """
    plan = open_demo(out, seed=seed, steps=steps, overwrite=overwrite)
    begin(out, plan, overwrite=overwrite)
    if not plan.prepared:
        _make_data(out, seed, overwrite=overwrite, progress=progress)
        plan = replace(plan, prepared=True)
        plan.save(out)
    dataset, held_out = load_dataset(out / DATA), load_dataset(out / DATA, purpose="test")
    config = _configure(out / RUN, seed)
    steps = plan.steps or steps or _choose_steps(dataset, config)
    replace(plan, steps=steps).save(out)
    config = replace(config, steps=steps, warmup_steps=min(WARMUP_STEPS, steps))
    begun = (config.out / run_layout.STATE).is_file() or (config.out / run_layout.PREVIOUS_STATE).is_file()
    summary = train(dataset, config, validation=held_out, resume=begun, overwrite=True, callbacks=callbacks)
    gallery = _detect(out, held_out)
    _write_report(out, config, gallery)
    return summary


def _make_data(out: Path, seed: int, *, overwrite: bool, progress: Progress) -> None:
    """The training and the test split, written with their lists."""
    log.info("drawing %d images to train on and %d to test on: %s", TRAINING_IMAGES, TEST_IMAGES, out / DATA)
    for name in (DATA, LISTS):
        overwrite = overwrite or (out / name).exists()  # of a command that was interrupted
    with whole_folder(out / DATA, overwrite=overwrite) as data:
        write_synthetic_dataset(data, train=TRAINING_IMAGES, test=TEST_IMAGES, seed=seed, progress=progress)
    dataset, held_out = load_dataset(out / DATA), load_dataset(out / DATA, purpose="test")
    with whole_folder(out / LISTS, overwrite=overwrite) as lists:
        write_lists(lists, [dataset], [held_out], home=out / LISTS)


def _configure(run: Path, seed: int) -> TrainConfig:
    """All but the steps. The few images are decoded and resized in the process itself: that takes a moment."""
    return replace(light(run), batch_size=BATCH_SIZE, lr=LEARNING_RATE, augment=False, workers=0, seed=seed)


def _choose_steps(dataset: Dataset, config: TrainConfig) -> int:
    """As many as fit into TRAINING_S, by the time of some real steps."""
    log.info("timing some steps")
    device = choose_device(config.device)
    with _unlogged():
        state, _card = initial_state(dataset, config, ALONE, device)
        timed = time_steps(state, dataset, device, seconds=TIMED_S)
    step_s = timed.work_s + timed.waiting_s
    steps = steps_within(TRAINING_S, step_s)
    for line in forecast_in_words(steps, step_s):
        log.info("%s", line)
    return steps


def forecast_in_words(steps: int, step_s: float) -> list[str]:
    """How long the training takes and, if that is much longer than planned, why and what makes it shorter."""
    seconds = steps * step_s
    each = f"a step of {BATCH_SIZE} images takes {step_s:.2f} s here"
    lines = [f"{each}: {plural(steps, 'step')}, about {duration(seconds)}"]
    if seconds > SLOW * TRAINING_S:
        fewer = FEWEST // 2
        lines += [
            f"this machine is slow, or busy with other work now; {FEWEST} steps are the fewest that give good boxes",
            f"looser boxes in about {duration(fewer * step_s)}: Ctrl-C, then the same with --steps {fewer} --overwrite",
        ]
    return lines


def steps_within(seconds: float, step_s: float) -> int:
    """As many steps of `step_s` seconds as fit, but no fewer than FEWEST, and no more than MOST."""
    return min(max(int(seconds / step_s), FEWEST), MOST)


@contextmanager
def _unlogged() -> Iterator[None]:
    """What is logged at the real start is not logged before it too."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


def _detect(out: Path, held_out: Dataset) -> Gallery:
    """Annotated images and detections.jsonl in their folder, and the same images for the report."""
    paths = [annotation.image_path for annotation in held_out.annotations[:SHOWN]]
    detector = Detector.load(out / RUN)
    found = list(detector.stream(paths, detector.selection(), batch_size=SHOWN))
    images = [result.draw() for result in found]
    with whole_folder(out / DETECTIONS, overwrite=True) as building:
        for path, image in zip(paths, images, strict=True):
            write_image(building / path.name, image, "JPEG", quality=95)
        rows = [json.dumps(result.to_dict(), ensure_ascii=False) + "\n" for result in found]
        (building / run_layout.DETECTIONS_JSONL).write_text("".join(rows), encoding="utf-8")
    return Gallery(
        title="What it finds",
        explanation=f"The first {plural(len(paths), 'held-out image')}, with the detections above the confidence "
        "thresholds that are stored in the weights: those of the best F1, one per class.",
        images=[(_caption(path, result), image) for path, result, image in zip(paths, found, images, strict=True)],
    )


def _caption(path: Path, result: Result) -> str:
    return f"{path.name}: {plural(len(result), 'detection')}"


def _write_report(out: Path, config: TrainConfig, gallery: Gallery) -> None:
    page = run_page(config.out)
    few = f"; boxes are tight and single after {FEWEST} or more" if config.steps < FEWEST else ""
    note = (
        f"A demo: {plural(config.steps, 'step')} of {config.batch_size} images each, without augmentation{few}. "
        "The scenes are drawn, and far easier than photos: do not compare this mAP with those of real datasets."
    )
    page = replace(
        page,
        title="SSD300 on synthetic scenes",
        subtitle=f"Made, listed, trained on, evaluated and detected on by ssd300 demo: {page.subtitle}.",
        notes=[note, *page.notes],
        galleries=[gallery, *page.galleries],
    )
    write_report(out / run_layout.REPORT, page)
