import hashlib
import io
import json
from dataclasses import replace

import pytest
import torch
from torchvision.models import VGG16_Weights, vgg16
from torchvision.models.detection import SSD300_VGG16_Weights, ssd300_vgg16

from file_server import Server
from ssd300.cli import main
from ssd300.errors import WeightsError
from ssd300.model import BUILDERS
from ssd300.model.default_boxes import TORCHVISION
from ssd300.system.cache_folder import cache_folder
from ssd300.system.download import RemoteFile
from ssd300.weights.named import NAMED, fetch_named, named_detector
from ssd300.weights.start import initialize
from ssd300.weights.start_boxes import default_boxes_of_start


@pytest.mark.parametrize("name", [name for name, known in NAMED.items() if not known.is_detector])
def test_a_backbone_is_no_detector(name):
    with pytest.raises(WeightsError, match=f"{name} is a backbone") as caught:
        named_detector(name)
    assert f"--init {name}" in caught.value.fix


def test_a_file_in_the_cache_that_is_another_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("SSD300_CACHE", str(tmp_path))
    (tmp_path / NAMED["vgg16"].file.name).write_bytes(b"another file")
    with pytest.raises(WeightsError, match="not the published one"):
        fetch_named("vgg16")


def test_names_addresses_and_checksums_are_torchvisions():
    for name, theirs in (
        ("coco", SSD300_VGG16_Weights.COCO_V1),
        ("vgg16", VGG16_Weights.IMAGENET1K_V1),
        ("vgg16_features", VGG16_Weights.IMAGENET1K_FEATURES),
    ):
        file = NAMED[name].file
        assert (file.addresses, file.size_mib) == ((theirs.url,), theirs.meta["_file_size"])
        assert file.name == theirs.url.rsplit("/", 1)[1]
        assert f"-{file.sha256}." in file.name


def test_the_cache_is_where_the_environment_variable_puts_it(monkeypatch, tmp_path):
    monkeypatch.setenv("SSD300_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("SSD300_CACHE")
    assert cache_folder().name == "ssd300"


def publish(file_server: Server, monkeypatch, name: str, state: dict[str, torch.Tensor]) -> None:
    """Put a checkpoint behind a name as the real one is, but on loopback."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    file_server.content = buffer.getvalue()
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()[:8]
    file = RemoteFile(name=f"{name}-{digest}.pth", addresses=(file_server.address("breaks"),), sha256=digest)
    known = dict(NAMED) | {name: replace(NAMED[name], file=file)}
    for module in ("named", "resolve", "start_file"):
        monkeypatch.setattr(f"ssd300.weights.{module}.NAMED", known)


@pytest.mark.slow
def test_a_name_is_downloaded_imported_and_stored(file_server, tmp_path, monkeypatch, voc_sample, capsys):
    monkeypatch.setenv("SSD300_CACHE", str(tmp_path / "cache"))
    torch.manual_seed(0)
    publish(file_server, monkeypatch, "coco", ssd300_vgg16(weights=None, weights_backbone=None).state_dict())
    photo = next(iter(sorted(voc_sample.glob("VOC2007/JPEGImages/*.jpg"))))
    assert main(["detect", str(photo), "-w", "coco", "--out", str(tmp_path / "found"), "--min-score", "0.01"]) == 0
    assert (tmp_path / "found" / photo.name).is_file()
    asked = len(file_server.asked)
    assert main(["info", "coco", "--json"]) == 0
    said = json.loads(capsys.readouterr().out.split("\n", 1)[1])
    assert said["licence"] == NAMED["coco"].license
    assert said["data"] == "COCO train2017"
    assert len(said["classes"]) == 90
    assert len(file_server.asked) == asked  # once is enough
    assert len(list((tmp_path / "cache").iterdir())) == 2  # the published file, and ours
    assert default_boxes_of_start("coco") == TORCHVISION
    published = next((tmp_path / "cache").glob("*.pth"))  # as a user may have it
    assert default_boxes_of_start(str(published)) == TORCHVISION


@pytest.mark.slow
def test_a_run_starts_from_a_name(file_server, tmp_path, monkeypatch):
    monkeypatch.setenv("SSD300_CACHE", str(tmp_path / "cache"))
    features = vgg16(weights=None).features.state_dict()
    publish(file_server, monkeypatch, "vgg16", {f"features.{name}": value for name, value in features.items()})
    start = initialize(BUILDERS["ssd300_vgg16"](2), "vgg16")
    assert len(start.filled) == 13
    assert "cache" in start.source
