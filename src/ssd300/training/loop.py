"""The training loop: batch, step, log, evaluate, save, stop."""

import logging
import textwrap
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from ssd300.data.cache import PictureCache
from ssd300.data.dataset import Dataset
from ssd300.data.loader import training_batches
from ssd300.detect import Detector
from ssd300.errors import DataError
from ssd300.evaluation import Report, evaluate_detector
from ssd300.files import check_output_free, remove_stale_temporaries
from ssd300.model import BUILDERS, SSD
from ssd300.model.default_boxes import SETTINGS
from ssd300.model.ssd import NONE
from ssd300.training.config import TrainConfig
from ssd300.training.device import choose_device, choose_precision, dtype_name
from ssd300.training.interrupt import held_back
from ssd300.training.optimizer import make_optimizer
from ssd300.training.run_folder import RunFolder
from ssd300.training.state import Progress, describe, load_state, save_state
from ssd300.training.step import TrainStep
from ssd300.weights import Card, save_weights
from ssd300.weights.start import Start, initialize

BEST, LAST = "weights/best.safetensors", "weights/last.safetensors"
log = logging.getLogger(__name__)


def train(
    dataset: Dataset,
    config: TrainConfig,
    *,
    validation: Dataset | None = None,
    resume: bool = False,
    overwrite: bool = False,
    stop_after: int | None = None,
) -> dict[str, Any]:
    """Train as `config` says and answer the run's summary; everything is written below `config.out`.

    With `validation`, the weights of the best mAP are kept as the run's best; without it, or before the first
    evaluation, the last are. Ctrl-C and SIGTERM end it after the step under way, with its state saved.

    Raises:
        UsageError: the folder is in use, or `resume` finds other options.
        DataError: a picture cannot be read, or the data is empty.
        RunError: the loss or a gradient is not finite.
    """
    if not len(dataset):
        raise DataError("there are no pictures to train on", where=dataset.root)
    if not resume:
        check_output_free(config.out, overwrite=overwrite)
    device = choose_device(config.device)
    log.info("%s", _block(config))
    model, start = _start(config, len(dataset.classes))
    model.to(device).train()
    optimizer = make_optimizer(
        model, momentum=config.momentum, weight_decay=config.weight_decay, decay_biases=config.decay_biases
    )
    card = _card(config, dataset, model, start)
    fingerprint = dataset.fingerprint()
    run = RunFolder(config, dataset, validation, device=device)
    if resume:
        progress = load_state(config, fingerprint, model, optimizer)
        remove_stale_temporaries(config.out)
        run.resume(progress)
        log.info("resumed after step %d", progress.step)
    else:
        progress = Progress(precision=choose_precision(config.amp, device))
        run.start()
    log.info("device %s, precision %s, seed %d", device, dtype_name(progress.precision), config.seed)
    update = TrainStep(model, optimizer, config, device, progress.precision)
    cache: PictureCache | None = None
    if config.cache != "none":
        cache = PictureCache(dataset.annotations, folder=config.out if config.cache == "disk" else None)
        log.info("cache of %d decoded pictures: %s", len(dataset), cache.summary)
    batches = training_batches(
        dataset.annotations,
        size=model.settings.image_size_px,
        batch_size=config.batch_size,
        seed=config.seed,
        workers=config.workers,
        images_seen=progress.step * config.batch_size,
        augment=config.augment,
        on_bad_image=config.on_bad_image,
        cache=cache,
    )
    end = min(config.steps, stop_after or config.steps)
    began = time.monotonic() - progress.seconds
    summary = run.refresh(progress)
    with held_back() as interrupted:
        while progress.step < end:
            batch = next(batches)
            losses = update(batch, progress.step)
            progress = progress._replace(step=progress.step + 1, seconds=time.monotonic() - began)
            progress = _note_skipped(progress, batch.skipped)
            if progress.step == 1:
                run.show_batch(batch, model.mean.cpu())
            if progress.step == end or progress.step % config.log_every == 0:
                run.log_step(progress, losses)
            report: Report | None = None
            if validation is not None and _evaluation_is_due(config, progress.step):
                report = evaluate_detector(
                    Detector(model, card, device=device), validation, on_bad_image=config.on_bad_image
                )  # float32, as `ssd300 eval`
                progress = _note_skipped(progress, report.skipped)
                model.train()
                if progress.best is None or (report.map or 0) > (progress.best["map"] or 0):
                    progress = progress._replace(best=report.to_dict())
                    save_weights(config.out / BEST, model, _with_metric(card, report))
                run.log_evaluation(progress, report)
            stopping = interrupted()
            saving = stopping or progress.step == end or progress.step % config.save_every == 0
            if saving:
                save_weights(config.out / LAST, model, _with_metric(card, report))
                if progress.best is None:
                    save_weights(config.out / BEST, model, card)
                save_state(config, fingerprint, model, optimizer, progress)
            if saving or report is not None:
                summary = run.refresh(progress)
            if stopping:
                log.info("stopped after step %d; --resume goes on from there", progress.step)
                break
    return summary


def _start(config: TrainConfig, num_classes: int) -> tuple[SSD, Start]:
    """The detector as the first step finds it: drawn from the seed, then filled from where it starts."""
    torch.manual_seed(config.seed)
    model = BUILDERS[config.model](num_classes, settings=SETTINGS[config.default_boxes])
    start = initialize(model, config.init)
    if config.normalization == "none":
        model.set_normalization(NONE)
    log.info("start: %s fills %d layers, %d are drawn", start.source, len(start.filled), len(start.drawn))
    return model, start


def _card(config: TrainConfig, dataset: Dataset, model: SSD, start: Start) -> Card:
    return Card(
        model=config.model,
        classes=dataset.classes,
        settings=model.settings,
        normalization=model.normalization,
        source={
            "start": start.source,
            "data": f"{dataset.root.resolve().name}, {dataset.split}",
            "images": len(dataset),
            "fingerprint": dataset.fingerprint(),
        },
    )


def _note_skipped(progress: Progress, skipped: Sequence[str]) -> Progress:
    """Say each picture that could not be read once, and count it."""
    fresh = [picture for picture in dict.fromkeys(skipped) if picture not in progress.skipped]
    for picture in fresh:
        log.warning("skipped, as --on-bad-image says: %s", picture)
    return progress._replace(skipped=(*progress.skipped, *fresh))


def _evaluation_is_due(config: TrainConfig, step: int) -> bool:
    return step == config.steps or (config.eval_every > 0 and step % config.eval_every == 0)


def _with_metric(card: Card, report: Report | None) -> Card:
    if report is None:
        return card
    return replace(card, metric={"name": report.metric, "value": report.map, "images": report.images})


def _block(config: TrainConfig) -> str:
    options = ", ".join(f"{name}={value}" for name, value in describe(config).items())
    return textwrap.fill(f"configuration: {options}", 110, subsequent_indent="  ", break_long_words=False)
