"""A file beside its weights on images: raw outputs, detections, time, and mAP on labeled ones."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ssd300.data.dataset import Dataset
from ssd300.detection.detector import DISPLAY, Detector
from ssd300.detection.network import Network, detect
from ssd300.detection.torch_network import TorchNetwork
from ssd300.evaluation.evaluator import evaluate_detector
from ssd300.evaluation.scoring import Report
from ssd300.export.parity import COMPARED, QUANTILE, Agreement, agreement
from ssd300.export.raw import ANY, Raw, RawAgreement, first_boxes_of, of_weights, raw_agreement
from ssd300.runtime import ExportedNetwork
from ssd300.runtime.selection import select_detections
from ssd300.system.progress import Progress
from ssd300.types import Detections


def compare_raw(original: TorchNetwork, raw_file: Network, images: Sequence[np.ndarray]) -> RawAgreement:
    """Compare the outputs of all default boxes. `raw_file` has no NMS; there is at least one image."""
    wanted = [of_weights(original, original.prepare(image)) for image in images]
    got = [_of_file(raw_file, image) for image in images]
    return raw_agreement(wanted, got, first_boxes_of(original.model.settings), quantile=QUANTILE)


def compare_detections(
    original: TorchNetwork, exported: ExportedNetwork, images: Sequence[np.ndarray], progress: Progress
) -> Agreement:
    networks: tuple[Network, Network] = original, exported
    found: tuple[list[Detections], list[Detections]] = [], []
    with progress("comparing with the weights", len(images)) as task:
        for image in images:
            for network, detections in zip(networks, found, strict=True):
                detections += detect(network, [image], COMPARED)
            task.advance()
    return agreement(*found)


def nms_difference(exported: ExportedNetwork, raw_file: Network, images: Sequence[np.ndarray]) -> float:
    """The QUANTILE of the differences of the best scores after NMS, by the nodes of the file and by this code.

    There are always some, as no score is too low. The order among equal scores does not count.
    """
    top_k = exported.card.top_k
    assert top_k is not None
    selection = replace(DISPLAY, min_score=0.0, top_k=top_k)
    differences = []
    for image in images:
        (here,) = detect(exported, [image], selection)
        raw = _of_file(raw_file, image)
        there = select_detections(raw.boxes, raw.scores, classes=raw_file.card.classes, selection=selection)
        scores = np.zeros((2, top_k))
        for row, detections in zip(scores, (here, there), strict=True):
            row[: len(detections)] = detections.scores
        differences.append(np.abs(scores[0] - scores[1]))
    return float(np.quantile(np.concatenate(differences), QUANTILE))


def compare_map(of_weights: Report, exported: ExportedNetwork, labeled: Dataset, progress: Progress) -> dict[str, Any]:
    """Evaluate the file: its mAP beside that of the weights, and the loss, None where the data has no objects."""
    of_file = evaluate_detector(Detector(exported), labeled, progress=progress, what="evaluating the file")
    a, b = of_weights.map, of_file.map
    return {
        "metric": of_weights.metric,
        "images": of_weights.images,
        "weights": a,
        "file": b,
        "loss": None if a is None or b is None else a - b,
    }


def _of_file(raw_file: Network, image: np.ndarray) -> Raw:
    outputs = raw_file.predict([raw_file.prepare(image)], ANY)
    return Raw(outputs["boxes"][0], outputs["scores"][0])
