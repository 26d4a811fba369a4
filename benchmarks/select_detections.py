"""CPU time of selecting the detections of one image: score > .01, non-maximum suppression (NMS) at .45, the best 200.

    python benchmarks/select_detections.py [--rounds 15] [--with-pytorch-ssd300]

Predictions are random. Ours is compared with torchvision's SSD.postprocess_detections, written here with its
operations. --with-pytorch-ssd300 adds loops over classes and boxes over a matrix of all IoUs, as pytorch-SSD300 has
them; at 100,000 candidates they take a minute per round. Our detections are verified to be those of NMS among all
candidates.
"""

import argparse

import torch
from torch import Tensor
from torchvision.ops import batched_nms

from alternate import alternate, table
from ssd300.model.boxes import decode, pairwise_iou
from ssd300.model.default_boxes import PAPER, make_default_boxes
from ssd300.model.postprocess import postprocess
from ssd300.model.predictions import Predictions
from ssd300.types import Selection

CLASSES = [f"class {i}" for i in range(20)]
DEFAULTS = make_default_boxes(PAPER)
MIN_SCORE, MAX_OVERLAP, TOP_K, PER_CLASS = 0.01, 0.45, 200, 400


def predictions_with(candidates: int) -> Predictions:
    """Random predictions with about so many scores above the threshold; the background's logit is chosen for that."""
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(1, len(DEFAULTS), len(CLASSES) + 1, generator=random) * 1.5
    offsets = torch.randn(1, len(DEFAULTS), 4, generator=random) * 0.5
    low, high = -20.0, 40.0
    for _ in range(40):
        background = (low + high) / 2
        shifted = logits.clone()
        shifted[..., 0] += background
        count = int((shifted.softmax(2)[..., 1:] > MIN_SCORE).sum())
        low, high = (background, high) if count > candidates else (low, background)
    return Predictions(shifted, offsets)


def ours(predictions: Predictions, per_class: int | None) -> tuple[Tensor, Tensor]:
    selection = Selection(min_score=MIN_SCORE, max_overlap=MAX_OVERLAP, top_k=TOP_K, per_class=per_class)
    (found,) = postprocess(predictions, DEFAULTS, PAPER.variances, classes=CLASSES, selection=selection)
    return torch.from_numpy(found.scores), torch.from_numpy(found.labels)


def torchvisions(predictions: Predictions, per_class: int | None) -> tuple[Tensor, Tensor]:
    """Class by class the best `per_class`, then one NMS over all (torchvision/models/detection/ssd.py)."""
    scores = predictions.logits[0].softmax(1)
    boxes = decode(predictions.offsets[0], DEFAULTS, PAPER.variances).clamp(0, 1)
    kept_boxes, kept_scores, kept_labels = [], [], []
    for label in range(1, scores.shape[1]):
        of_class = scores[:, label]
        keep = of_class > MIN_SCORE
        of_class, box = of_class[keep], boxes[keep]
        of_class, index = of_class.topk(min(len(of_class), per_class or len(of_class)))
        kept_boxes.append(box[index])
        kept_scores.append(of_class)
        kept_labels.append(torch.full_like(of_class, label - 1, dtype=torch.int64))
    box, score, label = torch.cat(kept_boxes), torch.cat(kept_scores), torch.cat(kept_labels)
    keep = batched_nms(box, score, label, MAX_OVERLAP)[:TOP_K]
    return score[keep], label[keep]


def loops(predictions: Predictions, per_class: int | None) -> tuple[Tensor, Tensor]:
    """For each class the IoUs of all its candidates with each other, then candidate by candidate."""
    scores = predictions.logits[0].softmax(1)
    boxes = decode(predictions.offsets[0], DEFAULTS, PAPER.variances)
    all_scores, all_labels = [], []
    for label in range(1, scores.shape[1]):
        keep = scores[:, label] > MIN_SCORE
        if not keep.any():
            continue
        order = scores[keep, label].sort(descending=True, stable=True)
        of_class, box = order.values[:per_class], boxes[keep][order.indices][:per_class]
        overlap = pairwise_iou(box, box)
        suppressed = torch.zeros(len(box), dtype=torch.bool)
        for row in range(len(box)):
            if not suppressed[row]:
                suppressed = torch.max(suppressed, overlap[row] > MAX_OVERLAP)
                suppressed[row] = False
        all_scores.append(of_class[~suppressed])
        all_labels.append(torch.full((int((~suppressed).sum()),), label - 1))
    score, label = torch.cat(all_scores), torch.cat(all_labels)
    best = score.sort(descending=True, stable=True).indices[:TOP_K]
    return score[best], label[best]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="measurements of each way")
    parser.add_argument("--with-pytorch-ssd300", action="store_true", help="time pytorch-SSD300's loops too")
    arguments = parser.parse_args()
    for candidates in (2_000, 30_000, 100_000):
        predictions = predictions_with(candidates)
        count = int((predictions.logits.softmax(2)[..., 1:] > MIN_SCORE).sum())
        # The target is for Caffe's selection, at most 400 candidates per class; all candidates are measured too.
        for per_class in (PER_CLASS, None):
            wanted, got = loops(predictions, per_class), ours(predictions, per_class)
            assert torch.equal(wanted[1], got[1]), "the detections differ from those of NMS among all candidates"
            assert torch.allclose(wanted[0], got[0]), "the scores differ from those of NMS among all candidates"
        ways = {
            "torchvision's operations, 400 per class": lambda p=predictions: torchvisions(p, PER_CLASS),
            "ours, 400 per class": lambda p=predictions: ours(p, PER_CLASS),
            "ours, all candidates": lambda p=predictions: ours(p, None),
        }
        print(table(f"{count:,} candidates", alternate(ways, rounds=arguments.rounds)) + "\n")
        if arguments.with_pytorch_ssd300:
            slow = {
                "pytorch-SSD300's way, all candidates": lambda p=predictions: loops(p, None),
                **dict([*ways.items()][2:]),
            }
            print(table(f"{count:,} candidates", alternate(slow, rounds=2)) + "\n")


if __name__ == "__main__":
    main()
