"""The mistakes that implementations of SSD make again and again, one test each. Most are tested more closely in the
tests of their module too."""

import shutil
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from conftest import object_xml, write_voc
from ssd300.batches import Batch, Targets
from ssd300.data import load_dataset
from ssd300.data.loader import training_batches
from ssd300.data.prepare import write_lists
from ssd300.detection.detector import Detector
from ssd300.errors import DataError, WeightsError
from ssd300.evaluation.evaluator import BATCH, evaluate
from ssd300.metrics.voc import voc_average_precision
from ssd300.model import BUILDERS, ssd300_efficientnet_lite0
from ssd300.model.default_boxes import PAPER, make_default_boxes
from ssd300.model.layers import L2Norm
from ssd300.model.loss import MultiBoxLoss
from ssd300.model.matcher import match
from ssd300.model.predictions import Predictions
from ssd300.training.loop import train
from ssd300.training.optimizer import make_optimizer
from ssd300.training.presets import light
from ssd300.training.state import TrainState
from ssd300.training.step import TrainStep
from ssd300.types import Annotation, DetectionTable
from ssd300.weights import load_weights
from ssd300.weights.foreign import import_weights

BOXES = make_default_boxes(PAPER)


def targets(*boxes: tuple[float, float, float, float]) -> Targets:
    return Targets(
        boxes=torch.tensor([boxes]).reshape(1, -1, 4).float(), labels=torch.ones(1, len(boxes), dtype=torch.long)
    )


def short(out: Path, **changes) -> object:
    values = {"steps": 2, "batch_size": 2, "workers": 0, "init": "none", "amp": "off", "log_every": 1} | changes
    return replace(light(out), **values)


@pytest.mark.slow
def test_a_an_image_without_objects_is_trained_on(coloured, tmp_path):
    for path in (coloured / "Annotations").glob("p[0-2].xml"):
        path.write_text("<annotation></annotation>")
    assert train(load_dataset(coloured), short(tmp_path / "run"))["steps"] == 2


def test_b_a_batch_without_positives_changes_nothing_and_is_finite():
    torch.manual_seed(0)
    model = ssd300_efficientnet_lite0(1)
    images = torch.randint(0, 256, (2, 3, 300, 300), dtype=torch.uint8)
    empty = Targets(boxes=torch.zeros(2, 0, 4), labels=torch.zeros(2, 0, dtype=torch.long))
    optimizer = make_optimizer(model, momentum=0.9, weight_decay=0.0)
    before = {name: value.clone() for name, value in model.named_parameters()}
    state = TrainState(config=light(Path("run")), model=model, optimizer=optimizer)
    losses = TrainStep(state, torch.device("cpu"))(Batch(images=images, targets=empty, image_ids=("a", "b")), 0)
    assert float(losses.total) == 0
    assert all(torch.equal(value, before[name]) for name, value in model.named_parameters())


@pytest.mark.parametrize("corners", [(50, 5, 20, 60), (20, 5, 19, 60), (20, 5, 5000, 60), ("nan", 5, 20, 60)])
def test_c_an_invalid_box_is_reported_with_its_object(tmp_path, corners):
    data = write_voc(tmp_path / "data", {"a": object_xml("x", corners)}, {"trainval": ["a"]})
    with pytest.raises(DataError, match=r"a\.xml, object 1 \(x\)"):
        load_dataset(data, require_images=False)


def test_d_two_objects_with_the_same_best_default_box_each_get_one():
    box = (0.3, 0.3, 0.5, 0.5)
    matched = match(targets(box, box), BOXES)
    assert {0, 1} <= set(matched.unique().tolist())


def test_e_a_location_of_zeros_has_a_finite_norm_and_gradient():
    pixels = torch.zeros(1, 512, 2, 2, requires_grad=True)
    out = L2Norm(512)(pixels)
    out.sum().backward()
    assert torch.isfinite(out).all()
    assert torch.isfinite(pixels.grad).all()


@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
def test_f_large_logits_in_half_precision_have_a_finite_loss(precision):
    logits = torch.full((1, len(BOXES), 3), 60_000.0, dtype=precision)
    logits[..., 1:] = -60_000.0
    one = targets((0.3, 0.3, 0.5, 0.5))
    losses = MultiBoxLoss(BOXES, PAPER.variances)(
        Predictions(logits, torch.zeros(1, len(BOXES), 4, dtype=precision)), one, match(one, BOXES)
    )
    assert torch.isfinite(losses.total)
    assert losses.total.dtype == torch.float32


@pytest.mark.slow
def test_g_a_last_batch_of_one_is_evaluated_like_the_others(coloured, light_run):
    data = load_dataset(coloured, split="trainval")
    many = replace(data, annotations=[data.annotations[number % 4] for number in range(BATCH + 1)])
    table = evaluate(light_run, many).detections
    alone = evaluate(light_run, replace(data, annotations=[data.annotations[BATCH % 4]])).detections
    last = table.image_index == BATCH
    np.testing.assert_allclose(table.scores[last], alone.scores, rtol=1e-4)
    assert table.labels[last].tolist() == alone.labels.tolist()


def test_g_a_training_batch_of_one_works(coloured, tmp_path):
    assert train(load_dataset(coloured), short(tmp_path / "run", batch_size=1))["images_seen"] == 2


@pytest.mark.slow
def test_h_a_resumed_run_is_the_uninterrupted_one(coloured, tmp_path):
    data = load_dataset(coloured)
    train(data, short(tmp_path / "whole"))
    train(data, short(tmp_path / "parts"), stop_after=1)
    train(data, short(tmp_path / "parts"), resume=True)
    whole, parts = (load_weights(tmp_path / name)[0].state_dict() for name in ("whole", "parts"))
    assert all(torch.equal(tensor, parts[name]) for name, tensor in whole.items())


def test_i_lists_can_be_moved_together_with_their_data(coloured, tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    shutil.move(coloured, old / "data")
    lists = old / "lists"
    lists.mkdir()
    write_lists(lists, [load_dataset(old / "data")], [load_dataset(old / "data", purpose="test")], home=lists)
    old.rename(tmp_path / "new")
    moved = load_dataset(tmp_path / "new/lists")
    assert len(moved) == 4
    assert all(annotation.image_path.is_file() for annotation in moved.annotations)


def test_l_difficult_duplicate_and_tie_as_in_the_development_kit():
    """By hand: of an easy object a second detection is false, of a difficult object each is ignored."""
    truth = Annotation(
        image_id="a", image_path=Path("a.jpg"), size_hw=(100, 100),
        boxes_px=np.array([[0.0, 0, 50, 50], [50, 50, 100, 100]]), labels=np.zeros(2, np.int64),
        difficult=np.array([False, True]),
    )  # fmt: skip
    found = DetectionTable(
        image_index=np.zeros(4, np.int64), labels=np.zeros(4, np.int64), scores=np.array([0.9, 0.8, 0.8, 0.7]),
        boxes_px=np.array([[50.0, 50, 100, 100], [60, 0, 90, 30], [0, 0, 50, 50], [0, 0, 50, 49]]),
    )  # fmt: skip
    result = voc_average_precision([truth], found, 1, protocol="voc12")[0]
    # Of equal scores the earlier row is first, so a false detection precedes the true one: precision 1/2 at recall 1.
    assert result.ap == pytest.approx(0.5)
    assert (result.objects, result.difficult) == (1, 1)


def test_m_a_pickle_that_would_run_code_is_not_run(tmp_path):
    (tmp_path / "evil.pth").write_bytes(b"cposix\nsystem\n(S'touch " + bytes(tmp_path) + b"/made'\ntR.")
    with pytest.raises(WeightsError, match=r"would run posix\.system"):
        import_weights(tmp_path / "evil.pth")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("workers", [0, 2])
def test_n_no_two_images_have_the_same_random_numbers(coloured, workers):
    data = load_dataset(coloured)
    twins = [replace(data.annotations[0], image_id=str(number)) for number in range(8)]
    batches = training_batches(twins, size=300, batch_size=4, seed=0, workers=workers)
    four = [next(batches) for _ in range(4)]  # two epochs
    brightness = torch.cat([batch.photometric.brightness for batch in four])
    sampled = brightness[brightness != 0].tolist()
    assert len(set(sampled)) == len(sampled) > 3


@pytest.mark.parametrize("name", BUILDERS)
def test_o_a_detector_is_built_and_loaded_without_a_network(name, light_run, monkeypatch):
    def refuse(*_words: object, **_options: object) -> None:
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    BUILDERS[name](3)
    Detector.load(light_run)
