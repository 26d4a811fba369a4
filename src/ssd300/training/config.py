"""The options of a training run. Nothing heavy is imported here, so the command line can show them at once.

The defaults are the paper's and Caffe's (ssd_pascal.py:336-390).
"""

import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

IMAGE_SIZES_PX = (64, 2049)  # under 64 the last maps are all of one cell
NamedBoxes = Literal["paper", "paper-clipped", "coco", "coco-clipped", "torchvision", "pytorch-ssd300"]

Models = Literal[
    "ssd300_vgg16", "ssd512_vgg16", "ssd300_efficientnet_lite0", "ssd300_efficientnet_lite1",
    "ssd300_efficientnet_lite2", "ssd_lite0_fpn", "ssd300_timm",
]  # fmt: skip
ON_TIMM = "ssd300_timm"  # the model of `backbone`
TIMM = re.compile(r"timm:\S+")  # a value of `backbone`

NOTHING, BACKBONE, STAGES = "none", "backbone", re.compile(r"stages:([1-9]\d*)")  # values of `freeze`


def frozen_stages(freeze: str) -> int:
    """How many stages 'stages:N' names; 0 for another value of `freeze`."""
    found = STAGES.fullmatch(freeze)
    return int(found[1]) if found else 0


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A training run. Raises ValueError with field, value and legal range if a value is out of range.

    Parameters
    ----------
    out
        The run folder.
    model
        The detector. EfficientNet-Lite0 is small enough for a CPU, and needs the extra 'light'; 'ssd_lite0_fpn' is
        the same with a feature pyramid. 'ssd300_timm' is for `backbone`, and is left out.
    backbone
        In place of `model`: SSD300 on a network of timm, such as 'timm:mobilenetv3_large_100'. Needs the extra 'light'.
    image_size
        Width and height to which images are resized for the network, such as 384 or 512. Default boxes are scaled with
        it. Left out, it is the model's own: 512 for 'ssd512_vgg16', 300 for the others.
    init
        Weights to start from: a run folder, a file, 'vgg16' or 'coco' (downloaded), 'imagenet' (EfficientNet-Lite and
        `backbone`), or 'none'. A detector's classes are continued by name.
    init_key
        Which of several weights in the file of `init` to start from, such as 'model' or 'ema'.
    freeze
        What is not trained: 'backbone', 'stages:N' for its first N stages, or 'none'. Batch normalization in it keeps
        its statistics.
    steps
        Updates of the weights. Images seen are steps times batch size.
    batch_size
        Images per step.
    accumulate
        Parts of a batch that the network processes in turn, for less memory. Only batch normalization and
        `weighting` 'pisa' notice.
    lr
        Learning rate of weights; with SGD that of biases is twice as high.
    schedule
        'multistep' lowers the rate at each `lr_drop`; 'cosine' lowers it at every step, towards 0.
    lr_drop
        Steps after which 'multistep' lowers the rate.
    lr_drop_factor
        'multistep' multiplies the rate by this at each drop.
    warmup_steps
        Steps over which the rate rises linearly to its value.
    optimizer
        'sgd' is Caffe's. 'adamw' learns faster in a run of few steps; it needs a lower `lr`, such as 0.001, and a
        higher `weight_decay`, such as 0.05.
    momentum
        Momentum of SGD.
    weight_decay
        On weights and L2Norm's scale. Batch normalization's scale has none; biases have it only with `decay_biases`.
    decay_biases
        Apply weight decay to biases too, as pytorch-SSD300 does.
    grad_clip
        A gradient with a larger norm is scaled down to this norm.
    default_boxes
        Those of the paper, of pytorch-SSD300, or of the code whose weights the run starts from. 'fitted' exchanges
        boxes of the paper for as many that fit the training objects better.
    heads
        'ssd' has the paper's 3x3 convolutions. 'ssdlite' has depthwise-separable ones, also in the extra layers: faster
        and smaller; not with VGG16.
    rules
        Matching and loss: 'paper' or 'pytorch-ssd300'.
    matching
        Default boxes beside each object's best one: 'paper' has those of IoU 0.5 and more, 'atss' those that fit well
        for this object; only with `rules` 'paper'.
    box_loss
        'smooth_l1' is the paper's, on offsets ('pytorch-ssd300' has plain L1 in its place). 'giou' and 'ciou' score
        the overlap of decoded boxes; only with `rules` 'paper'.
    weighting
        Of matched default boxes: 'equal', or 'pisa', by which those whose predicted boxes fit best count most, among
        the images that are processed together; only with `rules` 'paper'.
    box_weight
        Weight of the box loss beside the class loss: the paper's alpha.
    backbone_lr
        The backbone's learning rate is this many times `lr`.
    freeze_norms
        Batch normalization that the start filled in the backbone keeps its means and variances in training.
    normalization
        Of images: 'start' is that of the weights the backbone starts from; 'none' leaves 0..1, as pytorch-SSD300 does.
    augment
        Augment the images, by the rules of the paper.
    on_bad_image
        For an image that cannot be read: 'error' ends the run, 'skip' uses the next image and counts the skipped one.
    sampling
        Images of an epoch: 'uniform' has each once, 'balanced' those with rare classes more often and others less.
    mosaic
        Share of the images that are made of four, except in the last quarter of the steps; only with `augment`.
    mixup
        Share of the images that are mixed with another, except in the last quarter of the steps; only with `augment`.
    cache
        Store decoded images: 'ram' in memory, 'disk' in a temporary file of the run folder.
    workers
        Processes that decode images; 0 decodes in the training process.
    ema
        Evaluate and save a running average of the weights too; the better of the two can be the best.
    ema_decay
        The share of itself that the average retains at a step; less in the first steps.
    ema_ramp
        The decay rises as an exponential with this many steps, 2000 in YOLOv5; 0 is (1 + n) / (10 + n) after n steps.
    patience
        The run ends after this many evaluations without a better mAP; 0 is never.
    amp
        'off' is float32. 'auto' is bf16 on CUDA (fp16 where it has none), bf16 on a CPU timed faster, else float32.
    device
        'auto', 'cpu', 'cuda' or 'mps'.
    seed
        Seed of random numbers: initialization, order of images, augmentation.
    eval_every
        Steps between evaluations on the held-out split; 0 evaluates only at the end.
    save_every
        Steps between saved states; one is also saved at the end.
    save_minutes
        Minutes between saved states, however many steps they take; 0 counts steps alone.
    log_every
        Steps between lines of the log.
    tensorboard
        Write events for TensorBoard (needs the extra 'tensorboard').
    """

    out: Path
    model: Models = "ssd300_vgg16"
    backbone: str | None = None
    image_size: int | None = None
    init: str = "none"
    init_key: str | None = None
    freeze: str = NOTHING
    steps: int = 120_000
    batch_size: int = 32
    accumulate: int = 1
    lr: float = 1e-3
    schedule: Literal["multistep", "cosine"] = "multistep"
    lr_drop: tuple[int, ...] = (80_000, 100_000)
    lr_drop_factor: float = 0.1
    warmup_steps: int = 0
    optimizer: Literal["sgd", "adamw"] = "sgd"
    momentum: float = 0.9
    weight_decay: float = 5e-4
    decay_biases: bool = False
    grad_clip: float | None = None
    default_boxes: Literal[NamedBoxes, "fitted"] = "paper"
    heads: Literal["ssd", "ssdlite"] = "ssd"
    rules: Literal["paper", "pytorch-ssd300"] = "paper"
    matching: Literal["paper", "atss"] = "paper"
    box_loss: Literal["smooth_l1", "giou", "ciou"] = "smooth_l1"
    weighting: Literal["equal", "pisa"] = "equal"
    box_weight: float = 1.0
    backbone_lr: float = 1.0
    freeze_norms: bool = False
    normalization: Literal["start", "none"] = "start"
    augment: bool = True
    on_bad_image: Literal["error", "skip"] = "error"
    sampling: Literal["uniform", "balanced"] = "uniform"
    mosaic: float = 0.0
    mixup: float = 0.0
    cache: Literal["none", "ram", "disk"] = "none"
    workers: int = 2
    ema: bool = False
    ema_decay: float = 0.9998
    ema_ramp: int = 0
    patience: int = 0
    amp: Literal["auto", "off", "bf16", "fp16"] = "auto"
    device: str = "auto"
    seed: int = 0
    eval_every: int = 0
    save_every: int = 1000
    save_minutes: float = 3.0
    log_every: int = 10
    tensorboard: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "out", Path(self.out))
        for name, hint in get_type_hints(type(self)).items():
            if (choices := get_args(hint)) and get_origin(hint) is Literal and getattr(self, name) not in choices:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be one of {', '.join(choices)}")
        for name, least in (("steps", 1), ("batch_size", 1), ("workers", 0), ("save_every", 1), ("log_every", 1)):
            if (value := getattr(self, name)) < least:
                raise ValueError(f"{name} is {value}; it must be {least} or more")
        for name in (
            "eval_every", "patience", "ema_ramp", "warmup_steps", "momentum", "weight_decay", "seed", "save_minutes",
        ):  # fmt: skip
            if not (value := getattr(self, name)) >= 0:
                raise ValueError(f"{name} is {value}; it must be 0 or more")
        if self.freeze not in (NOTHING, BACKBONE) and not frozen_stages(self.freeze):
            raise ValueError(f"freeze is {self.freeze}; it must be {NOTHING}, {BACKBONE} or stages:N, such as stages:3")
        for name in ("lr", "lr_drop_factor", "box_weight", "backbone_lr"):
            if not (0 < (value := getattr(self, name)) < math.inf):
                raise ValueError(f"{name} is {value}; it must be above 0")
        if not 1 <= self.accumulate <= self.batch_size:
            raise ValueError(f"accumulate is {self.accumulate}; it must be 1 to the batch size, {self.batch_size}")
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay is {self.ema_decay}; it must be 0 or more, and under 1")
        if self.image_size is not None and self.image_size not in range(*IMAGE_SIZES_PX):
            least, most = IMAGE_SIZES_PX[0], IMAGE_SIZES_PX[1] - 1
            raise ValueError(f"image_size is {self.image_size}; it must be {least} to {most}, or left out")
        if self.grad_clip is not None and not self.grad_clip > 0:
            raise ValueError(f"grad_clip is {self.grad_clip}; it must be above 0, or left out")
        if list(self.lr_drop) != sorted(set(self.lr_drop)) or any(drop < 1 for drop in self.lr_drop):
            drops = " ".join(map(str, self.lr_drop))
            raise ValueError(f"lr_drop is {drops}; drops are steps from 1 on, each later than the one before")
        self._check_choices()

    def _check_choices(self) -> None:
        """Raises ValueError for choices that exclude each other. Another code's `rules` have all of their parts."""
        if self.backbone is not None and not TIMM.fullmatch(self.backbone):
            raise ValueError(
                f"backbone is {self.backbone}; it must be timm: and a name of timm, such as timm:mobilenetv3_large_100"
            )
        if self.backbone is not None and self.model != ON_TIMM:
            raise ValueError(f"backbone is {self.backbone}; {self.model} has its own, so leave out one of the two")
        if self.backbone is None and self.model == ON_TIMM:
            raise ValueError(f"model is {ON_TIMM}; it needs a backbone, such as timm:mobilenetv3_large_100")
        for name in ("matching", "box_loss", "weighting"):
            own = getattr(TrainConfig, name)
            if self.rules != "paper" and getattr(self, name) != own:
                raise ValueError(
                    f"{name} is {getattr(self, name)}; with rules {self.rules} it must be {own}, as these rules have a "
                    "matching and a loss of their own"
                )
        for name in ("mosaic", "mixup"):
            if not 0 <= (share := getattr(self, name)) <= 1:
                raise ValueError(f"{name} is {share}; it must be 0 to 1")
            if share and not self.augment:
                raise ValueError(f"{name} is {share}; without augment it must be 0, as it is an augmentation")
        if self.backbone_lr != 1 and self.freeze == BACKBONE:
            raise ValueError(
                f"backbone_lr is {self.backbone_lr}; with freeze {BACKBONE} it must be 1, as it has no effect"
            )
        if self.freeze_norms and "vgg16" in self.model:
            raise ValueError(f"freeze_norms is True; {self.model} has no batch normalization in its backbone")
        if self.heads != "ssd" and "vgg16" in self.model:
            raise ValueError(
                f"heads is {self.heads}; with {self.model} it must be ssd, as these heads need batch normalization"
            )
        if self.freeze_norms and self.init == "none":
            raise ValueError("freeze_norms is True; with init none there are no means and variances to keep")

    def for_epochs(self, epochs: float, images: int) -> "TrainConfig":
        """The same with the steps in which each of `images` images is processed `epochs` times, rounded up."""
        return replace(self, steps=math.ceil(epochs * images / self.batch_size))

    def describe_schedule(self, images: int) -> str:
        """The schedule as text: in images seen, epochs of a dataset of `images` images, and steps."""
        total = self.steps * self.batch_size
        steps = f"{self.steps:,} steps of {self.batch_size}"
        epochs = f"{total / images:.3g}"
        text = f"{total:,} images ({epochs} {'epoch' if epochs == '1' else 'epochs'}) in {steps}; rate {self.lr:g}"
        if self.warmup_steps:
            text += f", reached after {self.warmup_steps * self.batch_size:,} images"
        if self.schedule == "cosine":
            return text + ", falling to 0 as a cosine"
        drops = [drop * self.batch_size for drop in self.lr_drop if drop < self.steps]
        return text + (
            f", times {self.lr_drop_factor:g} after {' and '.join(f'{drop:,}' for drop in drops)} images"
            if drops else ", the same to the end"
        )  # fmt: skip

    @property
    def mixing_steps(self) -> int:
        """The steps with `mosaic` and `mixup`; in those that follow the images are as they will be in use."""
        return self.steps * 3 // 4

    def learning_rate(self, step: int) -> float:
        """The rate of the step that follows `step` steps."""
        rate = self.lr * min(1.0, (step + 1) / self.warmup_steps) if self.warmup_steps else self.lr
        if self.schedule == "cosine":
            return rate * (1 + math.cos(math.pi * step / self.steps)) / 2
        return rate * self.lr_drop_factor ** sum(step >= drop for drop in self.lr_drop)
