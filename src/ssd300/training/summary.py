"""`summary.json`: the result of a run, and what it was made with."""

from typing import Any

import torch

from ssd300.system.device import dtype_name
from ssd300.system.duration import duration
from ssd300.system.environment import environment, source_commit
from ssd300.system.notebook import html_table
from ssd300.system.wording import plural
from ssd300.training.config import TrainConfig
from ssd300.training.state import Progress

NOT_EVALUATED = dict.fromkeys(
    ("metric", "map", "per_class", "images", "limits", "trained_on_images", "averaged", "min_scores")
)


class Summary(dict[str, Any]):
    """The content of `summary.json`, which shows itself shortly and, in a notebook, as a table."""

    def __repr__(self) -> str:
        """Such as 'mAP 0.8317 (voc07_11pt@0.5, 72 images), 300 steps in 3 min 20 s on cpu'."""
        return f"{self._result()}, {plural(self['steps'], 'step')} in {duration(self['seconds'])} on {self['device']}"

    def _repr_html_(self) -> str:
        rows = [
            (name, "-" if row["ap"] is None else f"{row['ap']:.4f}", f"{row['objects']:,}")
            for name, row in (self["per_class"] or {}).items()
        ]
        return html_table(repr(self), ("class", "AP", "objects"), rows) if rows else f"<p>{self!r}</p>"

    def _result(self) -> str:
        if self["map"] is None:
            return "not evaluated"
        return f"mAP {self['map']:.4f} ({self['metric']}, {plural(self['images'], 'image')})"


def summarize(config: TrainConfig, progress: Progress, device: torch.device) -> Summary:
    """The best evaluation, its values None if there was none; steps, images and seconds; seed, device, versions."""
    return Summary(
        {
            **(progress.best or NOT_EVALUATED),
            "steps": progress.step,
            "images_seen": progress.images_seen,
            "seconds": round(progress.seconds, 1),
            "skipped_images": len(progress.skipped),
            "seed": config.seed,
            "device": str(device),
            "precision": dtype_name(progress.precision),
            "git": source_commit(),
            "versions": environment(),
        }
    )
