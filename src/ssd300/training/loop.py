"""The training loop: batch, step, log, evaluate, save, stop."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
import yaml

from ssd300.data.dataset import Dataset
from ssd300.data.loader import training_batches
from ssd300.data.photometric import apply_photometric
from ssd300.detect import Detector
from ssd300.errors import DataError, RunError
from ssd300.evaluation import Report, evaluate_detector
from ssd300.files import check_output_free, remove_stale_temporaries, write_json, write_text
from ssd300.model import BUILDERS, SSD
from ssd300.model.default_boxes import SETTINGS
from ssd300.model.loss import MultiBoxLoss
from ssd300.model.matcher import match, match_as_seed
from ssd300.model.ssd import NONE
from ssd300.resize import to_float
from ssd300.tensors import Batch, Losses
from ssd300.training.config import TrainConfig
from ssd300.training.device import choose_device, choose_precision
from ssd300.training.environment import environment, source_commit
from ssd300.training.optimizer import make_optimizer, set_learning_rate
from ssd300.training.state import describe, load_state, save_state
from ssd300.weights import Card, save_weights
from ssd300.weights.start import initialize

BEST, LAST, SUMMARY = "weights/best.safetensors", "weights/last.safetensors", "summary.json"
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
    evaluation, the last are.

    Raises:
        UsageError: the folder is in use, or `resume` finds other options.
        DataError: a picture cannot be read, or the data is empty.
        RunError: the loss or a gradient is not finite.
    """
    began = time.monotonic()
    if not len(dataset):
        raise DataError("there are no pictures to train on", where=dataset.root)
    if not resume:
        check_output_free(config.out, overwrite=overwrite)
    device = choose_device(config.device)
    precision = choose_precision(config.amp, device)
    log.info("device %s, precision %s, seed %d", device, str(precision).removeprefix("torch."), config.seed)
    log.info("%s", yaml.safe_dump(describe(config), sort_keys=False).strip())
    torch.manual_seed(config.seed)
    model = BUILDERS[config.model](len(dataset.classes), settings=SETTINGS[config.default_boxes])
    start = initialize(model, config.init)
    if config.normalization == "none":
        model.set_normalization(NONE)
    log.info("start: %s fills %d layers, %d are drawn", start.source, len(start.filled), len(start.drawn))
    model.to(device).train()
    optimizer = make_optimizer(
        model, momentum=config.momentum, weight_decay=config.weight_decay, decay_biases=config.decay_biases
    )
    fingerprint, step = dataset.fingerprint(), 0
    best: dict[str, Any] | None = None  # the report of the best evaluation so far
    if resume:
        step, best = load_state(config, fingerprint, model, optimizer)
        remove_stale_temporaries(config.out)
        log.info("resumed after step %d", step)
    else:
        _open_run(config, dataset)
    update = TrainStep(model, optimizer, config, device, precision)
    batches = training_batches(
        dataset.annotations,
        size=model.settings.image_size_px,
        batch_size=config.batch_size,
        seed=config.seed,
        workers=config.workers,
        images_seen=step * config.batch_size,
        augment=config.augment,
    )
    card = Card(
        model=config.model,
        classes=dataset.classes,
        settings=model.settings,
        normalization=model.normalization,
        source={"start": start.source, "data": fingerprint, "images": len(dataset)},
    )
    end = min(config.steps, stop_after or config.steps)
    if resume and step >= end and (config.out / SUMMARY).is_file():
        log.info("nothing is left to do: %d steps are made", step)
        return json.loads((config.out / SUMMARY).read_text(encoding="utf-8"))  # type: ignore[no-any-return]
    report: Report | None = None
    while step < end:
        batch = next(batches)
        losses = update(batch, step)
        step += 1
        if step % config.log_every == 0 or step == end:
            _log_step(config, step, losses, time.monotonic() - began)
        if validation is not None and (step == config.steps or (config.eval_every and step % config.eval_every == 0)):
            report = evaluate_detector(Detector(model, card, device=device, precision=precision), validation)
            model.train()
            log.info("step %d: %s %.4f on %d images", step, report.metric, report.map or 0, report.images)
            if best is None or (report.map or 0) > (best["map"] or 0):
                best = report.to_dict()
                save_weights(config.out / BEST, model, _with_metric(card, report))
        if step % config.save_every == 0 or step == end:
            save_state(config, fingerprint, model, optimizer, step=step, best=best)
    save_weights(config.out / LAST, model, _with_metric(card, report))
    if best is None:
        save_weights(config.out / BEST, model, card)
    summary = {
        **(best or {"metric": None, "map": None, "per_class": None, "images": None}),
        "steps": step,
        "images_seen": step * config.batch_size,
        "seconds": round(time.monotonic() - began, 1),
        "seed": config.seed,
        "git": source_commit(),
        "versions": environment(),
    }
    write_json(config.out / SUMMARY, summary)
    return summary


class TrainStep:
    """One update of the weights from a batch. No files, no log."""

    def __init__(
        self,
        model: SSD,
        optimizer: torch.optim.Optimizer,
        config: TrainConfig,
        device: torch.device,
        precision: torch.dtype,
    ) -> None:
        self.model, self.optimizer, self.config = model, optimizer, config
        self.device, self.precision = device, precision
        self.match: Callable[..., torch.Tensor] = match if config.rules == "paper" else match_as_seed
        self.loss = MultiBoxLoss(
            model.default_boxes,
            model.settings.variances,
            localization="smooth_l1" if config.rules == "paper" else "l1_mean",
        )

    def __call__(self, batch: Batch, step: int) -> Losses:
        """Raises RunError, before the weights are touched, if the loss or a gradient is not finite."""
        images, targets = batch.images.to(self.device), batch.targets.to(self.device)
        if batch.photometric is None:
            pictures = to_float(images)
        else:
            pictures = apply_photometric(images, batch.photometric.to(self.device), self.model.mean)
        matched = self.match(targets, self.model.default_boxes)
        with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
            predictions = self.model(pictures)
        losses = self.loss(predictions, targets, matched)
        self.optimizer.zero_grad(set_to_none=True)
        losses.total.backward()  # type: ignore[no-untyped-call]  # torch's own
        longest = self.config.grad_clip if self.config.grad_clip is not None else torch.inf
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), longest)
        if not torch.isfinite(losses.total) or not torch.isfinite(norm):
            raise RunError(
                f"the loss is {losses.total.item()} and the gradient's norm {norm.item()}; the weights are as before",
                where=f"step {step + 1}, images {', '.join(batch.image_ids)}",
                fix="Look at these pictures and their boxes; lower --lr, or set --grad-clip.",
            )
        set_learning_rate(self.optimizer, self.config.learning_rate(step))
        self.optimizer.step()
        return Losses(losses.localization.detach(), losses.classification.detach())


def _open_run(config: TrainConfig, dataset: Dataset) -> None:
    write_text(config.out / "config.yaml", yaml.safe_dump(describe(config), sort_keys=False))
    write_json(config.out / "env.json", environment())
    write_json(
        config.out / "data.json",
        {
            "images": len(dataset),
            "objects": dataset.objects_per_class(),
            "classes": list(dataset.classes),
            "split": dataset.split,
            "fingerprint": dataset.fingerprint(),
            "dropped": dict(dataset.dropped),
        },
    )
    (config.out / "metrics.jsonl").unlink(missing_ok=True)


def _log_step(config: TrainConfig, step: int, losses: Losses, seconds: float) -> None:
    row = {
        "step": step,
        "images_seen": step * config.batch_size,
        "lr": config.learning_rate(step - 1),
        "localization": float(losses.localization),
        "classification": float(losses.classification),
        "seconds": round(seconds, 1),
    }
    with (config.out / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    log.info(
        "step %d/%d  lr %.2e  localization %.3f  classification %.3f  %.0f s",
        step, config.steps, row["lr"], row["localization"], row["classification"], seconds,
    )  # fmt: skip


def _with_metric(card: Card, report: Report | None) -> Card:
    if report is None:
        return card
    return replace(card, metric={"name": report.metric, "value": report.map, "images": report.images})
