"""Evaluation while a run goes on: shared among its processes, and given up at once when the run is to end."""

from collections.abc import Callable
from dataclasses import replace

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
from ssd300.training.distributed import World
from ssd300.weights import Card


def validate(
    model: SSD,
    card: Card,
    dataset: Dataset,
    world: World,
    *,
    device: torch.device,
    on_bad_image: OnBadImage,
    interrupted: Callable[[], bool],
) -> Report | None:
    """The report of `ssd300 eval`, in float32, the same on every process; None if any was interrupted.

    Each process detects on its own piece of the images, so none is counted twice. Raises DataError as `evaluate`.
    """
    was_training = model.training
    detector = Detector(TorchNetwork(model, card, device=device))
    known = with_classes_of(detector, dataset)
    piece = replace(known, annotations=known.annotations[world.piece(len(known))])
    found: Found | None = None
    try:
        found = detect_all(detector, piece, CAFFE_TEST, on_bad_image, interrupted)
    except InterruptedEvaluationError:
        pass
    finally:
        model.train(was_training)
    pieces = world.gather(found)
    return None if None in pieces else report_of(known, join(pieces))
