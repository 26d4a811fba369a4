"""Foreign checkpoints against an independent forward pass of the code that wrote them, on real photographs."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from ssd300 import Detector
from ssd300.cli import main
from ssd300.detection.torch_network import TorchNetwork
from ssd300.errors import WeightsError
from ssd300.images.to_tensor import to_input
from ssd300.model.boxes import decode
from ssd300.types import Selection
from ssd300.weights.foreign import import_weights
from weights import foreign_codes as codes
from weights import foreign_files as files


@pytest.fixture(scope="module")
def photos(voc_sample):
    paths = sorted(voc_sample.glob("VOC2007/JPEGImages/*.jpg"))[:2]
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths]


def bilinear(photo):
    pixels = torch.from_numpy(photo.copy()).permute(2, 0, 1)[None].float()
    return F.interpolate(pixels, (300, 300), mode="bilinear", align_corners=False)


def rgb_minus_mean(photo):
    return bilinear(photo) - torch.tensor([123.0, 117.0, 104.0]).view(1, 3, 1, 1)


def bgr_minus_mean(photo):
    return rgb_minus_mean(photo).flip(1)


def imagenet(photo):
    small = np.asarray(Image.fromarray(photo).resize((300, 300), Image.Resampling.BILINEAR))
    pixels = torch.from_numpy(small.copy()).permute(2, 0, 1)[None].float() / 255
    return (pixels - torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(
        1, 3, 1, 1
    )


CLIPPED = codes.caffe_boxes(clip=True)
CASES = {
    "amdegroot": ("ssd300_mAP_77.43_v2.pth", files.amdegroot, rgb_minus_mean, CLIPPED),
    "amdegroot, DataParallel": ("a.pth", files.amdegroot_parallel, rgb_minus_mean, CLIPPED),
    "lufficc": ("vgg_ssd300_voc0712.pth", files.lufficc, rgb_minus_mean, CLIPPED),
    "sgrvinod, old torch": ("checkpoint_ssd300.pth.tar", files.sgrvinod, imagenet, codes.sgrvinod_boxes()),
    "sgrvinod": ("checkpoint.pth", lambda p: files.sgrvinod(p, legacy=False), imagenet, codes.sgrvinod_boxes()),
    "caffemodel": ("VGG_VOC0712_SSD_300x300.caffemodel", files.caffemodel, bgr_minus_mean, codes.caffe_boxes()),
    "caffemodel, old": (
        "a.caffemodel", lambda p: files.caffemodel(p, old_format=True), bgr_minus_mean, codes.caffe_boxes(),
    ),
    "caffemodel of COCO": (
        "VGG_coco_SSD_300x300.caffemodel", lambda p: files.caffemodel(p, outputs=81), bgr_minus_mean,
        codes.caffe_boxes((21, 45, 99, 153, 207, 261, 315)),
    ),
    "ChainerCV": ("ssd300_voc0712_converted.npz", files.chainer, rgb_minus_mean, codes.caffe_boxes()),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@torch.no_grad()
@pytest.mark.slow
def test_boxes_and_scores_are_those_of_the_foreign_network(case, tmp_path, photos):
    name, write, preprocess, boxes = CASES[case]
    reference = write(tmp_path / name)
    new = tmp_path / "new.safetensors"
    assert main(["import", str(tmp_path / name), str(new), "--classes", "coco" if "COCO" in case else "voc"]) == 0
    detector = Detector.load(new)
    assert detector.card.classes.index("person") == (0 if "COCO" in case else 14)
    for photo in photos:
        wanted_offsets, wanted_logits = reference(preprocess(photo))
        ours = detector.network.model(to_input(photo, 300, detector.card.resize)[None])
        torch.testing.assert_close(ours.logits.softmax(2), wanted_logits.softmax(2), atol=1e-4, rtol=0)
        got = decode(ours.offsets[0], detector.network.model.default_boxes, detector.network.model.settings.variances)
        torch.testing.assert_close(got, codes.decoded(wanted_offsets[0], boxes), atol=1e-4, rtol=0)


@torch.no_grad()
@pytest.mark.slow
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


def test_a_missing_layer_another_shape_and_values_that_are_not_finite_are_errors(tmp_path):
    path = tmp_path / "a.pth"
    state = codes.initialized(codes.Amdegroot(files.VOC_OUTPUTS)).state_dict()
    for change, message_ in (
        (lambda s: s.pop("extras.3.bias"), "1 of the 71 tensors .* are missing, first extras.3.bias"),
        (lambda s: s.update({"vgg.0.weight": torch.zeros(64, 1, 3, 3)}), "vgg.0.weight has shape"),
        (lambda s: s["vgg.2.bias"].fill_(torch.nan), "vgg.2.bias holds values"),
    ):
        changed = {name: value.clone() for name, value in state.items()}
        change(changed)
        torch.save(changed, path)
        with pytest.raises(WeightsError, match=message_):
            import_weights(path)
    torch.save({"net.weight": torch.zeros(3)}, path)
    with pytest.raises(WeightsError, match="has no known layout"):
        import_weights(path)


def test_class_names_are_given_or_numbers(tmp_path, capsys):
    path, names = tmp_path / "a.pth", tmp_path / "names.txt"
    files.amdegroot(path, classes=4)
    assert import_weights(path)[1].classes == ("class 1", "class 2", "class 3")
    names.write_text("a\nb\n")
    with pytest.raises(WeightsError, match="4 outputs, including background, and --classes has 2 names"):
        import_weights(path, classes=["a", "b"])
    names.write_text("a\nb\nc\n")
    words = ["import", str(path), str(tmp_path / "n.safetensors"), "--classes", str(names), "--json"]
    assert main(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["classes"], len(said["matched"]), said["left_over"]) == (["a", "b", "c"], 71, [])
    assert main(words) == 2  # the file exists
    assert main(["import", str(path), str(tmp_path / "n.pth")]) == 2


def test_left_over_tensors_are_listed_and_stored_default_boxes_are_compared(tmp_path):
    network = codes.initialized(codes.Sgrvinod(files.VOC_OUTPUTS))
    state = network.state_dict() | {"mystery": torch.zeros(3), "priors_cxcy": network.priors_cxcy}
    torch.save(state, tmp_path / "a.pth")
    assert import_weights(tmp_path / "a.pth")[2].left_over == ("mystery",)
    torch.save(state | {"priors_cxcy": codes.caffe_boxes()}, tmp_path / "b.pth")
    with pytest.raises(WeightsError, match=r"default boxes .* differ"):
        import_weights(tmp_path / "b.pth")
