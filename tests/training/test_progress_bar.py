from ssd300.system.progress import silent
from ssd300.training.progress_bar import ProgressBar
from ssd300.training.records import StepRow
from ssd300.training.state import Progress


def test_the_bar_shows_step_rate_and_losses_and_starts_at_a_resumed_step(config, data):
    bar = ProgressBar(silent)
    bar.on_start(config("run", steps=10), data, Progress(step=4, seconds=60.0))
    assert bar.task.numbers().startswith("4 of 10 steps, 1 min 0 s")
    bar.on_step(StepRow(step=5, images_seen=10, seconds=1.0, lr=0.01, localization=1.5, classification=2.5))
    assert bar.task.numbers().startswith("5 of 10 steps")
    assert "box loss 1.50, class loss 2.50, rate 1.0e-2" in bar.task.numbers()
    bar.on_end({})
