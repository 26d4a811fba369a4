import os
from functools import partial

import pytest
import torch
from safetensors.torch import save_file

from ssd300.errors import WeightsError
from ssd300.model import (
    ssd300_efficientnet_lite0,
    ssd300_efficientnet_lite1,
    ssd300_efficientnet_lite2,
    ssd300_vgg16,
    ssd_lite0_fpn,
)
from ssd300.model.default_boxes import PAPER, TORCHVISION
from ssd300.model.ssd import CAFFE, IMAGENET
from ssd300.weights import Card, save_weights
from ssd300.weights.foreign import import_weights
from ssd300.weights.start import initialize
from weights import foreign_files


@pytest.fixture(scope="module")
def features():
    """All of VGG16's convolutions in torchvision's names, randomly initialized."""
    from torchvision.models import vgg16

    return dict(vgg16(weights=None).state_dict())


def save(tmp_path, tensors):
    torch.save(tensors, str(tmp_path / "vgg.pth"))
    return str(tmp_path / "vgg.pth")


@pytest.mark.slow
def test_torchvisions_vgg16_fills_the_backbone_with_its_connected_layers_decimated(tmp_path, features):
    model = ssd300_vgg16(3)
    start = initialize(model, save(tmp_path, features))
    assert len([name for name in start.filled if name.startswith("backbone")]) == 15
    assert "backbone.norm4_3" in start.random
    conv6 = model.backbone.to_conv7.conv6
    whole = features["classifier.0.weight"].view(4096, 512, 7, 7)
    assert torch.equal(conv6.weight[1, :, 1, 2], whole[4, :, 3, 6])
    assert torch.equal(model.backbone.to_conv7.conv7.weight[2, 3, 0, 0], features["classifier.3.weight"][8, 12])
    assert model.normalization == IMAGENET


@pytest.mark.slow
def test_torchvisions_features_have_no_classifier_and_caffes_means(tmp_path, features):
    blank = {name: torch.full_like(v, torch.nan) if "classifier" in name else v for name, v in features.items()}
    model = ssd300_vgg16(3)
    start = initialize(model, save(tmp_path, blank))
    assert len(start.filled) == 13
    assert torch.equal(model.backbone.to_conv4_3.conv1_1.weight, features["features.0.weight"])
    assert model.normalization == CAFFE


def test_reducedfc_is_converted_from_bgr(tmp_path, features):
    tensors = {name.removeprefix("features."): v for name, v in features.items() if name.startswith("features.")}
    tensors |= {"31.weight": torch.rand(1024, 512, 3, 3), "31.bias": torch.rand(1024)}
    tensors |= {"33.weight": torch.rand(1024, 1024, 1, 1), "33.bias": torch.rand(1024)}
    model = ssd300_vgg16(3)
    initialize(model, save(tmp_path, tensors))
    assert torch.equal(model.backbone.to_conv4_3.conv1_1.weight[:, 0], tensors["0.weight"][:, 2])
    assert torch.equal(model.backbone.to_conv7.conv6.bias, tensors["31.bias"])
    assert model.normalization == CAFFE


def test_the_warm_start_fills_ten_layers(shared):
    model = ssd300_vgg16(3)
    start = initialize(model, str(shared / "data/weights/vgg16_conv1-4.safetensors"))
    assert [name.rsplit(".")[-1] for name in start.filled][-1] == "conv4_3"
    assert len(start.filled) == 10
    assert model.normalization == IMAGENET


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("features.10.weight"), "conv3_1 of VGG16 is missing, but"),
        (lambda t: t.pop("features.0.weight"), "conv1_1 of VGG16 is missing"),
        (lambda t: t.update({"features.2.weight": torch.zeros(64, 64, 5, 5)}), r"conv1_2 has shape \(64, 64, 5, 5\)"),
    ],
)
@pytest.mark.slow
def test_a_hole_or_a_wrong_shape_fails_loudly(tmp_path, features, change, message):
    tensors = dict(features)
    change(tensors)
    with pytest.raises(WeightsError, match=message):
        initialize(ssd300_vgg16(3), save(tmp_path, tensors))


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_pickle_that_runs_code_is_refused(tmp_path):
    torch.save({"x": Hostile(str(tmp_path / "made"))}, str(tmp_path / "evil.pth"))
    with pytest.raises(WeightsError, match=r"would run posix\.mkdir"):
        initialize(ssd300_vgg16(3), str(tmp_path / "evil.pth"))
    assert not (tmp_path / "made").exists()


def test_none_fills_nothing_and_leaves_the_normalization():
    model = ssd300_vgg16(3, normalization=IMAGENET)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    start = initialize(model, "none")
    assert start.filled == ()
    assert len(start.random) == 36  # 15 + 8 + 12 convolutions, and conv4_3's scale
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert model.normalization == IMAGENET


def test_imagenet_for_the_light_model():
    model = ssd300_efficientnet_lite0(3)
    start = initialize(model, "imagenet")
    assert all(name.startswith(("extras", "heads", "backbone.norms")) for name in start.random)
    with pytest.raises(WeightsError, match="for EfficientNet-Lite and --backbone"):
        initialize(ssd300_vgg16(3), "imagenet")


def test_a_detector_of_ours_gives_all_that_fits_and_other_default_boxes_are_reported(tmp_path, caplog):
    torch.manual_seed(0)
    old = ssd300_vgg16(3, settings=TORCHVISION)
    card = Card(model="ssd300_vgg16", classes=("a", "b", "c"), settings=TORCHVISION, normalization=CAFFE)
    save_weights(tmp_path / "old.safetensors", old, card)
    new = ssd300_vgg16(2, normalization=IMAGENET)
    start = initialize(new, str(tmp_path / "old.safetensors"))
    assert new.normalization == CAFFE
    assert torch.equal(new.heads.offsets[0].weight, old.heads.offsets[0].weight)
    assert set(start.random) == {f"heads.logits.{number}" for number in range(6)}
    assert "other default boxes (torchvision)" in caplog.text
    assert "--default-boxes start keeps its boxes" in caplog.text
    assert "pixels; this run has" not in caplog.text


def saved_run(folder, classes, settings=PAPER):
    """A run folder with a light detector; each of its class outputs has a value of its own."""
    torch.manual_seed(1)
    old = ssd300_efficientnet_lite0(len(classes), settings=settings)
    card = Card(model="ssd300_efficientnet_lite0", classes=classes, settings=settings, normalization=old.normalization)
    save_weights(folder / "weights/best.safetensors", old, card)
    return old


def rows(model, number):
    """Class outputs of a map: weights and biases by (box of a cell, class with background first)."""
    head = model.heads.logits[number]
    return [one.reshape(-1, model.num_classes + 1, *one.shape[1:]) for one in (head.weight, head.bias)]


def test_classes_are_continued_by_name_and_not_by_place(tmp_path):
    old = saved_run(tmp_path / "run", ("a", "b", "c"))
    torch.manual_seed(2)
    new, untouched = (ssd300_efficientnet_lite0(3) for _ in range(2))
    new.load_state_dict(untouched.state_dict())
    start = initialize(new, str(tmp_path / "run"), ("c", "x", "a"))
    for number in range(6):
        for ours, theirs, fresh in zip(*(rows(one, number) for one in (new, old, untouched)), strict=True):
            assert torch.equal(ours[:, [0, 1, 3]], theirs[:, [0, 3, 1]])  # background, c and a
            assert torch.equal(ours[:, 2], fresh[:, 2])
        assert torch.equal(new.heads.offsets[number].weight, old.heads.offsets[number].weight)
    assert start.classes == (
        "classes: 2 of 3 continue those of the file, by name (c, a); new: 1 (x); left out of the file: 1 (b)"
    )
    assert start.random == ()


def test_the_number_of_classes_may_be_another(tmp_path):
    old = saved_run(tmp_path / "run", ("a", "b", "c"))
    new = ssd300_efficientnet_lite0(1)
    start = initialize(new, str(tmp_path / "run/weights/best.safetensors"), (" B",))
    for ours, theirs in zip(rows(new, 0), rows(old, 0), strict=True):
        assert torch.equal(ours, theirs[:, [0, 2]])
    assert start.classes.startswith("classes: 1 of 1 continue")


def test_without_a_common_class_the_outputs_of_background_alone_are_taken(tmp_path):
    old = saved_run(tmp_path / "run", ("a", "b", "c"))
    new = ssd300_efficientnet_lite0(2)
    start = initialize(new, str(tmp_path / "run"), ("x", "y"))
    assert torch.equal(rows(new, 3)[0][:, 0], rows(old, 3)[0][:, 0])
    assert start.classes.startswith("classes: 0 of 2 continue those of the file; new: 2 (x, y)")
    assert set(start.random) == {f"heads.logits.{number}" for number in range(6)}


@pytest.mark.parametrize(
    ("new", "named"),
    [
        (ssd_lite0_fpn, "the pyramid, the extra layers, the heads"),
        (partial(ssd300_efficientnet_lite0, heads="ssdlite"), "the extra layers, the heads"),
    ],
)
def test_a_pyramid_or_other_heads_start_from_the_backbone_of_a_run_without_them(tmp_path, caplog, new, named):
    old = saved_run(tmp_path / "run", ("a", "b"), settings=TORCHVISION)
    torch.manual_seed(3)
    model = new(2)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    start = initialize(model, str(tmp_path / "run"), ("a", "b"))
    assert start.notes == (f"the file is of ssd300_efficientnet_lite0; new and random are {named}",)
    assert start.classes == "classes: the heads are new, so no class continues one of the file"
    assert all(name.startswith("backbone.") for name in start.filled)
    assert not caplog.text  # of default boxes, as no offsets are taken
    for name, tensor in model.state_dict().items():
        wanted = old.state_dict() if name.startswith("backbone.") else before
        assert torch.equal(tensor, wanted[name]), name


def test_heads_of_ssdlite_are_continued_by_class_name(tmp_path):
    torch.manual_seed(1)
    old, new = (ssd_lite0_fpn(2, heads="ssdlite") for _ in range(2))
    card = Card(
        model="ssd_lite0_fpn", classes=("a", "b"), settings=PAPER, normalization=old.normalization, heads="ssdlite"
    )
    save_weights(tmp_path / "old.safetensors", old, card)
    start = initialize(new, str(tmp_path / "old.safetensors"), ("b", "x"))
    assert (start.random, start.notes) == ((), ())
    assert start.classes.startswith("classes: 1 of 2 continue")
    for ours, theirs in zip(rows(new, 0), rows(old, 0), strict=True):
        assert torch.equal(ours[:, [0, 1]], theirs[:, [0, 2]])
    assert torch.equal(new.heads.before_logits[0][0].weight, old.heads.before_logits[0][0].weight)
    assert torch.equal(new.pyramid.halve[0][1][1].running_var, old.pyramid.halve[0][1][1].running_var)


@pytest.mark.parametrize("name", ["old.pth", "old.safetensors"])
def test_a_file_without_names_is_taken_by_place_if_the_numbers_are_equal(tmp_path, name):
    old = saved_run(tmp_path / "run", ("a", "b", "c"))
    tensors = {name: tensor.contiguous() for name, tensor in old.state_dict().items()}
    path = tmp_path / name
    torch.save(tensors, str(path)) if name.endswith("pth") else save_file(tensors, path)
    new = ssd300_efficientnet_lite0(3)
    start = initialize(new, str(path), ("x", "y", "z"))
    assert torch.equal(rows(new, 0)[0], rows(old, 0)[0])
    assert start.classes == "classes: the file has no names; its 3 classes are taken by their places in the list"
    start = initialize(other := ssd300_efficientnet_lite0(2), str(path), ("x", "y"))
    assert start.classes == "classes: the file has no names and another number of classes; all class outputs are new"
    assert set(start.random) == {f"heads.logits.{number}" for number in range(6)}
    assert torch.equal(other.heads.offsets[0].weight, old.heads.offsets[0].weight)


def test_a_checkpoint_of_another_code_is_started_from_by_class_name(tmp_path):
    path = tmp_path / "ssd300_mAP_77.43_v2.pth"  # by its published name its classes are VOC's
    foreign_files.amdegroot(path)
    old, card, _ = import_weights(path)
    new = ssd300_vgg16(2, normalization=IMAGENET)
    start = initialize(new, str(path), ("Dog", "okapi"))
    for ours, theirs in zip(rows(new, 0), rows(old, 0), strict=True):
        assert torch.equal(ours[:, [0, 1]], theirs[:, [0, 1 + card.classes.index("dog")]])
    assert torch.equal(new.backbone.to_conv7.conv6.weight, old.backbone.to_conv7.conv6.weight)
    assert new.normalization == CAFFE
    assert "1 of 2 continue those of the file, by name (Dog); new: 1 (okapi); left out of the file: 19" in start.classes
    assert "amdegroot" in start.notes[0]


@pytest.mark.parametrize(("classes", "line"), [(7, "taken by their places"), (3, "all class outputs are new")])
def test_numbers_are_no_names_of_classes(tmp_path, classes, line):
    foreign_files.amdegroot(tmp_path / "mine.pth", classes=8)
    start = initialize(ssd300_vgg16(classes), str(tmp_path / "mine.pth"), tuple(map(str, range(1, classes + 1))))
    assert line in start.classes


def test_a_checkpoint_of_another_code_is_for_vgg16(tmp_path):
    foreign_files.amdegroot(tmp_path / "mine.pth")
    with pytest.raises(WeightsError, match="the file holds ssd300_vgg16"):
        initialize(ssd300_efficientnet_lite0(2), str(tmp_path / "mine.pth"), ("a", "b"))


@pytest.mark.parametrize("deeper", [ssd300_efficientnet_lite1, ssd300_efficientnet_lite2])
def test_a_deeper_network_of_the_same_family_does_not_fill_a_part_of_its_layers(tmp_path, deeper):
    model = deeper(1)
    card = Card(model=deeper.__name__, classes=("a",), settings=model.settings, normalization=model.normalization)
    save_weights(tmp_path / "run/weights/best.safetensors", model, card)
    with pytest.raises(WeightsError, match=f"holds {deeper.__name__}.*--model {deeper.__name__}"):
        initialize(ssd300_efficientnet_lite0(1), str(tmp_path / "run"), ("a",))
    torch.save(model.state_dict(), str(tmp_path / "no_card.pth"))
    with pytest.raises(WeightsError, match=r"backbone\.\S+ is (too much|missing)"):
        initialize(ssd300_efficientnet_lite0(1), str(tmp_path / "no_card.pth"), ("a",))


def test_a_folder_without_weights_and_another_backbone_are_refused(tmp_path):
    with pytest.raises(WeightsError, match="the folder has no weights/best"):
        initialize(ssd300_efficientnet_lite0(1), str(tmp_path), ("a",))
    (tmp_path / "state").mkdir()
    (tmp_path / "state/last.pt").touch()
    with pytest.raises(WeightsError, match=r"were deleted\. Resume the run, which writes them again\."):
        initialize(ssd300_efficientnet_lite0(1), str(tmp_path), ("a",))
    old = saved_run(tmp_path / "run", ("a",))
    with pytest.raises(WeightsError, match="the file holds ssd300_efficientnet_lite0"):
        initialize(ssd300_vgg16(1), str(tmp_path / "run"), ("a",))
    torch.save(old.state_dict(), str(tmp_path / "old.pth"))
    with pytest.raises(WeightsError, match=r"backbone\.\S+ is missing, or has another shape"):
        initialize(ssd300_vgg16(1), str(tmp_path / "old.pth"), ("a",))
