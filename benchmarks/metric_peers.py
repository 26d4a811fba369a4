"""CPU time of the VOC metric beside COCO evaluators, at the size of VOC2007 test and at one IoU, 0.5.

    pip install pycocotools faster-coco-eval torchmetrics
    python benchmarks/metric_peers.py [--rounds 3]

Each is given what its interface takes, made beforehand: ours arrays, COCO's lists of dictionaries, torchmetrics a list
of tensors an image. COCO's evaluators are told to do the least that gives an AP at IoU 0.5: one threshold, all sizes,
100 detections; torchmetrics always goes through four ranges of size. They rank by COCO's rules, so the APs differ from
VOC's; they are checked to agree among themselves. Minutes a round.
"""

import argparse
import contextlib
import io
import warnings

import faster_coco_eval
import numpy as np
import torch
from faster_coco_eval import COCOeval_faster
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torchmetrics.detection import MeanAveragePrecision

from alternate import alternate, table
from ssd300.metrics.voc import voc_average_precision
from ssd300.types import Annotation, DetectionTable
from voc_metric import CLASSES, problem

IOU = 0.5
MOST = 100  # detections of a class in an image; torchmetrics gives no AP without it


def coco_lists(annotations: list[Annotation], detections: DetectionTable) -> tuple[dict, list[dict]]:
    """COCO's annotations and results, as a program would read them from its files."""
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
    truth = COCO()
    truth.dataset = content
    truth.createIndex()
    return _evaluated(COCOeval(truth, truth.loadRes([dict(row) for row in results]), "bbox"))


def by_faster_coco_eval(content: dict, results: list[dict]) -> float:
    truth = faster_coco_eval.COCO(content)
    return _evaluated(COCOeval_faster(truth, truth.loadRes([dict(row) for row in results]), "bbox"))


def _evaluated(judge: COCOeval | COCOeval_faster) -> float:
    parameters = judge.params
    parameters.iouThrs = np.array([IOU])
    parameters.areaRng, parameters.areaRngLbl, parameters.maxDets = [[0, 1e10]], ["all"], [MOST]
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
    metric = MeanAveragePrecision(iou_thresholds=[IOU], max_detection_thresholds=[1, 10, MOST])
    metric.update(found, targets)
    return float(metric.compute()["map"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    annotations, detections = problem()
    lists, tensors = coco_lists(annotations, detections), torch_lists(annotations, detections)
    said: dict[str, float] = {}

    def quiet(name: str, way, *arguments):
        def work() -> None:
            with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                said[name] = way(*arguments)

        return work

    ways = {
        "torchmetrics": quiet("torchmetrics", by_torchmetrics, *tensors),
        "pycocotools": quiet("pycocotools", by_pycocotools, *lists),
        "faster-coco-eval": quiet("faster-coco-eval", by_faster_coco_eval, *lists),
        "ours, VOC07": lambda: voc_average_precision(annotations, detections, CLASSES),
    }
    times = alternate(ways, rounds=rounds)
    assert max(said.values()) - min(said.values()) < 1e-4, said
    print(f"{len(annotations):,} images, {len(detections):,} detections; AP at IoU {IOU} by COCO's rules: {said}\n")
    print(table("AP at one IoU", times, unit="s"))


if __name__ == "__main__":
    main()
