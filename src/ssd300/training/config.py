"""The options of a training run. Nothing heavy is imported here, so the command line can show them at once.

The defaults are the paper's and Caffe's (ssd_pascal.py:336-390).
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ssd300.system.wording import plural
from ssd300.training.option_checks import NOTHING, check_choices, check_values

NamedBoxes = Literal["paper", "paper-clipped", "coco", "coco-clipped", "torchvision", "pytorch-ssd300"]

Models = Literal[
    "ssd300_vgg16", "ssd512_vgg16", "ssd300_efficientnet_lite0", "ssd300_efficientnet_lite1",
    "ssd300_efficientnet_lite2", "ssd_lite0_fpn", "ssd300_timm",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A training run. Raises ValueError with field, value and legal range if a value is out of range.

    Parameters
    ----------
    out
        The run folder.
    model
        The detector. EfficientNet-Lite0 is small enough for a CPU, and needs the extra 'light'; 'ssd_lite0_fpn' is
        the same with a feature pyramid. `backbone` takes the place of this; its model is called 'ssd300_timm'.
    backbone
        In place of `model`: SSD300 on a network of timm, such as 'timm:mobilenetv3_large_100'. Needs the extra 'light'.
    image_size
        Width and height to which images are resized for the network, such as 384 or 512. Default boxes are scaled with
        it. Left out, it is the model's own: 512 for 'ssd512_vgg16', 300 for the others.
    init
        Weights to start from: a run folder, a file, 'vgg16_features', 'vgg16' or 'coco' (downloaded), 'imagenet'
        (EfficientNet-Lite and `backbone`), or 'none'. A detector's classes are continued by name.
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
        'sgd' is Caffe's. 'adamw' needs a lower `lr`, such as 0.001, and a higher `weight_decay`, such as 0.05.
    momentum
        Momentum of SGD.
    weight_decay
        On weights and L2Norm's scale. Batch normalization's scale has none; biases have it only with `decay_biases`.
    decay_biases
        Apply weight decay to biases too, as pytorch-SSD300 does.
    grad_clip
        A gradient with a larger norm is scaled down to this norm.
    default_boxes
        By name, or 'fitted': boxes of the paper, exchanged for as many that fit the training objects better. 'start'
        has those of the detector in `init`, scaled to `image_size`.
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
    class_prior
        How probable new class outputs take it to be that a default box shows an object; 0 leaves them random, as Caffe
        does.
    backbone_lr
        The backbone's learning rate is this many times `lr`.
    freeze_norms
        Batch normalization that the start filled in the backbone keeps its means and variances in training.
    sync_norms
        Batch normalization takes its means and variances over the images of all processes, not over those of each. With
        one process it changes nothing.
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
    default_boxes: Literal[NamedBoxes, "fitted", "start"] = "paper"
    heads: Literal["ssd", "ssdlite"] = "ssd"
    rules: Literal["paper", "pytorch-ssd300"] = "paper"
    matching: Literal["paper", "atss"] = "paper"
    box_loss: Literal["smooth_l1", "giou", "ciou"] = "smooth_l1"
    weighting: Literal["equal", "pisa"] = "equal"
    box_weight: float = 1.0
    class_prior: float = 0.0
    backbone_lr: float = 1.0
    freeze_norms: bool = False
    sync_norms: bool = False
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
        check_values(self)
        check_choices(self)

    def for_epochs(self, epochs: float, images: int) -> "TrainConfig":
        """The same with the steps in which each of `images` images is processed `epochs` times, rounded up."""
        return replace(self, steps=math.ceil(epochs * images / self.batch_size))

    def describe_schedule(self, images: int, *, step: int = 0, images_seen: int = 0) -> str:
        """The schedule as text: in images seen, epochs of a dataset of `images` images, and steps.

        A resumed run has seen `images_seen` images in its first `step` steps. If they had another batch size, the text
        gives the steps, not the images, after which the learning rate changes.
        """
        total = images_seen + (self.steps - step) * self.batch_size
        if images_seen == step * self.batch_size:
            sizes, each, unit = f"of {self.batch_size}", self.batch_size, "images"
        else:
            sizes, each, unit = f"of {self.batch_size} from step {step + 1:,} on", 1, "steps"
        epochs = f"{total / images:.3g}"
        epochs += " epoch" if epochs == "1" else " epochs"
        text = f"{plural(total, 'image')} ({epochs}) in {plural(self.steps, 'step')} {sizes}; rate {self.lr:g}"
        if self.warmup_steps > self.steps:
            text += f", not reached: it would be after {self.warmup_steps * each:,} {unit}"
        elif self.warmup_steps:
            text += f", reached after {self.warmup_steps * each:,} {unit}"
        if self.schedule == "cosine":
            return text + ", falling to 0 as a cosine"
        drops = [drop * each for drop in self.lr_drop if drop < self.steps]
        return text + (
            f", times {self.lr_drop_factor:g} after {' and '.join(f'{drop:,}' for drop in drops)} {unit}"
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
