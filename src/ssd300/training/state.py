"""All that a run needs to go on exactly where it was, in one file."""

from dataclasses import asdict
from typing import Any, NamedTuple

import torch

from ssd300.errors import RunError, UsageError
from ssd300.files import write_atomically
from ssd300.model import SSD
from ssd300.training.config import TrainConfig

STATE = "state/last.pt"
# These do not change the numbers: a run that met a picture that it cannot read has ended, if that was to be an error.
MAY_CHANGE = {"out", "workers", "device", "eval_every", "save_every", "log_every", "on_bad_image", "cache"}


class Progress(NamedTuple):
    """How far a run is: updates made, the report of the best evaluation so far (`Report.to_dict`), time spent.

    `skipped` names the pictures that could not be read, each once. `precision` is the network's in training; a run
    keeps it, as 'auto' may choose another on the next machine.
    """

    step: int = 0
    best: dict[str, Any] | None = None
    seconds: float = 0.0
    skipped: tuple[str, ...] = ()
    precision: torch.dtype = torch.float32


def save_state(
    config: TrainConfig,
    data: str,
    model: SSD,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
) -> None:
    """Write the state of a run's progress, whole or not at all. `data` is the data set's fingerprint.

    The stream of pictures needs no state of its own: it follows from the seed and the images seen.
    """
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "progress": progress._asdict(),
        "data": data,
        "config": _plain(config),
        "random": torch.get_rng_state(),
    }
    write_atomically(config.out / STATE, lambda temporary: torch.save(state, str(temporary)))


def load_state(config: TrainConfig, data: str, model: SSD, optimizer: torch.optim.Optimizer) -> Progress:
    """Fill model and optimiser, set the random stream, and answer how far the run was.

    Raises:
        RunError: there is no state, or it cannot be read.
        UsageError: it was made with other options or other data.
    """
    path = config.out / STATE
    if not path.is_file():
        raise RunError("there is no state to resume from", where=path, fix="Start the run without --resume.")
    try:
        state = torch.load(str(path), map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises whatever its readers do
        raise RunError(
            f"the state cannot be read ({type(error).__name__})",
            where=path,
            fix="Start the run anew in another folder.",
        ) from error
    then, now = state["config"], _plain(config)
    changed = [f"{name}: {then.get(name)} -> {now[name]}" for name in now if then.get(name) != now[name]]
    changed = [change for change in changed if change.split(":")[0] not in MAY_CHANGE]
    if state["data"] != data:
        changed.append("the data")
    if changed:
        raise UsageError(
            "the run was started with other options: " + "; ".join(changed),
            where=path,
            fix="Resume with the options of the run's config.yaml.",
        )
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random"])
    return Progress(**state["progress"])


def _plain(config: TrainConfig) -> dict[str, Any]:
    values = asdict(config)
    return values | {"out": str(config.out), "lr_drop": list(config.lr_drop)}


def describe(config: TrainConfig) -> dict[str, Any]:
    """The configuration as plain values, for config.yaml."""
    return _plain(config)
