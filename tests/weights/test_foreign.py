"""Foreign checkpoints against an independent forward pass of the code that wrote them, on real photographs."""

import json
import os
import pickle
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))
import foreign_codes as codes

from ssd300 import Detector
from ssd300.cli import main
from ssd300.detection.torch_network import TorchNetwork
from ssd300.errors import WeightsError
from ssd300.images.to_tensor import to_input
from ssd300.model.boxes import decode
from ssd300.types import Selection
from ssd300.weights.foreign import import_weights
from ssd300.weights.pickled import read_pickled

sys.path.pop(0)
VOC_OUTPUTS = 21


@pytest.fixture(scope="module")
def photos(voc_sample):
    paths = sorted(voc_sample.glob("VOC2007/JPEGImages/*.jpg"))[:2]
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths]


def bilinear(photo):
    pixels = torch.from_numpy(photo.copy()).permute(2, 0, 1)[None].float()
    return F.interpolate(pixels, (300, 300), mode="bilinear", align_corners=False)


def rgb_less_mean(photo):
    return bilinear(photo) - torch.tensor([123.0, 117.0, 104.0]).view(1, 3, 1, 1)


def bgr_less_mean(photo):
    return rgb_less_mean(photo).flip(1)


def imagenet(photo):
    small = np.asarray(Image.fromarray(photo).resize((300, 300), Image.Resampling.BILINEAR))
    pixels = torch.from_numpy(small.copy()).permute(2, 0, 1)[None].float() / 255
    return (pixels - torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(
        1, 3, 1, 1
    )


def layers_of(network: codes.Amdegroot):
    """(paper's name, weight, bias) of every convolution of amdegroot's module."""
    names = [f"conv{s}_{n}" for s, count in enumerate((2, 2, 3, 3, 3), 1) for n in range(1, count + 1)]
    convolutions = [module for module in network.vgg if isinstance(module, nn.Conv2d)]
    pairs = list(zip([*names, "fc6", "fc7"], convolutions, strict=True))
    pairs += [(f"conv{8 + i // 2}_{i % 2 + 1}", module) for i, module in enumerate(network.extras)]
    pairs += [(f"loc{i}", module) for i, module in enumerate(network.loc)]
    pairs += [(f"conf{i}", module) for i, module in enumerate(network.conf)]
    return [(name, m.weight.detach().numpy(), m.bias.detach().numpy()) for name, m in pairs]


# --- writers in the foreign form ---


def varint(number):
    out = bytearray()
    while True:
        out.append(number & 0x7F | (0x80 if number > 0x7F else 0))
        number >>= 7
        if not number:
            return bytes(out)


def message(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def write_caffemodel(path, network, *, old_form=False):
    sources = ("conv4_3_norm", "fc7", "conv6_2", "conv7_2", "conv8_2", "conv9_2")

    def caffe_name(name):
        if name.startswith(("loc", "conf")):
            kind, number = name[:-1], int(name[-1])
            return f"{sources[number]}_mbox_{kind}"
        stage, _, rest = name.removeprefix("conv").partition("_")
        return f"conv{int(stage) - 2}_{rest}" if name.startswith("conv") and int(stage) >= 8 else name

    def blob(values):
        if old_form:
            sides = [1] * (4 - values.ndim) + list(values.shape)
            shape = b"".join(varint(number << 3) + varint(side) for number, side in enumerate(sides, start=1))
        else:
            shape = message(7, message(1, b"".join(map(varint, values.shape))))
        return shape + message(5, values.astype("<f4").tobytes())

    rows = [(caffe_name(name), [weight, bias]) for name, weight, bias in layers_of(network)]
    rows.append(("conv4_3_norm", [network.L2Norm.weight.detach().numpy()]))
    layer, name_field, blob_field = (2, 4, 6) if old_form else (100, 1, 7)
    body = message(1, b"VGG_VOC0712_SSD_300x300")
    for name, blobs in rows:
        inner = message(name_field, name.encode()) + b"".join(message(blob_field, blob(values)) for values in blobs)
        body += message(layer, inner)
    path.write_bytes(body)


def write_chainer(path, network):
    arrays = {}
    for name, weight, bias in layers_of(network):
        if name.startswith("loc"):  # x, y, w, h -> y, x, h, w
            weight, bias = (
                values.reshape(-1, 4, *values.shape[1:])[:, [1, 0, 3, 2]].reshape(values.shape)
                for values in (weight, bias)
            )
        kind, number = name[:-1], name[-1]
        where = {"loc": f"multibox/loc/{number}", "conf": f"multibox/conf/{number}"}.get(kind)
        where = where or f"extractor/{name.replace('fc', 'conv')}"
        arrays |= {f"{where}/W": weight, f"{where}/b": bias}
    arrays["extractor/norm4/scale"] = network.L2Norm.weight.detach().numpy()
    np.savez(path, **arrays)


def amdegroot(path, classes=VOC_OUTPUTS):
    network = codes.drawn(codes.Amdegroot(classes))
    torch.save(network.state_dict(), path, _use_new_zipfile_serialization=False)
    return network


def amdegroot_parallel(path):
    network = codes.drawn(codes.Amdegroot(VOC_OUTPUTS))
    torch.save({f"module.{name}": value for name, value in network.state_dict().items()}, path)
    return network


def lufficc(path):
    network = codes.drawn(codes.Lufficc(VOC_OUTPUTS))
    torch.save({"model": network.state_dict(), "optimizer": {"state": {}}, "iteration": 120000}, path)
    return network


def tutorial(path, *, legacy=True):
    network = codes.drawn(codes.Tutorial(VOC_OUTPUTS))
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9)
    state = {"epoch": 3, "model": network, "optimizer": optimizer}
    torch.save(state, path, _use_new_zipfile_serialization=not legacy)
    return network


def caffemodel(path, *, old_form=False, outputs=VOC_OUTPUTS):
    network = codes.drawn(codes.Amdegroot(outputs))
    write_caffemodel(path, network, old_form=old_form)
    return network


def chainer(path):
    network = codes.drawn(codes.Amdegroot(VOC_OUTPUTS))
    write_chainer(path, network)
    return network


CLIPPED = codes.caffe_boxes(clip=True)
CASES = {
    "amdegroot": ("ssd300_mAP_77.43_v2.pth", amdegroot, rgb_less_mean, CLIPPED),
    "amdegroot, DataParallel": ("a.pth", amdegroot_parallel, rgb_less_mean, CLIPPED),
    "lufficc": ("vgg_ssd300_voc0712.pth", lufficc, rgb_less_mean, CLIPPED),
    "tutorial, old torch": ("checkpoint_ssd300.pth.tar", tutorial, imagenet, codes.tutorial_boxes()),
    "tutorial": ("checkpoint.pth", lambda p: tutorial(p, legacy=False), imagenet, codes.tutorial_boxes()),
    "caffemodel": ("VGG_VOC0712_SSD_300x300.caffemodel", caffemodel, bgr_less_mean, codes.caffe_boxes()),
    "caffemodel, old": ("a.caffemodel", lambda p: caffemodel(p, old_form=True), bgr_less_mean, codes.caffe_boxes()),
    "caffemodel of COCO": (
        "VGG_coco_SSD_300x300.caffemodel", lambda p: caffemodel(p, outputs=81), bgr_less_mean,
        codes.caffe_boxes((21, 45, 99, 153, 207, 261, 315)),
    ),
    "ChainerCV": ("ssd300_voc0712_converted.npz", chainer, rgb_less_mean, codes.caffe_boxes()),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@torch.no_grad()
def test_boxes_and_scores_are_those_of_the_foreign_network(case, tmp_path, photos):
    name, write, preprocess, boxes = CASES[case]
    reference = write(tmp_path / name)
    new = tmp_path / "new.safetensors"
    assert main(["import", str(tmp_path / name), str(new)]) == 0
    detector = Detector.load(new)
    assert detector.card.classes.index("person") == (0 if "COCO" in case else 14)
    for photo in photos:
        wanted_offsets, wanted_logits = reference(preprocess(photo))
        ours = detector.network.model(to_input(photo, 300, detector.card.resize)[None])
        torch.testing.assert_close(ours.logits.softmax(2), wanted_logits.softmax(2), atol=1e-4, rtol=0)
        got = decode(ours.offsets[0], detector.network.model.default_boxes, detector.network.model.settings.variances)
        torch.testing.assert_close(got, codes.decoded(wanted_offsets[0], boxes), atol=1e-4, rtol=0)


@torch.no_grad()
def test_torchvisions_ssd300_detects_the_same(tmp_path, photos):
    from torchvision.models.detection import ssd300_vgg16

    torch.manual_seed(0)
    theirs = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=91, score_thresh=0.012).eval()
    torch.save(theirs.state_dict(), tmp_path / "ssd300_vgg16_coco.pth")
    model, card, report = import_weights(tmp_path / "ssd300_vgg16_coco.pth")
    assert report.layout == "torchvision ssd300_vgg16"
    assert (card.classes[0], card.classes[-1], len(card.classes)) == ("person", "toothbrush", 90)
    detector = Detector(TorchNetwork(model, card))
    for photo in photos:
        wanted = theirs([torch.from_numpy(photo.copy()).permute(2, 0, 1).float() / 255])[0]
        selection = Selection(min_score=0.012, max_overlap=0.45, top_k=200, per_class=400)
        (result,) = detector.stream([photo], selection, batch_size=1)
        assert len(result) == len(wanted["scores"]) > 50
        np.testing.assert_allclose(result.scores, wanted["scores"].numpy(), atol=1e-4)
        assert (result.labels + 1).tolist() == wanted["labels"].tolist()
        np.testing.assert_allclose(result.boxes, wanted["boxes"].numpy(), atol=1e-2)


# --- what is refused, and what is said ---


def test_a_missing_layer_another_shape_and_values_that_are_not_finite(tmp_path):
    path = tmp_path / "a.pth"
    state = codes.drawn(codes.Amdegroot(VOC_OUTPUTS)).state_dict()
    for change, message_ in (
        (lambda s: s.pop("extras.3.bias"), "1 of the 71 tensors .* are missing, first extras.3.bias"),
        (lambda s: s.update({"vgg.0.weight": torch.zeros(64, 1, 3, 3)}), "vgg.0.weight is"),
        (lambda s: s["vgg.2.bias"].fill_(torch.nan), "vgg.2.bias holds values"),
    ):
        changed = {name: value.clone() for name, value in state.items()}
        change(changed)
        torch.save(changed, path)
        with pytest.raises(WeightsError, match=message_):
            import_weights(path)
    torch.save({"net.weight": torch.zeros(3)}, path)
    with pytest.raises(WeightsError, match="no known layout"):
        import_weights(path)


def test_other_counts_of_classes_need_their_names(tmp_path, capsys):
    path, names = tmp_path / "a.pth", tmp_path / "names.txt"
    amdegroot(path, classes=4)
    with pytest.raises(WeightsError, match="4 outputs, background among them, and 0 class names"):
        import_weights(path)
    names.write_text("a\nb\nc\n")
    words = ["import", str(path), str(tmp_path / "n.safetensors"), "--classes", str(names), "--json"]
    assert main(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["classes"], len(said["matched"]), said["left_over"]) == (["a", "b", "c"], 71, [])
    assert main(words) == 2  # the file exists
    assert main(["import", str(path), str(tmp_path / "n.pth")]) == 2


def test_what_is_left_over_is_told_and_foreign_default_boxes_are_compared(tmp_path):
    network = codes.drawn(codes.Tutorial(VOC_OUTPUTS))
    state = network.state_dict() | {"mystery": torch.zeros(3), "priors_cxcy": network.priors_cxcy}
    torch.save(state, tmp_path / "a.pth")
    assert import_weights(tmp_path / "a.pth")[2].left_over == ("mystery",)
    torch.save(state | {"priors_cxcy": codes.caffe_boxes()}, tmp_path / "b.pth")
    with pytest.raises(WeightsError, match=r"default boxes .* apart"):
        import_weights(tmp_path / "b.pth")


class Hostile:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_that_would_run_code_is_refused_and_nothing_is_run(tmp_path, capsys, legacy):
    made, path = tmp_path / "made", tmp_path / "evil.pth"
    torch.save({"model": {"a": torch.zeros(3)}, "x": Hostile(made)}, path, _use_new_zipfile_serialization=not legacy)
    assert main(["import", str(path), str(tmp_path / "n.safetensors")]) == 4
    assert "would run" in capsys.readouterr().err
    assert not made.exists()
    assert not (tmp_path / "n.safetensors").exists()


@pytest.mark.parametrize(
    "opcodes",
    [
        b"cbuiltins\nexec\n(Vx=1\ntR.",
        b"cposix\nsystem\n(Vtrue\ntR.",
        b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.",
        b"(ios\nsystem\n(Vtrue\ntR.",
    ],
)
def test_names_of_pythons_own_library_are_refused_however_they_are_written(tmp_path, opcodes):
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
        archive.writestr("a/data.pkl", opcodes)
    with pytest.raises(WeightsError, match="would run"):
        read_pickled(tmp_path / "a.pth")


def test_damaged_and_hostile_files_each_get_a_sentence(tmp_path):
    good = tmp_path / "good.pth"
    amdegroot(good)
    whole = good.read_bytes()
    zipped = tmp_path / "zipped.pth"
    lufficc(zipped)
    flipped = bytearray(zipped.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    bomb = tmp_path / "bomb.pth"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", pickle.dumps({}))
        archive.writestr("a/data/0", bytes(10_000_000))
    cases = {
        "empty.pth": b"",
        "text.pth": b"this is no checkpoint",
        "cut.pth": whole[: len(whole) // 2],
        "cut.zip.pth": zipped.read_bytes()[: len(flipped) // 2],
        "flipped.pth": bytes(flipped),
        "other.pth": pickle.dumps([1, 2, 3]),
        "cut.caffemodel": message(100, message(1, b"conv1_1"))[:-3],
        "empty.caffemodel": b"",
        "odd.caffemodel": varint(100 << 3 | 2) + varint(2**40),
        "blob.caffemodel": message(100, message(1, b"c") + message(7, message(7, message(1, varint(9))))),
        "text.npz": b"text",
        "text.safetensors": struct.pack("<Q", 2**60),
    }
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
    for name in [*cases, bomb.name, "none.pth"]:
        with pytest.raises(WeightsError) as caught:
            import_weights(tmp_path / name)
        assert len(str(caught.value)) < 500, name
        assert caught.value.where == str(tmp_path / name)
