"""A run before its first step: the detector, randomly initialized, then filled from `init`; and its card."""

import logging
from typing import Any

import torch

from ssd300.data.dataset import Dataset
from ssd300.errors import UsageError
from ssd300.model import SSD, Architecture
from ssd300.model.heads import expect_few_objects
from ssd300.model.ssd import NONE
from ssd300.system.memory import keep_freed_memory
from ssd300.system.wording import plural, some
from ssd300.training.averaging import average_of
from ssd300.training.config import TrainConfig
from ssd300.training.config_block import choices_beyond_the_paper
from ssd300.training.default_boxes import settings_for
from ssd300.training.distributed import World
from ssd300.training.freezing import freeze
from ssd300.training.frozen_norms import freeze_norms
from ssd300.training.optimizer import make_optimizer
from ssd300.training.precision import choose_precision
from ssd300.training.state import Progress, TrainState
from ssd300.training.sync_norms import sync_norms
from ssd300.weights import Card
from ssd300.weights.start import Start, initialize

log = logging.getLogger(__name__)


def initial_state(dataset: Dataset, config: TrainConfig, world: World, device: torch.device) -> tuple[TrainState, Card]:
    """The state of a new run, on `device`, and the card that its weights files will have. Seeds torch's random numbers.

    Raises UsageError if a batch has too few images for its parts and processes, and what `initialize` raises.
    """
    if config.batch_size < world.size * config.accumulate:
        raise UsageError(
            f"a batch of {config.batch_size} has no image for each of {plural(world.size, 'process', 'processes')} in "
            f"{plural(config.accumulate, 'part')}",
            fix="Make --batch-size larger, or start fewer processes.",
        )
    if device.type == "cpu":
        keep_freed_memory()
    architecture = Architecture(model=config.model, backbone=config.backbone, heads=config.heads)
    boxes = settings_for(config, dataset, architecture.shape)
    torch.manual_seed(config.seed)  # after the start was read, which may build a detector
    model = architecture.build(len(dataset.classes), settings=boxes)
    if config.class_prior:
        expect_few_objects(model.heads, config.class_prior)
    start = initialize(model, config.init, dataset.classes, config.init_key)
    if config.normalization == "none":
        model.set_normalization(NONE)
    if start.filled:
        log.info("start: %s fills %d layers, %d are randomly initialized", start.source, len(start.filled),
                 len(start.random))  # fmt: skip
    else:
        log.info("start: all %d layers are randomly initialized", len(start.random))
    for note in start.notes:
        log.info("%s", note)
    if start.classes is not None:
        log.info("%s", start.classes)
    model.to(device).train()
    if (frozen := freeze(model, config.freeze, start.filled)) is not None:
        log.info("%s", frozen.describe())
        if frozen.random:
            log.warning("%d of the frozen layers are randomly initialized, as %s does not fill them: %s",
                        len(frozen.random), start.source, some(frozen.random))  # fmt: skip
    if config.freeze_norms:
        freeze_norms(model, start.filled)
    precision = world.gather(choose_precision(config.amp, device, model))[0]
    if config.sync_norms:  # after the timing of precisions, in which each process is alone
        sync_norms(model, world)
    state = TrainState(
        config=config,
        data=dataset.fingerprint(),
        model=model,
        optimizer=make_optimizer(
            model,
            kind=config.optimizer,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
            decay_biases=config.decay_biases,
            backbone=model.backbone,
            backbone_rate=config.backbone_lr,
        ),
        average=average_of(model, decay=config.ema_decay, ramp_steps=config.ema_ramp) if config.ema else None,
        progress=Progress(precision=precision),
    )
    return state, _card(config, dataset, model, start)


def _card(config: TrainConfig, dataset: Dataset, model: SSD, start: Start) -> Card:
    source: dict[str, Any] = {
        "start": start.source,
        "data": f"{dataset.root.resolve().name}, {dataset.split}",
        "images": len(dataset),
        "fingerprint": dataset.fingerprint(),
    }
    if choices := choices_beyond_the_paper(config):
        source["recipe"] = choices
    return Card(
        model=config.model,
        classes=dataset.classes,
        settings=model.settings,
        normalization=model.normalization,
        source=source,
        heads=config.heads,
        backbone=config.backbone,
    )
