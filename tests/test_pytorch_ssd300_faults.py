"""The faults of pytorch-SSD300, the code that this project started from: a test for each, in the order of discovery.

Most are tested more closely in the file of the module concerned.
"""

import json
import socket
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ssd300 import Detector, load_dataset
from ssd300.batches import Photometric, Targets
from ssd300.cli import main
from ssd300.cli.verbs import VERBS
from ssd300.data.augment import (
    BRIGHTNESS,
    FACTORS,
    HUE_DEGREES,
    Augmentation,
    apply_geometry,
    sample_augmentation,
    sample_crop,
)
from ssd300.data.formats.voc_xml import read_xml
from ssd300.data.loader import training_batches
from ssd300.data.photometric import apply_photometric
from ssd300.detection.torch_network import TorchNetwork
from ssd300.errors import DataError
from ssd300.evaluation.scoring import score
from ssd300.images.read import read_image
from ssd300.images.to_tensor import to_float, to_input
from ssd300.model import postprocess as selecting
from ssd300.model import ssd300_vgg16
from ssd300.model.default_boxes import PAPER, make_default_boxes
from ssd300.model.layers import L2Norm
from ssd300.model.loss import MultiBoxLoss
from ssd300.model.matcher import match
from ssd300.model.predictions import Predictions
from ssd300.training.optimizer import make_optimizer
from ssd300.training.presets import PRESETS, paper
from ssd300.training.state import Progress, TrainState
from ssd300.types import DetectionTable, Sample
from ssd300.weights import Card, save_weights

ROOT = Path(__file__).parents[1]
DEFAULTS = make_default_boxes(PAPER)
NO_PHOTOMETRIC = {"brightness": 0.0, "contrast": 1.0, "saturation": 1.0, "hue_degrees": 0.0}


@pytest.fixture(scope="module")
def vgg():
    torch.manual_seed(0)
    return ssd300_vgg16(2)


def detector(model):
    card = Card(model="ssd300_vgg16", classes=("blue", "red"), settings=PAPER, normalization=model.normalization)
    return Detector(TorchNetwork(model, card))


def predictions(boxes=8732, classes=3, batch=1):
    return Predictions(
        torch.zeros(batch, boxes, classes, requires_grad=True), torch.zeros(batch, boxes, 4, requires_grad=True)
    )


def targets(boxes, labels):
    return Targets(
        boxes=torch.as_tensor(boxes).float().reshape(1, -1, 4), labels=torch.as_tensor(labels).reshape(1, -1)
    )


def sample(boxes, size=(120, 160)):
    return Sample(
        image=np.full((*size, 3), 100, np.uint8), boxes_px=np.array(boxes, float).reshape(-1, 4),
        labels=np.zeros(len(boxes), np.int64), difficult=np.zeros(len(boxes), bool), image_id="a", size_hw=size,
    )  # fmt: skip


def test_01_training_evaluation_and_detection_get_the_same_image_and_the_network_normalizes_it(coloured, vgg):
    data = load_dataset(coloured)
    (batch,) = islice(training_batches(data.annotations, size=300, batch_size=4, seed=0, workers=0, augment=False), 1)
    for image, name in zip(to_float(batch.images), batch.image_ids, strict=True):
        pixels = read_image(coloured / "JPEGImages" / f"{name}.jpg")
        assert torch.equal(image, to_input(pixels, 300, detector(vgg).card.resize))
    seen = []
    hook = vgg.backbone.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0]))
    with torch.no_grad():
        vgg(to_float(batch.images[:1]))
    hook.remove()
    torch.testing.assert_close(seen[0], (to_float(batch.images[:1]) - vgg.mean) / vgg.std)


def test_02_a_step_is_a_step_whatever_the_batch_size(tmp_path):
    config = paper(tmp_path)
    assert config.steps * config.batch_size == 3_840_000
    assert (config.learning_rate(79_999), config.learning_rate(80_000)) == (1e-3, pytest.approx(1e-4))
    assert PRESETS["pytorch-ssd300"](tmp_path).steps == 480_000  # its arithmetic, stated instead of inherited


def test_03_the_localization_loss_is_smooth_l1_summed_over_the_four_offsets():
    box = DEFAULTS[0]
    corners = torch.cat([box[:2] - box[2:] / 2, box[:2] + box[2:] / 2])
    guess = predictions()
    matched = torch.full((1, 8732), -1)
    matched[0, 0] = 0
    with torch.no_grad():
        guess.offsets[0, 0] = torch.tensor([0.5, -0.5, 2.0, 0.0])
    losses = MultiBoxLoss(DEFAULTS, PAPER.variances)(guess, targets(corners, [1]), matched)
    assert losses.localization.item() == pytest.approx(0.125 + 0.125 + 1.5, abs=1e-5)


def test_04_a_batch_without_objects_has_a_loss_of_zero_with_gradients():
    guess = predictions()
    none = targets([], torch.tensor([], dtype=torch.int64))
    total = MultiBoxLoss(DEFAULTS, PAPER.variances)(guess, none, match(none, DEFAULTS)).total
    total.backward()
    assert total.item() == 0
    assert torch.isfinite(guess.logits.grad).all()


def test_05_a_dead_location_of_conv4_3_is_finite_forward_and_backward():
    features = torch.zeros(1, 512, 2, 2, requires_grad=True)
    normed = L2Norm(512)(features)
    normed.sum().backward()
    assert torch.isfinite(normed).all()
    assert torch.isfinite(features.grad).all()


def test_06_default_boxes_are_the_papers_and_move_with_the_model(vgg):
    assert torch.equal(vgg.default_boxes, DEFAULTS)
    width, height = DEFAULTS[5776 + 5, 2:].tolist()
    assert width / height == pytest.approx(1 / 3, abs=1e-6)
    assert DEFAULTS[:, 2:].max() * 300 == pytest.approx(264 * 2**0.5, abs=1e-3)  # wider than the image: not clipped
    assert dict(vgg.named_buffers())["default_boxes"] is vgg.default_boxes


def test_07_an_untrained_network_costs_no_more_ious_than_a_trained_one(monkeypatch):
    sizes = []
    whole = selecting.nms_by_class
    monkeypatch.setattr(selecting, "nms_by_class", lambda boxes, *rest: sizes.append(len(boxes)) or whole(boxes, *rest))
    torch.manual_seed(0)
    guess = Predictions(torch.randn(1, 8732, 21), torch.randn(1, 8732, 4))
    (found,) = selecting.postprocess(
        guess, DEFAULTS, PAPER.variances, classes=[str(i) for i in range(20)], selection=selecting.Selection()
    )
    assert len(found) == 200
    assert max(sizes) <= 2048  # of some 174,000 candidates


def test_08_nothing_found_is_no_detection_and_draws_a_plain_copy(vgg):
    image = np.zeros((50, 60, 3), np.uint8)
    result = detector(vgg)(image, min_score=1.0)
    assert len(result) == 0
    assert result.to_dict()["detections"] == []
    assert np.array_equal(np.asarray(result.draw()), image)


def test_09_of_two_objects_that_want_one_default_box_the_better_gets_it_and_the_other_another():
    box = DEFAULTS[4000]
    corners = torch.cat([box[:2] - box[2:] / 2, box[:2] + box[2:] / 2])
    off = corners + torch.tensor([0.01, 0.0, 0.01, 0.0])
    for order in ([corners, off], [off, corners]):
        matched = match(targets(torch.stack(order), [1, 2]), DEFAULTS)[0]
        assert order[int(matched[4000])] is corners
        assert set(matched.tolist()) == {-1, 0, 1}


def test_10_building_a_detector_touches_no_network(monkeypatch):
    def refuse(*_arguments, **_named):
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    ssd300_vgg16(20)


def test_11_weights_are_tensors_that_run_no_code_and_state_loads_with_weights_only(tmp_path, vgg):
    save_weights(tmp_path / "a.safetensors", vgg, detector(vgg).card)
    assert Detector.load(tmp_path / "a.safetensors").card.classes == ("blue", "red")
    config = paper(tmp_path / "run", momentum=0.0)
    optimizer = make_optimizer(vgg, momentum=0.0, weight_decay=5e-4)
    state = TrainState(config=config, model=vgg, optimizer=optimizer, progress=Progress(step=3, images_seen=3))
    state.save()
    state.progress = Progress()
    state.load()
    assert state.progress.step == 3
    torch.load(str(tmp_path / "run/state/last.pt"), weights_only=True)


def test_12_lists_name_images_relative_to_themselves(coloured, tmp_path, capsys):
    assert main(["prepare", str(coloured), "--out", str(tmp_path / "lists")]) == 0
    paths = json.loads((tmp_path / "lists/TRAIN_images.json").read_text())
    assert paths[0] == "../coloured/JPEGImages/p0.jpg"


def test_13_objects_are_counted_and_an_image_without_any_is_listed(coloured, tmp_path, capsys):
    assert main(["prepare", str(coloured), "--out", str(tmp_path / "lists"), "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)["train"]
    assert (counts["images"], counts["objects"]) == (4, 3)
    assert json.loads((tmp_path / "lists/TRAIN_objects.json").read_text())[2]["boxes"] == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [("<xmin>", "<xmin>0.5", None), ("<difficult>0</difficult>", "", None), ("<name>red", "<name>rde", "'rde'")],
)
def test_14_float_corners_are_read_missing_tags_default_and_unknown_classes_are_reported(coloured, old, new, fault):
    xml = coloured / "Annotations/p0.xml"
    xml.write_text(xml.read_text().replace(old, new))
    assert len(read_xml(xml).objects) == 1
    if fault:
        with pytest.raises(DataError, match=fault):
            load_dataset(coloured, classes=["blue", "red"])
    else:
        assert len(load_dataset(coloured)) == 4


def test_15_a_crop_without_objects_works_and_no_argument_is_changed():
    random = np.random.default_rng(0)
    assert sample_crop(random, np.zeros((0, 4))).tolist() == [0, 0, 1, 1]
    image = sample([(10, 20, 50, 60)])
    before = image.boxes_px.copy()
    augmentation = Augmentation(source_px=(0, 0, 160, 120), flip=True, interpolation=Image.Resampling.NEAREST)
    flipped, _ = apply_geometry(image, augmentation, 300)
    assert np.array_equal(image.boxes_px, before)
    np.testing.assert_allclose(flipped.boxes_px[0], [300 - 50 * 300 / 160, 50, 300 - 10 * 300 / 160, 150])
    for size in ((3, 3), (1, 1)):
        sample_augmentation(random, size, np.zeros((0, 4)))


def test_16_brightness_is_added_and_hue_has_caffes_range():
    assert (BRIGHTNESS, FACTORS, HUE_DEGREES) == (32.0, (0.5, 1.5), 36.0)  # of 255; factors; 18 of OpenCV's 180
    image = torch.full((1, 3, 4, 4), 100, dtype=torch.uint8)
    changes = {name: torch.tensor([value]) for name, value in (NO_PHOTOMETRIC | {"brightness": 32.0}).items()}
    photometric = Photometric(**changes, contrast_first=torch.tensor([True]), content_px=torch.tensor([[0, 0, 4, 4]]))
    changed = apply_photometric(image, photometric, torch.zeros(3, 1, 1))
    torch.testing.assert_close(changed, torch.full((1, 3, 4, 4), 132 / 255))


def test_17_difficult_is_a_mask_of_booleans(coloured):
    annotation = load_dataset(coloured).annotations[0]
    assert annotation.difficult.dtype == bool
    assert load_dataset(coloured, drop_difficult=True).annotations[0].boxes_px.shape == (1, 4)


def test_18_the_metric_works_for_any_classes_and_a_class_without_objects_has_no_ap(coloured):
    data = load_dataset(coloured, purpose="test", classes=["blue", "green", "red"])
    empty = DetectionTable(
        image_index=np.zeros(0, np.int64), labels=np.zeros(0, np.int64), scores=np.zeros(0), boxes_px=np.zeros((0, 4))
    )
    report = score(data, empty)
    assert {name: result.ap for name, result in report.per_class.items()} == {"blue": None, "green": None, "red": 0.0}
    assert report.map == 0.0


def test_19_drawing_leaves_the_callers_image_alone_and_shows_scores(vgg):
    image = np.zeros((300, 300, 3), np.uint8)
    result = detector(vgg)(image, min_score=0.0, top_k=3)
    drawn = np.asarray(result.draw())
    assert drawn.any()
    assert not image.any()
    assert all(not parameter.grad_fn for parameter in vgg.parameters())


@pytest.mark.slow
def test_20_runs_have_a_seed_a_validation_a_logged_rate_and_biases_that_do_not_decay(coloured, tmp_path, vgg, capsys):
    words = ["--preset", "light", "--init", "none", "--steps", "2", "--batch-size", "2", "--workers", "0"]
    assert main(["train", str(coloured), "--out", str(tmp_path / "run"), *words, "--log-every", "1"]) == 0
    rows = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert [row["lr"] > 0 for row in rows if "lr" in row] == [True, True]
    summary = json.loads((tmp_path / "run/summary.json").read_text())
    assert (summary["seed"], summary["metric"]) == (0, "voc07_11pt@0.5")
    biases = make_optimizer(vgg, momentum=0.9, weight_decay=5e-4).param_groups[-1]
    assert (biases["rate"], biases["weight_decay"]) == (2.0, 0.0)


def test_21_the_readme_names_every_verb_and_the_scripts_that_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for verb in VERBS:
        assert f"`{verb}`" in text or f"ssd300 {verb}" in text
    for script in ("create_data_list.py", "train.py", "detect.py", "eval.py"):
        assert script in text
        assert (ROOT / script).is_file()
