"""The state of a run, in one object and one file: with it and the data a run resumes where it was saved."""

import logging
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, cast

import torch
from torch.optim.swa_utils import AveragedModel

from ssd300.errors import UsageError
from ssd300.model import SSD
from ssd300.model.default_boxes import DefaultBoxSettings
from ssd300.system.device import dtype_name
from ssd300.training.config import TrainConfig
from ssd300.training.state_check import Expected, complete
from ssd300.training.state_file import read_state, write_state

# These may differ on resume without --override: they set where and how a run works. They can still change its numbers:
# another device rounds differently, `eval_every` and `patience` decide which weights can be the best and when the run
# ends, and with `on_bad_image` 'skip' another image takes the place of one that cannot be read.
MAY_CHANGE = {
    "out", "workers", "device", "eval_every", "patience", "save_every", "save_minutes", "log_every", "on_bad_image",
    "cache", "tensorboard",
}  # fmt: skip
# These decide which layers there are, which of them the optimizer has, and for what boxes they are trained: a state is
# of no use to others.
NETWORK = ("model", "backbone")  # whose weights are no start for another one
CANNOT_CHANGE = (*NETWORK, "heads", "freeze", "default_boxes", "image_size")

log = logging.getLogger(__name__)


class Progress(NamedTuple):
    """How far a run is: steps done, the report of the best evaluation so far (`Report.to_dict`), seconds spent.

    `images_seen` counts an image as often as it was in a batch. If `--override` has changed the batch size, it is not
    the steps times the batch size.

    `evaluated` is the step of the last complete evaluation, `stale` how many there were since the best. `skipped` has
    a message per image that could not be read. `precision` is the network's in training; a resumed run retains it, as
    'auto' may choose another on the next machine. `begins_with_evaluation`: a resumed run does, as there is no best
    one to compare the next with.
    """

    step: int = 0
    images_seen: int = 0
    best: dict[str, Any] | None = None
    seconds: float = 0.0
    skipped: tuple[str, ...] = ()
    precision: torch.dtype = torch.float32
    evaluated: int = 0
    stale: int = 0
    begins_with_evaluation: bool = False


@dataclass(kw_only=True, eq=False)
class TrainState:
    """What training changes, with the configuration and, as `data`, the fingerprint of the dataset.

    The order of images and their augmentation need no state: they follow from the seed and the images seen.
    """

    config: TrainConfig
    model: SSD = field(repr=False)
    optimizer: torch.optim.Optimizer = field(repr=False)
    average: AveragedModel | None = field(default=None, repr=False)
    progress: Progress = field(default_factory=Progress)
    data: str = ""
    scaler: torch.amp.GradScaler = field(init=False)  # of gradients, for float16
    is_saved: bool = field(default=False, init=False)  # the file has this progress and these options

    def __post_init__(self) -> None:
        self._scale_gradients()

    def models(self) -> list[SSD]:
        """The detector, and its average if the run has one."""
        return [self.model] if self.average is None else [self.model, cast(SSD, self.average.module)]

    def save(self) -> None:
        """Write the state, completely or not at all; the previous one is retained. Raises RunError if it cannot."""
        write_state(self.config.out, self._content())
        self.is_saved = True

    def load(self, *, override: bool = False) -> None:
        """Take over the last state in the run folder, or the previous one if the last is missing or damaged.

        With `override`, options that differ have their present values; the data must be the same in any case.

        Raises:
            RunError: there is no state that can be read.
            UsageError: it is of other data; or of other options, and `override` is false or they are among
                `CANNOT_CHANGE` or do not fit; or it is after the last step.
        """
        content, path = read_state(self.config.out, self._expected())
        then, now = complete(content["config"]), describe(self.config)
        changed = [
            f"{name}: {_shown(then.get(name))} -> {_shown(now[name])}"
            for name in now
            if then.get(name) != now[name] and name not in MAY_CHANGE
        ]
        if content["data"] != self.data:
            raise UsageError(
                "the data is not what the run began with",
                where=path,
                fix="Name the same data with the same --split, --holdout, --only and --classes, as in the run's "
                "command.txt, or start a new run.",
            )
        if fixed := [change for change in changed if change.split(":")[0] in CANNOT_CHANGE]:
            other_network = any(change.split(":")[0] in NETWORK for change in fixed)
            start = "" if other_network else f" from its weights with --init {self.config.out}"
            raise UsageError(
                "these options cannot change within a run: " + "; ".join(fixed),
                where=path,
                fix=f"Give them as they were, or start a new run{start}.",
            )
        if changed and not override:
            raise UsageError(
                "the run was started with other options: " + "; ".join(changed),
                where=path,
                fix="Type the last command in the run's command.txt with --resume, or take the new options with "
                "--override. An option that is left out has the preset's value.",
            )
        if self.config.steps < (done := content["progress"]["step"]):
            raise UsageError(
                f"the run has made {done:,} steps, more than --steps {self.config.steps:,}",
                where=path,
                fix=f"Give --steps {done} or more.",
            )
        for change in changed:
            log.warning("changed (--override): %s", change)
        try:
            self._fill(content, changed={change.split(":")[0] for change in changed})
        except (RuntimeError, ValueError, KeyError) as error:
            raise UsageError(
                f"the state does not fit the options ({str(error).splitlines()[0]})",
                where=path,
                fix=f"Start a new run from its weights with --init {self.config.out}.",
            ) from error
        self.is_saved = not changed

    def forget_best(self, *, override: bool) -> None:
        """For held-out images other than before: mAPs on them are not compared with the earlier ones.

        Raises UsageError if there were evaluations, and `override` is false.
        """
        if self.progress.best is None:
            return
        if not override:
            raise UsageError(
                "the held-out images are not those that the run was measured on",
                where=self.config.out,
                fix="Name the same --eval-split or --holdout, as in the run's command.txt, or take other images with "
                "--override; its best mAP is then forgotten.",
            )
        log.warning("changed (--override): the held-out images; the best mAP so far is forgotten")
        self.begin_best_anew()

    def begin_best_anew(self) -> None:
        """Forget the best evaluation so far; the present weights are evaluated first."""
        self.progress = self.progress._replace(best=None, stale=0, evaluated=0, begins_with_evaluation=True)
        self.is_saved = False

    def _content(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "progress": self.progress._asdict(),
            "data": self.data,
            "default_boxes": asdict(self.model.settings),
            "config": describe(self.config),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def _expected(self) -> Expected:
        parameters = [one for group in self._groups() for one in group["params"]]
        return Expected(content=self._content(), parameters=parameters)

    def _groups(self) -> list[dict[str, Any]]:
        return self.optimizer.param_groups

    def _fill(self, content: dict[str, Any], *, changed: set[str]) -> None:
        """Take over the content, but for what follows from options that were changed."""
        # Older states have no default boxes of their own, but those of their options.
        if "default_boxes" in content:
            for model in self.models():
                model.set_default_boxes(DefaultBoxSettings(**content["default_boxes"]))
        self.model.load_state_dict(content["model"])
        options = [{name: value for name, value in group.items() if name != "params"} for group in self._groups()]
        if "optimizer" not in changed:  # the moments of one kind of optimizer mean nothing to another
            self.optimizer.load_state_dict(content["optimizer"])
        for group, present in zip(self._groups(), options, strict=True):
            group.update(present)  # torch loads the options too, and would undo those of --override
        precision = self.progress.precision
        # Older states do not count images. Their runs went on as if all batches had had the last size.
        seen = content["progress"]["step"] * complete(content["config"])["batch_size"]
        self.progress = Progress(**{"images_seen": seen} | content["progress"])
        if "amp" in changed:
            self.progress = self.progress._replace(precision=precision)
        elif self.progress.precision != precision:
            log.info("the run keeps %s, with which it began", dtype_name(self.progress.precision))
        self._scale_gradients()
        if self.scaler.is_enabled() and content["scaler"]:
            self.scaler.load_state_dict(content["scaler"])
        if self.average is not None:
            if content["average"] is None:  # --ema was turned on by --override
                self.average.module.load_state_dict(content["model"])
            else:
                self.average.load_state_dict(content["average"])
        torch.set_rng_state(content["random"])
        if torch.cuda.device_count() == len(content["random_cuda"]) > 0:
            torch.cuda.set_rng_state_all(content["random_cuda"])

    def _scale_gradients(self) -> None:
        device = self.model.default_boxes.device.type
        self.scaler = torch.amp.GradScaler(device, enabled=self.progress.precision == torch.float16)


def _shown(value: Any) -> str:
    return "not given" if value is None else str(value)


def describe(config: TrainConfig) -> dict[str, Any]:
    """The configuration as plain values, as config.yaml and the state store it."""
    return asdict(config) | {"out": str(config.out), "lr_drop": list(config.lr_drop)}
