from ssd300.training.progress_bar import ProgressBar
from ssd300.training.records import StepRow
from ssd300.training.state import Progress


def test_the_bar_shows_step_rate_and_losses_and_starts_at_a_resumed_step(config, data):
    bar = ProgressBar()
    bar.on_start(config("run", steps=10), data, Progress(step=4))
    assert (bar.bar.tasks[0].completed, bar.bar.tasks[0].total) == (4, 10)
    bar.on_step(StepRow(step=5, images_seen=10, seconds=1.0, lr=0.01, localization=1.5, classification=2.5))
    assert bar.bar.tasks[0].completed == 5
    assert bar.bar.tasks[0].fields["values"].startswith("lr 1.00e-02  box 1.50  class 2.50")
    bar.on_end({})
    assert not bar.bar.live.is_started
