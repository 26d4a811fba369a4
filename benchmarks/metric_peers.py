"""CPU time of the VOC metric and of COCO's evaluators, at the size of VOC2007 test and at one IoU, 0.5.

    python -m pip install pycocotools faster-coco-eval torchmetrics
    python benchmarks/metric_peers.py [--rounds 3]

Each gets its input in its own types, prepared beforehand: ours arrays, COCO's lists of dictionaries, torchmetrics'
tensors per image. COCO's evaluators compute the least that gives an AP at IoU 0.5: one threshold, all sizes, 100
detections; torchmetrics always computes four ranges of size. They follow COCO's rules, so their APs differ from VOC's;
that they agree with each other is verified. A round takes minutes.
"""

import argparse
import contextlib
import io
import warnings
from typing import TYPE_CHECKING

import numpy as np
import torch

from alternate import alternate, table
from ssd300.metrics.voc import voc_average_precision
from ssd300.types import Annotation, DetectionTable
from voc_metric import CLASSES, problem

if TYPE_CHECKING:
    from faster_coco_eval import COCOeval_faster
    from pycocotools.cocoeval import COCOeval

IOU = 0.5
MAX_DETECTIONS = 100  # per image and class; torchmetrics gives no AP with another number


def coco_lists(annotations: list[Annotation], detections: DetectionTable) -> tuple[dict, list[dict]]:
    """COCO's annotations and results, as read from their files."""
    objects = []
    for image, annotation in enumerate(annotations):
        for label, box, crowd in zip(annotation.labels, annotation.boxes_px, annotation.difficult, strict=True):
            width, height = (box[2:] - box[:2]).tolist()
            objects.append(
                {
                    "id": len(objects) + 1, "image_id": image, "category_id": int(label), "iscrowd": int(crowd),
                    "bbox": [float(box[0]), float(box[1]), width, height], "area": width * height,
                }
            )  # fmt: skip
    corners, sizes = detections.boxes_px[:, :2], detections.boxes_px[:, 2:] - detections.boxes_px[:, :2]
    columns = (detections.image_index, detections.labels, detections.scores, np.concatenate([corners, sizes], axis=1))
    results = [
        {"image_id": image, "category_id": label, "score": score, "bbox": box}
        for image, label, score, box in zip(*(column.tolist() for column in columns), strict=True)
    ]
    content = {
        "info": {},
        "images": [{"id": image} for image in range(len(annotations))],
        "categories": [{"id": label, "name": str(label)} for label in range(CLASSES)],
        "annotations": objects,
    }
    return content, results


def by_pycocotools(content: dict, results: list[dict]) -> float:
    from pycocotools.coco import COCO  # here and below, so that --help needs no peer
    from pycocotools.cocoeval import COCOeval

    truth = COCO()
    truth.dataset = content
    truth.createIndex()
    return _evaluated(COCOeval(truth, truth.loadRes([dict(row) for row in results]), "bbox"))


def by_faster_coco_eval(content: dict, results: list[dict]) -> float:
    import faster_coco_eval
    from faster_coco_eval import COCOeval_faster

    truth = faster_coco_eval.COCO(content)
    return _evaluated(COCOeval_faster(truth, truth.loadRes([dict(row) for row in results]), "bbox"))


def _evaluated(judge: "COCOeval | COCOeval_faster") -> float:
    parameters = judge.params
    parameters.iouThrs = np.array([IOU])
    parameters.areaRng, parameters.areaRngLbl, parameters.maxDets = [[0, 1e10]], ["all"], [MAX_DETECTIONS]
    judge.evaluate()
    judge.accumulate()
    precision = judge.eval["precision"]
    return float(precision[precision > -1].mean())


def torch_lists(annotations: list[Annotation], detections: DetectionTable) -> tuple[list[dict], list[dict]]:
    targets = [
        {
            "boxes": torch.from_numpy(one.boxes_px), "labels": torch.from_numpy(one.labels),
            "iscrowd": torch.from_numpy(one.difficult.astype(np.int64)),
        }
        for one in annotations
    ]  # fmt: skip
    ends = np.searchsorted(detections.image_index, np.arange(1, len(annotations)))
    boxes, scores, labels = (
        [torch.from_numpy(part) for part in np.split(column, ends)]
        for column in (detections.boxes_px, detections.scores, detections.labels)
    )
    found = [{"boxes": b, "scores": s, "labels": k} for b, s, k in zip(boxes, scores, labels, strict=True)]
    return found, targets


def by_torchmetrics(found: list[dict], targets: list[dict]) -> float:
    from torchmetrics.detection import MeanAveragePrecision

    metric = MeanAveragePrecision(iou_thresholds=[IOU], max_detection_thresholds=[1, 10, MAX_DETECTIONS])
    metric.update(found, targets)
    return float(metric.compute()["map"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each way")
    rounds = parser.parse_args().rounds
    annotations, detections = problem()
    lists, tensors = coco_lists(annotations, detections), torch_lists(annotations, detections)
    aps: dict[str, float] = {}

    def quiet(name: str, way, *arguments):
        def work() -> None:
            with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                aps[name] = way(*arguments)

        return work

    ways = {
        "torchmetrics": quiet("torchmetrics", by_torchmetrics, *tensors),
        "pycocotools": quiet("pycocotools", by_pycocotools, *lists),
        "faster-coco-eval": quiet("faster-coco-eval", by_faster_coco_eval, *lists),
        "ours, VOC07": lambda: voc_average_precision(annotations, detections, CLASSES),
    }
    times = alternate(ways, rounds=rounds)
    assert max(aps.values()) - min(aps.values()) < 1e-4, aps
    print(f"{len(annotations):,} images, {len(detections):,} detections; AP at IoU {IOU} by COCO's rules: {aps}\n")
    print(table("AP at one IoU", times, unit="s"))


if __name__ == "__main__":
    main()
