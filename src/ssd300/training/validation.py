"""Evaluation during a run: its images are shared among the processes, and it stops at once when the run must end."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from ssd300.data.dataset import Dataset, OnBadImage
from ssd300.detection.detector import Detector
from ssd300.detection.torch_network import TorchNetwork
from ssd300.evaluation.evaluator import (
    CAFFE_TEST,
    Found,
    InterruptedEvaluationError,
    detect_all,
    join,
    report_of,
    with_classes_of,
)
from ssd300.evaluation.scoring import Report
from ssd300.model import SSD
from ssd300.system.progress import Progress, silent
from ssd300.training.distributed import ALONE, World
from ssd300.weights import Card


@dataclass(frozen=True, kw_only=True, eq=False)
class Validator:
    """The held-out images, and how a model is evaluated on them. `card` describes the model's weights."""

    dataset: Dataset
    card: Card
    device: torch.device
    on_bad_image: OnBadImage = "error"
    world: World = ALONE
    progress: Progress = silent

    def evaluate(self, model: SSD, interrupted: Callable[[], bool] = lambda: False) -> Report | None:
        """The report of `ssd300 eval`, in float32, the same in every process; None if any was interrupted.

        Each process detects on its own piece of the images, so none is counted twice, with the model of the main
        process: in training, statistics of batch normalization differ between processes. The model is in the same mode
        afterwards. Raises what `evaluate` raises.
        """
        self.world.copy_from_main(model)
        was_training = model.training
        detector = Detector(TorchNetwork(model, self.card, device=self.device))
        known = with_classes_of(detector, self.dataset)
        piece = replace(known, annotations=known.annotations[self.world.piece(len(known))])
        found: Found | None = None
        try:
            with self.progress("evaluating", len(piece)) as task:
                found = detect_all(detector, piece, CAFFE_TEST, self.on_bad_image, interrupted, task.advance)
        except InterruptedEvaluationError:
            pass
        finally:
            model.train(was_training)
        pieces = self.world.gather(found)
        return None if None in pieces else report_of(known, join(pieces))
