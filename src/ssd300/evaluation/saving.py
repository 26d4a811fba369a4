"""An evaluation as files: AP per class as CSV, detections as JSON lines and as VOC's result files."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ssd300 import run_layout
from ssd300.data.class_lists import misfit
from ssd300.data.predictions.comp4 import write_comp4
from ssd300.detection.results import ImageDetections
from ssd300.evaluation.scoring import Report
from ssd300.images.header import image_size_hw
from ssd300.metrics.voc import ClassResult
from ssd300.system.files import whole_folder, write_json, write_text
from ssd300.types import Annotation, DetectionTable


def store_evaluation(folder: Path, report: Report) -> list[str]:
    """Write AP per class by the report's first metric, and its detections in pixels of the original images.

    VOC's result files are left out where a class name cannot be part of a file name; the notes returned say so.

    Raises:
        DataError: as `detection_rows` does.
    """
    dataset = report.dataset
    write_text(folder / run_layout.PER_CLASS_CSV, _per_class_csv(report.per_class))
    rows = detection_rows(report.detections, dataset.annotations, dataset.classes)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_text(folder / run_layout.DETECTIONS_JSONL, lines)
    if (why := misfit("comp4", dataset.classes)) is not None:
        return [f"{run_layout.COMP4} is not written: {why}"]
    write_comp4(folder / run_layout.COMP4, dataset.split, report.detections, dataset.annotations, dataset.classes)
    return []


def write_scores(out: Path, report: Report, *, overwrite: bool = False) -> list[str]:
    """Write a folder with what a report has without its detections. Returns the names of its files.

    Raises:
        UsageError: `out` is not empty, and `overwrite` is false.
    """
    with whole_folder(out, overwrite=overwrite) as folder:
        write_text(folder / run_layout.PER_CLASS_CSV, _per_class_csv(report.per_class))
        write_json(folder / run_layout.SCORES, report.to_dict())
    return [run_layout.PER_CLASS_CSV, run_layout.SCORES]


def detection_rows(
    table: DetectionTable, annotations: Sequence[Annotation], classes: Sequence[str]
) -> list[dict[str, Any]]:
    """A row per image as `ssd300 detect` writes it, also for images without detections; the best score comes first.

    Raises:
        DataError: an annotation has no size, and its image cannot be read.
    """
    order = np.lexsort((-table.scores, table.image_index))
    ends = np.searchsorted(table.image_index[order], np.arange(len(annotations) + 1))
    rows = []
    for index, annotation in enumerate(annotations):
        found = order[ends[index] : ends[index + 1]]
        detections = ImageDetections(
            boxes=table.boxes_px[found],
            scores=table.scores[found],
            labels=table.labels[found],
            classes=classes,
            image=str(annotation.image_path),
            size_hw=annotation.size_hw or image_size_hw(annotation.image_path),
        )
        rows.append(detections.to_dict())
    return rows


def _per_class_csv(per_class: dict[str, ClassResult]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("class", "ap", "objects", "difficult", "detections"))
    for name, result in per_class.items():
        ap = "" if result.ap is None else result.ap
        writer.writerow((name, ap, result.objects, result.difficult, result.detections))
    return text.getvalue()
