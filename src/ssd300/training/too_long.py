"""A run that would take more than a week is not begun by accident: some of its steps are timed first."""

from ssd300.data.dataset import Dataset, check_trainable
from ssd300.errors import UsageError
from ssd300.system.device import choose_device
from ssd300.system.duration import in_days
from ssd300.training.config import TrainConfig
from ssd300.training.distributed import ALONE
from ssd300.training.initial_state import initial_state
from ssd300.training.presets import ON_A_CPU, PRESETS
from ssd300.training.timing import time_steps

WEEK_S = 7 * 24 * 3600
TIMED_S = 2.0
SURELY_SHORT = 20_000  # images: a week for so many would be half a minute for each


def may_take_long(config: TrainConfig, steps: int) -> bool:
    """Whether `steps` steps have so many images that it is worth the time to find out."""
    return steps * config.batch_size > SURELY_SHORT


def check_ends_in_a_week(dataset: Dataset, config: TrainConfig, steps: int) -> None:
    """Raises UsageError with the forecast if `steps` steps take more than a week, by the time of real ones.

    Also raises what `train` raises. Evaluations are not counted.
    """
    check_trainable(dataset)
    device = choose_device(config.device)
    state, _card = initial_state(dataset, config, ALONE, device)
    timed = time_steps(state, dataset, device, seconds=TIMED_S, least=1)
    step_s = timed.work_s + timed.waiting_s
    if steps * step_s > WEEK_S:
        raise too_long(config, steps, step_s)


def too_long(config: TrainConfig, steps: int, step_s: float) -> UsageError:
    """The error for a run of so many steps, of `step_s` seconds each."""
    fitting = int(WEEK_S / step_s)
    light = f", --preset {ON_A_CPU}" if config.model != PRESETS[ON_A_CPU]("run").model else ""
    shorter = f"--steps {fitting}, which fit into a week" if fitting else "a smaller --batch-size"
    return UsageError(
        f"the run would take about {in_days(steps * step_s)}, more than a week: {steps:,} steps of {step_s:.2g} s, by "
        f"some that were timed on {choose_device(config.device)}",
        fix=f"Add --yes to begin it all the same. Shorter: {shorter}{light}, or a GPU. `--dry-run` tells what limits "
        "it.",
    )
