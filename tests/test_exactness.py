"""Rules of the paper and of Caffe that concern several modules: the same preprocessing everywhere, the same loss for
every way of dividing a batch, and random augmentation with the distribution of Caffe's samplers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ssd300.batches import Batch, Targets
from ssd300.data import load_dataset
from ssd300.data.augment import (
    CROP_ASPECT,
    CROP_OVERLAPS,
    CROP_SCALE,
    CROP_TRIALS,
    INTERPOLATIONS,
    sample_augmentation,
    sample_crop,
)
from ssd300.data.loader import training_batches
from ssd300.detection.detector import Detector
from ssd300.detection.torch_network import TorchNetwork
from ssd300.evaluation.evaluator import evaluate_detector
from ssd300.images.resize import ANTIALIASED, RESIZES
from ssd300.model import SSD, ssd300_vgg16
from ssd300.model.default_boxes import PAPER, make_default_boxes
from ssd300.model.predictions import Predictions
from ssd300.model.ssd import CAFFE
from ssd300.training.optimizer import make_optimizer
from ssd300.training.presets import paper
from ssd300.training.state import TrainState
from ssd300.training.step import TrainStep
from ssd300.weights import Card


@pytest.mark.parametrize("resize", RESIZES)
def test_training_evaluation_and_detection_give_the_network_the_same_tensor(voc_sample, resize, monkeypatch):
    data = load_dataset(voc_sample / "VOC2007", purpose="test")
    data = replace(data, annotations=data.annotations[:4])
    model = ssd300_vgg16(20)
    card = Card(model="ssd300_vgg16", classes=data.classes, settings=PAPER, normalization=CAFFE, resize=resize)
    recorded: list[Tensor] = []

    def record(images: Tensor) -> Predictions:
        recorded.append(images.clone())
        return Predictions(torch.zeros(len(images), 8732, 21), torch.zeros(len(images), 8732, 4))

    monkeypatch.setattr(model, "forward", record)
    detector = Detector(TorchNetwork(model, card))
    evaluate_detector(detector, data)
    detector([annotation.image_path for annotation in data.annotations])
    evaluated, detected = recorded
    assert torch.equal(evaluated, detected)
    if resize == ANTIALIASED:  # the filter of training; the other one is for weights of other codebases
        batch = next(training_batches(data.annotations, size=300, batch_size=4, seed=0, workers=0, augment=False))
        step = step_of(model, paper(Path("run")))
        with pytest.raises(RuntimeError, match="does not require grad"):  # the recorded network has no gradient
            step(batch, 0)
        order = [batch.image_ids.index(annotation.image_id) for annotation in data.annotations]
        assert torch.equal(recorded[-1][order], evaluated)


def step_of(model, config):
    optimizer = make_optimizer(model, momentum=0.9, weight_decay=0.0)
    return TrainStep(TrainState(config=config, model=model, optimizer=optimizer), torch.device("cpu"))


class Linear(SSD):
    """The interface of a detector with a single layer behind it, so that large batches cost nothing."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        torch.manual_seed(0)
        self.settings = PAPER
        self.register_buffer("default_boxes", make_default_boxes(PAPER))
        self.register_buffer("mean", torch.zeros(3, 1, 1))
        self.layer = nn.Linear(12, 8732 * 7)

    def forward(self, images: Tensor) -> Predictions:
        values = self.layer(nn.functional.adaptive_avg_pool2d(images, 2).flatten(1)).view(len(images), 8732, 7)
        return Predictions(values[..., :3], values[..., 3:])


def some_batch(count: int) -> Batch:
    """Every third image has no objects, so that parts of the batch have none either."""
    random = torch.Generator().manual_seed(1)
    low = torch.rand(count, 3, 2, generator=random) * 0.6
    boxes = torch.cat([low, low + 0.1 + torch.rand(count, 3, 2, generator=random) * 0.3], dim=2)
    labels = torch.randint(1, 3, (count, 3), generator=random)
    labels[::3] = 0
    images = torch.randint(0, 256, (count, 3, 300, 300), generator=random, dtype=torch.uint8)
    return Batch(images=images, targets=Targets(boxes=boxes, labels=labels), image_ids=tuple(map(str, range(count))))


def gradient(model, batch: Batch, accumulate: int) -> tuple[Tensor, float]:
    config = replace(paper(Path("run")), batch_size=len(batch), accumulate=accumulate)
    step = step_of(model, config)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    losses = step(batch, 0)
    flat = torch.cat([parameter.grad.flatten() for parameter in model.parameters()])
    model.load_state_dict(before)
    return flat, float(losses.total)


@pytest.mark.parametrize("accumulate", [2, 4, 5, 32])
def test_a_batch_of_32_has_the_same_gradient_in_any_number_of_parts(accumulate):
    model, batch = Linear(), some_batch(32)
    whole, loss = gradient(model, batch, 1)
    parts, same = gradient(model, batch, accumulate)
    assert same == pytest.approx(loss, rel=1e-5)
    torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-6 * float(whole.abs().max()))


@pytest.mark.slow
def test_the_gradient_of_vgg16_is_the_same_in_parts():
    torch.manual_seed(0)
    model, batch = ssd300_vgg16(2), some_batch(4)
    whole, loss = gradient(model, batch, 1)
    parts, same = gradient(model, batch, 2)
    assert same == pytest.approx(loss, rel=1e-5)
    assert float((parts - whole).norm() / whole.norm()) < 1e-4


def test_two_processes_that_share_the_count_of_positives_add_up_to_one():
    model, batch = Linear(), some_batch(32)
    step = step_of(model, paper(Path("run")))
    matched = step.match(batch.targets, model.default_boxes)
    normalizer = (matched >= 0).sum().float()
    images = batch.images.float() / 255
    totals = []
    for rows in (slice(0, 16), slice(16, 32)):
        model.zero_grad()
        step.loss(model(images[rows]), batch.targets.part(rows), matched[rows], normalizer=normalizer).total.backward()
        totals.append(model.layer.weight.grad.clone())
    whole, _ = gradient(model, batch, 1)
    expected = whole[: totals[0].numel()].view_as(totals[0])
    torch.testing.assert_close(sum(totals), expected, rtol=1e-4, atol=1e-6 * float(whole.abs().max()))


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """The Kolmogorov-Smirnov statistic: the largest gap between the two cumulative distributions."""
    places = np.concatenate([one, other])
    below = [np.searchsorted(np.sort(values), places, side="right") / len(values) for values in (one, other)]
    return float(np.abs(below[0] - below[1]).max())


def uniform(random: np.random.Generator, low: float, high: float, count: int = 4000) -> np.ndarray:
    return random.uniform(low, high, count)


@pytest.mark.slow
def test_augmentations_are_distributed_as_in_caffe():
    random = np.random.default_rng(0)
    boxes = np.array([[20.0, 30.0, 60.0, 80.0]])
    sampled = [sample_augmentation(random, (100, 100), boxes) for _ in range(8000)]

    def column(name: str) -> np.ndarray:
        return np.array([getattr(change, name) for change in sampled])

    for name, neutral, low, high in (
        ("brightness", 0, -32, 32), ("contrast", 1, 0.5, 1.5), ("saturation", 1, 0.5, 1.5), ("hue_degrees", 0, -36, 36),
    ):  # fmt: skip
        values = column(name)
        assert np.mean(values != neutral) == pytest.approx(0.5, abs=0.02), name
        assert distance(values[values != neutral], uniform(random, low, high)) < 0.05, name
    for name in ("flip", "contrast_first"):
        assert np.mean(column(name)) == pytest.approx(0.5, abs=0.02), name
    for kind in INTERPOLATIONS:
        assert np.mean([change.interpolation == kind for change in sampled]) == pytest.approx(0.2, abs=0.02), kind
    changes = np.stack([column(name) for name in ("brightness", "contrast", "saturation", "hue_degrees", "flip")])
    assert np.abs(np.corrcoef(changes) - np.eye(5)).max() < 0.05  # independent of each other


@pytest.mark.slow
def test_zooming_out_is_uniform_in_ratio_and_in_place():
    random = np.random.default_rng(0)
    sampled = [sample_augmentation(random, (100, 100), np.zeros((0, 4))) for _ in range(8000)]  # no objects: no crop
    rectangles = np.array([change.source_px for change in sampled])
    ratio = (rectangles[:, 2] - rectangles[:, 0]) / 100
    zoomed = ratio > 1
    assert zoomed.mean() == pytest.approx(0.5, abs=0.02)
    assert distance(ratio[zoomed], uniform(random, 1, 4)) < 0.05
    place = -rectangles[zoomed, :2] / 100 / (ratio[zoomed, None] - 1)
    for axis in range(2):
        assert distance(place[:, axis], uniform(random, 0, 1)) < 0.05


def caffes_crop(random: np.random.Generator, boxes: np.ndarray) -> np.ndarray:
    """Caffe's sampling by its own loops: sampler after sampler, trial after trial (sampler.cpp:86-160)."""
    found = [np.array([0.0, 0.0, 1.0, 1.0])]
    for least in CROP_OVERLAPS:
        for _ in range(CROP_TRIALS):
            scale = random.uniform(*CROP_SCALE)
            aspect = random.uniform(max(CROP_ASPECT[0], scale**2), min(CROP_ASPECT[1], 1 / scale**2))
            width, height = scale * aspect**0.5, scale / aspect**0.5
            left, top = random.uniform(0, 1 - width), random.uniform(0, 1 - height)
            crop = np.array([left, top, left + width, top + height])
            overlaps = []
            for box in boxes:
                w = min(crop[2], box[2]) - max(crop[0], box[0])
                h = min(crop[3], box[3]) - max(crop[1], box[1])
                shared = max(w, 0) * max(h, 0)
                overlaps.append(shared / (width * height + (box[2] - box[0]) * (box[3] - box[1]) - shared))
            if any(overlap >= least for overlap in overlaps):
                found.append(crop)
                break
    return found[random.integers(len(found))]


@pytest.mark.slow
@pytest.mark.parametrize(
    "boxes", [[[0.1, 0.2, 0.6, 0.9]], [[0.4, 0.4, 0.5, 0.55]], [[0, 0, 1, 1], [0.7, 0.1, 0.9, 0.3]]]
)
def test_crops_are_distributed_as_by_caffes_own_loop(boxes):
    boxes = np.array(boxes, dtype=np.float64)
    ours = np.random.default_rng(1)
    theirs = np.random.default_rng(2)
    sampled = np.array([sample_crop(ours, boxes) for _ in range(4000)])
    literal = np.array([caffes_crop(theirs, boxes) for _ in range(4000)])
    for edge in range(4):
        # Equal distributions are farther apart in 0.1 % of samples.
        assert distance(sampled[:, edge], literal[:, edge]) < 0.045
    whole = [np.mean((crops == [0, 0, 1, 1]).all(axis=1)) for crops in (sampled, literal)]
    assert whole[0] == pytest.approx(whole[1], abs=0.03)
