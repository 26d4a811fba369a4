"""The weights files and the state of a run, written together."""

from collections.abc import Container, Sequence
from dataclasses import replace

from ssd300 import run_layout
from ssd300.evaluation.scoring import Report
from ssd300.evaluation.thresholds import best_f1
from ssd300.model import SSD
from ssd300.training.state import TrainState
from ssd300.weights import Card, save_weights


class Checkpoints:
    """Writes into the folder of the run; with several processes, the main one alone calls it."""

    def __init__(self, state: TrainState, card: Card) -> None:
        self.state, self.card = state, card

    def save(self, reports: Sequence[Report], *, keep: Container[str] = ()) -> None:
        """Save the last weights and the state; the best weights too, as long as there was no evaluation.

        `reports` are those of the present weights and of their average; none, if they were not evaluated. Files of
        `keep` that are there stay as they are. Raises RunError if a file cannot be written.
        """
        models = self.state.models()
        names = (run_layout.LAST_WEIGHTS, run_layout.LAST_AVERAGED_WEIGHTS)
        files = [(name, model, reports[number] if reports else None)
                 for number, (name, model) in enumerate(zip(names, models, strict=False))]  # fmt: skip
        if self.state.progress.best is None:
            files.append((run_layout.BEST_WEIGHTS, models[-1], None))
        for name, model, report in files:
            if name not in keep or not (self.state.config.out / name).is_file():
                self._save_weights(name, model, report)
        self.state.save()

    def save_best(self, model: SSD, report: Report) -> None:
        """Save `model`, the weights or their average, as the best of the run. Raises RunError as `save`.

        Weights that were evaluated hold the confidence thresholds of best F1 too.
        """
        self._save_weights(run_layout.BEST_WEIGHTS, model, report)

    def _save_weights(self, name: str, model: SSD, report: Report | None) -> None:
        card = self.card
        if model is not self.state.model:
            card = replace(card, source={**card.source, "averaged": True})
        if report is not None:
            card = replace(card, metric={"name": report.metric, "value": report.map, "images": report.images})
            card = best_f1(report).stored_in(card)
        save_weights(self.state.config.out / name, model, card)
