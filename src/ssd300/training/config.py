"""All that decides a training run. Nothing heavy is imported here, so the command line can show it at once.

The defaults are the paper's and Caffe's (ssd_pascal.py:336-390).
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

DefaultBoxesName = Literal["paper", "paper-clipped", "coco", "coco-clipped", "torchvision", "pytorch-ssd300"]


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A training run.

    Parameters
    ----------
    out
        The run folder.
    model
        The detector. EfficientNet-Lite0 is small enough for a CPU, and needs the extra 'light'.
    init
        What it starts from: a file, vgg16 or coco (downloaded), 'imagenet' (EfficientNet-Lite0 only), or 'none'.
    steps
        Updates of the weights; images seen are steps times batch size.
    batch_size
        Images an update.
    accumulate
        Parts of a batch that the network sees one by one, for less memory. But for batch normalisation nothing changes.
    lr
        Learning rate of weights; biases have twice as much.
    schedule
        'multistep' multiplies the rate by the drop factor at each drop; 'cosine' lets it fall to 0.
    lr_drop
        Steps at which the rate drops.
    lr_drop_factor
        What the rate is multiplied by at each drop.
    warmup_steps
        Steps over which the rate rises from 0.
    momentum
        Momentum of SGD.
    weight_decay
        On weights; normalisation layers have none, and biases only with `decay_biases`.
    decay_biases
        Let weight decay act on biases too, as pytorch-SSD300's code does.
    grad_clip
        Longest gradient norm; left out, nothing is clipped.
    default_boxes
        Those of the paper, of pytorch-SSD300, or of a code whose weights the run starts from.
    rules
        Matching and loss: 'paper' or 'pytorch-ssd300'.
    normalization
        'start' is that of the weights that the backbone starts from; 'none' leaves images at 0..1, as pytorch-SSD300
        does.
    augment
        The paper's data augmentation.
    on_bad_image
        What an image that cannot be read gets: 'error' ends the run, 'skip' takes the next one and counts it.
    cache
        Keep decoded images: 'ram' in memory, 'disk' in a file of the run folder that ends with the run.
    workers
        Processes that decode images; 0 decodes in the training process.
    ema
        Keep a running average of the weights, evaluated and saved beside them; the better of the two is the best.
    ema_decay
        What the average keeps of itself at an update.
    patience
        Evaluations without a better mAP after which the run ends; 0 is never.
    amp
        Precision of the network: 'auto' takes bf16 where that is faster, else fp16 on a GPU; 'off' is float32.
    device
        'auto', 'cpu', 'cuda' or 'mps'.
    seed
        Of everything that chance decides.
    eval_every
        Steps between evaluations on the held-out split; 0 evaluates at the end alone.
    save_every
        Steps between saved states; one is saved at the end in any case.
    log_every
        Steps between lines of the log.
    tensorboard
        Write events for TensorBoard too (the extra 'tensorboard').
    """

    out: Path
    model: Literal["ssd300_vgg16", "ssd300_efficientnet_lite0"] = "ssd300_vgg16"
    init: str = "none"
    steps: int = 120_000
    batch_size: int = 32
    accumulate: int = 1
    lr: float = 1e-3
    schedule: Literal["multistep", "cosine"] = "multistep"
    lr_drop: tuple[int, ...] = (80_000, 100_000)
    lr_drop_factor: float = 0.1
    warmup_steps: int = 0
    momentum: float = 0.9
    weight_decay: float = 5e-4
    decay_biases: bool = False
    grad_clip: float | None = None
    default_boxes: DefaultBoxesName = "paper"
    rules: Literal["paper", "pytorch-ssd300"] = "paper"
    normalization: Literal["start", "none"] = "start"
    augment: bool = True
    on_bad_image: Literal["error", "skip"] = "error"
    cache: Literal["none", "ram", "disk"] = "none"
    workers: int = 2
    ema: bool = False
    ema_decay: float = 0.9998
    patience: int = 0
    amp: Literal["auto", "off", "bf16", "fp16"] = "auto"
    device: str = "auto"
    seed: int = 0
    eval_every: int = 0
    save_every: int = 1000
    log_every: int = 10
    tensorboard: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "out", Path(self.out))
        for name, hint in get_type_hints(type(self)).items():
            if (choices := get_args(hint)) and get_origin(hint) is Literal and getattr(self, name) not in choices:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it must be one of {', '.join(choices)}")
        for name, least in (("steps", 1), ("batch_size", 1), ("workers", 0), ("save_every", 1), ("log_every", 1)):
            if (value := getattr(self, name)) < least:
                raise ValueError(f"{name} is {value}; it must be {least} or more")
        for name in ("eval_every", "patience", "warmup_steps", "momentum", "weight_decay", "seed"):
            if not (value := getattr(self, name)) >= 0:
                raise ValueError(f"{name} is {value}; it must be 0 or more")
        for name in ("lr", "lr_drop_factor"):
            if not (0 < (value := getattr(self, name)) < math.inf):
                raise ValueError(f"{name} is {value}; it must be above 0")
        if not 1 <= self.accumulate <= self.batch_size:
            raise ValueError(f"accumulate is {self.accumulate}; it must be 1 to the batch size, {self.batch_size}")
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay is {self.ema_decay}; it must be 0 or more, and under 1")
        if self.grad_clip is not None and not self.grad_clip > 0:
            raise ValueError(f"grad_clip is {self.grad_clip}; it must be above 0, or left out")
        if list(self.lr_drop) != sorted(set(self.lr_drop)) or any(drop < 1 for drop in self.lr_drop):
            raise ValueError(f"lr_drop is {self.lr_drop}; drops are steps from 1 on, each later than the one before")

    def describe_schedule(self, images: int) -> str:
        """The schedule in images seen, of a data set of so many; steps beside them."""
        seen = self.steps * self.batch_size
        steps = f"{self.steps:,} steps of {self.batch_size}"
        text = f"{seen:,} images ({seen / images:.3g} epochs) in {steps}; rate {self.lr:g}"
        if self.warmup_steps:
            text += f", reached after {self.warmup_steps * self.batch_size:,} images"
        if self.schedule == "cosine":
            return text + ", falling to 0 as a cosine"
        drops = [drop * self.batch_size for drop in self.lr_drop if drop < self.steps]
        return text + (
            f", times {self.lr_drop_factor:g} after {' and '.join(f'{drop:,}' for drop in drops)} images"
            if drops else ", the same to the end"
        )  # fmt: skip

    def learning_rate(self, step: int) -> float:
        """Of the update after `step` updates."""
        rate = self.lr * min(1.0, (step + 1) / self.warmup_steps) if self.warmup_steps else self.lr
        if self.schedule == "cosine":
            return rate * (1 + math.cos(math.pi * step / self.steps)) / 2
        return rate * self.lr_drop_factor ** sum(step >= drop for drop in self.lr_drop)
