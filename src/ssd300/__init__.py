"""SSD300, the Single Shot MultiBox Detector (Liu et al. 2016), in PyTorch.

Names are imported when they are first used, so that importing the package is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ssd300.data import Dataset, load_dataset
    from ssd300.detection.detector import Detector
    from ssd300.detection.results import Result
    from ssd300.detection.video import Video
    from ssd300.detection.video_results import track
    from ssd300.evaluation.evaluator import evaluate
    from ssd300.evaluation.scoring import Report
    from ssd300.training import presets
    from ssd300.training.config import TrainConfig
    from ssd300.training.loop import train

__all__ = [
    "Dataset",
    "Detector",
    "Report",
    "Result",
    "TrainConfig",
    "Video",
    "evaluate",
    "load_dataset",
    "presets",
    "track",
    "train",
]

_HOMES = {
    "Dataset": "ssd300.data",
    "Detector": "ssd300.detection.detector",
    "Report": "ssd300.evaluation.scoring",
    "Result": "ssd300.detection.results",
    "TrainConfig": "ssd300.training.config",
    "Video": "ssd300.detection.video",
    "evaluate": "ssd300.evaluation.evaluator",
    "load_dataset": "ssd300.data",
    "track": "ssd300.detection.video_results",
    "train": "ssd300.training.loop",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name == "presets":
        return import_module("ssd300.training.presets")
    raise AttributeError(f"module 'ssd300' has no attribute '{name}'")
