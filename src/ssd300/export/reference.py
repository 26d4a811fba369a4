"""The weights as a reference: does a file detect what they detect?"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ssd300.data.dataset import Dataset
from ssd300.detection.detector import Detector
from ssd300.detection.network import Network
from ssd300.detection.torch_network import TorchNetwork
from ssd300.errors import ExportError
from ssd300.evaluation.evaluator import evaluate_detector
from ssd300.export.comparing import compare_detections, compare_map, compare_raw, nms_difference
from ssd300.export.parity import LIMITS, Limits, median_ms, raw_violations, violations
from ssd300.export.raw import probes
from ssd300.runtime import ExportedNetwork
from ssd300.system.progress import Progress

MAX_NMS_DIFFERENCE = 0.01  # of scores; rounding decides which of two boxes is suppressed where their IoU is the NMS IoU


class Files(NamedTuple):
    """What is built in a temporary folder: the file, and the same without NMS."""

    file: Path
    raw: Path


class Compared(NamedTuple):
    """A sentence for each limit that a file exceeds, and what goes into the record of an export."""

    violations: list[str]
    results: dict[str, Any]


class Reference:
    """Files are compared with it on `images`, and by their mAP on `labeled` ones."""

    def __init__(
        self,
        network: TorchNetwork,
        images: Sequence[np.ndarray],
        labeled: Dataset | None,
        limits: Limits,
        progress: Progress,
    ) -> None:
        self._network, self._images, self._labeled = network, images, labeled
        self._limits, self._progress = limits, progress
        self._spots = probes(network.model.settings.image_size_px)
        self._report = None
        if labeled is not None:
            self._report = evaluate_detector(
                Detector(network), labeled, progress=progress, what="evaluating the weights"
            )

    def compare(self, files: Files) -> Compared:
        """What the file and the weights have in common."""
        exported, raw_file = ExportedNetwork(files.file), ExportedNetwork(files.raw)
        raw = compare_raw(self._network, raw_file, self._images)
        found = raw_violations(raw, self._limits)
        if exported.card.precision != "int8":  # of int8 the graph was compared before; spots are outside of its ranges
            found = found or raw_violations(compare_raw(self._network, raw_file, self._spots), self._limits)
        few = [*self._images[:2], *self._spots[:2]]
        if exported.card.suppresses and nms_difference(exported, raw_file, few) > MAX_NMS_DIFFERENCE:
            found.append("its non-maximum suppression leaves other detections")
        seen = compare_detections(self._network, exported, self._images, self._progress)
        scores = None
        if self._labeled is not None and self._report is not None and not found:
            scores = compare_map(self._report, exported, self._labeled, self._progress)
        found += violations(seen, self._limits, map_loss=None if scores is None else scores["loss"])
        return Compared(found, {"agreement": asdict(seen), "raw_agreement": asdict(raw), "map": scores})

    def times(self, file: Path, fp32: Path | None) -> dict[str, Any]:
        """The time for an image by the file, by the weights and, for int8, by a file in float32."""
        networks: dict[str, Network] = {"weights": self._network, "file": ExportedNetwork(file)}
        if fp32 is not None:
            networks["fp32"] = ExportedNetwork(fp32)
        with self._progress("timing"):
            ms = median_ms(networks, self._images)
        return {"ms_per_image": ms, "times_as_fast_as_fp32": ms["fp32"] / ms["file"] if "fp32" in ms else None}


def check_graph(original: TorchNetwork, fp32: Network, images: Sequence[np.ndarray], name: str) -> None:
    """Raises ExportError if the graph is another network than the weights, on the images or on colored spots."""
    spots = probes(original.model.settings.image_size_px)
    found = raw_violations(compare_raw(original, fp32, [*images, *spots]), LIMITS["fp32"])
    if found:
        raise differs("fp32", "; ".join(found), name)


def differs(precision: str, why: str, where: str | Path) -> ExportError:
    """The error of a file that exceeds limits."""
    return ExportError(
        f"the {precision} file does not detect what the weights detect: {why}",
        where=where,
        fix="Report this with the versions of torch, onnx and the runtime, and try other versions."
        if precision == "fp32"
        else "Name more images like those that the file will be used on, or use another --precision.",
    )
