"""An evaluation as files: `per_class.csv`, `detections.jsonl` as `ssd300 detect` writes it, and VOC's `comp4/`."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ssd300 import run_layout
from ssd300.data.predictions.read import write_comp4
from ssd300.evaluation.scoring import Report
from ssd300.images.read import image_size_hw
from ssd300.system.files import write_text
from ssd300.types import Annotation, DetectionTable


def store_evaluation(folder: Path, report: Report) -> None:
    """Write the report's scores and its detections, all of them, in pixels of the original images."""
    dataset, text = report.dataset, io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("class", "ap", "objects", "difficult", "detections"))
    for name, result in report.per_class.items():
        ap = "" if result.ap is None else result.ap
        writer.writerow((name, ap, result.objects, result.difficult, result.detections))
    write_text(folder / run_layout.PER_CLASS_CSV, text.getvalue())
    rows = detection_rows(report.detections, dataset.annotations, dataset.classes)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_text(folder / run_layout.DETECTIONS_JSONL, lines)
    write_comp4(folder / run_layout.COMP4, dataset.split, report.detections, dataset.annotations, dataset.classes)


def detection_rows(
    table: DetectionTable, annotations: Sequence[Annotation], classes: Sequence[str]
) -> list[dict[str, Any]]:
    """A row an image, one without detections too, as `Result.to_dict` gives it; best score first."""
    order = np.lexsort((-table.scores, table.image_index))
    ends = np.searchsorted(table.image_index[order], np.arange(len(annotations) + 1))
    rows = []
    for index, annotation in enumerate(annotations):
        found = order[ends[index] : ends[index + 1]]
        height, width = annotation.size_hw or image_size_hw(annotation.image_path)
        columns = zip(
            table.labels[found].tolist(), table.scores[found].tolist(), table.boxes_px[found].tolist(), strict=True
        )
        rows.append(
            {
                "image": str(annotation.image_path),
                "width": width,
                "height": height,
                "detections": [
                    {
                        "label": classes[label],
                        "label_id": label,
                        "score": score,
                        "box": dict(zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)),
                    }
                    for label, score, box in columns
                ],
            }
        )
    return rows
