"""Transfers from a server on loopback that breaks off, stalls, lies or does not resume; no other machine is asked."""

import hashlib
import io
import itertools
import json
import tarfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from torchvision.datasets.voc import DATASET_YEAR_DICT
from torchvision.models import VGG16_Weights, vgg16
from torchvision.models.detection import SSD300_VGG16_Weights, ssd300_vgg16

from ssd300.cli import main
from ssd300.data.formats.voc_archives import ARCHIVES, VOC07, VOC12, unpack
from ssd300.errors import DataError, DownloadError
from ssd300.model import BUILDERS
from ssd300.system import download
from ssd300.system.download import RemoteFile, fetch
from ssd300.weights.named import NAMED, cache_folder
from ssd300.weights.start import initialize

CONTENT = bytes(itertools.islice(itertools.cycle(range(251)), 1_000_000))


class Server(ThreadingHTTPServer):
    """Serves CONTENT at every path, in a way that the path names."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str | None]] = []  # path and Range
        self.wait = threading.Event()

    def address(self, way: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{way}/file"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        way, span = self.path.split("/")[1], self.headers["Range"]
        asked = self.server.asked
        asked.append((way, span))
        start = int(span.removeprefix("bytes=").removesuffix("-")) if span and way != "never-resumes" else 0
        if way == "gone" or (way == "busy" and len(asked) < 3):
            self.send_error(404 if way == "gone" else 503)
            return
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        body = (bytes(len(CONTENT)) if way == "lies" else CONTENT)[start:]
        if way != "no-length":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if way == "breaks" and len(asked) < 4:
            body = body[:200_000]
        if way == "stalls" and len(asked) == 1:
            self.wfile.write(body[:300_000])
            self.wfile.flush()
            self.server.wait.wait(20)
            return
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Log nothing: the tests read `asked`."""


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setattr(download, "PAUSE_S", 0.01)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.wait.set()
        running.shutdown()
        thread.join()


def remote(*addresses: str) -> RemoteFile:
    return RemoteFile(name="file.bin", addresses=addresses, sha256=hashlib.sha256(CONTENT).hexdigest()[:8])


@pytest.mark.parametrize("way", ["plain", "breaks", "busy", "no-length", "never-resumes"])
def test_the_file_arrives_whole_and_is_asked_for_once(server, tmp_path, way):
    file = remote(server.address(way))
    assert fetch(file, tmp_path).read_bytes() == CONTENT
    requests = len(server.asked)
    assert fetch(file, tmp_path) == tmp_path / "file.bin"
    assert len(server.asked) == requests
    assert [path.name for path in tmp_path.iterdir()] == ["file.bin"]


def test_what_broke_off_is_resumed_and_not_fetched_again(server, tmp_path):
    fetch(remote(server.address("breaks")), tmp_path)
    assert server.asked == [
        ("breaks", None), ("breaks", "bytes=200000-"), ("breaks", "bytes=400000-"), ("breaks", "bytes=600000-"),
    ]  # fmt: skip


def test_a_killed_download_is_resumed_by_the_next(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:999_000])
    assert fetch(remote(server.address("plain")), tmp_path).read_bytes() == CONTENT
    assert server.asked == [("plain", "bytes=999000-")]


@pytest.mark.parametrize("left", [CONTENT, CONTENT + b"more"])
def test_a_transfer_that_ended_before_its_check_is_checked(server, tmp_path, left):
    (tmp_path / "file.bin.part").write_bytes(left)
    file = remote(server.address("plain"), server.address("plain"))
    assert fetch(file, tmp_path).read_bytes() == CONTENT


def test_a_silent_server_is_left_after_a_while_and_the_transfer_resumed(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT_S", 0.3)
    began = time.monotonic()
    assert fetch(remote(server.address("stalls")), tmp_path).read_bytes() == CONTENT
    assert time.monotonic() - began < 10
    assert server.asked[1][1] is not None  # from where it stood


def test_mirrors_are_tried_in_turn(server, tmp_path):
    file = remote(server.address("gone"), server.address("lies"), server.address("plain"))
    assert fetch(file, tmp_path).read_bytes() == CONTENT
    assert [way for way, _ in server.asked] == ["gone", "lies", "plain"]


def test_a_file_with_another_checksum_is_removed_and_reported(server, tmp_path):
    with pytest.raises(DownloadError, match=r"lies/file: the downloaded file has another checksum .* and was removed"):
        fetch(remote(server.address("lies")), tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file.bin").write_bytes(b"other")
    with pytest.raises(DownloadError, match="not the published one"):
        fetch(remote(server.address("plain")), tmp_path)
    assert (tmp_path / "file.bin").read_bytes() == b"other"  # it may be the user's


def test_without_a_network_the_error_says_which_file_to_put_where(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "PAUSE_S", 0.0)
    with pytest.raises(DownloadError) as caught:
        fetch(remote("http://127.0.0.1:1/file"), tmp_path / "cache")
    assert "file.bin could not be downloaded" in caught.value.what
    assert str(tmp_path / "cache") in (caught.value.fix or "")


def test_a_disk_without_room_is_reported_before_a_byte_comes(server, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _folder: usage)
    with pytest.raises(DownloadError, match="1,000,000 bytes do not fit"):
        fetch(remote(server.address("plain")), tmp_path)


def test_files_from_a_folder_are_checked_and_copied(tmp_path):
    stick = tmp_path / "stick"
    stick.mkdir()
    file = remote("http://127.0.0.1:1/file")
    with pytest.raises(DownloadError, match=r"file\.bin is not there"):
        fetch(file, tmp_path / "cache", from_files=stick)
    (stick / "file.bin").write_bytes(b"other")
    with pytest.raises(DownloadError, match="not the published one"):
        fetch(file, tmp_path / "cache", from_files=stick)
    (stick / "file.bin").write_bytes(CONTENT)
    assert fetch(file, tmp_path / "cache", from_files=stick).read_bytes() == CONTENT
    assert (stick / "file.bin").exists()


@pytest.mark.parametrize("change", [{"addresses": ()}, {"sha256": None}, {"addresses": ("file:///etc/passwd",)}])
def test_a_file_without_address_or_checksum_cannot_be_named(change):
    with pytest.raises(ValueError, match="address"):
        RemoteFile(**({"name": "a", "addresses": ("http://a/b",), "sha256": "00"} | change))


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
    for file, year in zip((*VOC07, *VOC12), ("2007", "2007-test", "2012"), strict=True):
        theirs = DATASET_YEAR_DICT[year]
        assert (file.name, file.addresses[0], file.md5) == (theirs["filename"], theirs["url"], theirs["md5"])
    assert ARCHIVES["voc"] == VOC07 + VOC12


def test_the_cache_is_where_the_environment_variable_puts_it(monkeypatch, tmp_path):
    monkeypatch.setenv("SSD300_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("SSD300_CACHE")
    assert cache_folder().name == "ssd300"


def archive(path: Path, names: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as file:
        for name, content in names.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path


def test_an_archive_is_unpacked_once_and_what_is_missing_is_added(tmp_path):
    path = archive(tmp_path / "voc.tar", {"VOCdevkit/VOC2007/a.xml": b"a", "VOCdevkit/VOC2007/b.jpg": b"bb"})
    root = tmp_path / "root"
    root.mkdir()
    assert unpack(path, root) == 2
    assert unpack(path, root) == 0
    (root / "VOCdevkit/VOC2007/b.jpg").write_bytes(b"b")  # as an interrupted copy leaves it
    assert unpack(path, root) == 1
    assert (root / "VOCdevkit/VOC2007/b.jpg").read_bytes() == b"bb"
    assert [child.name for child in root.iterdir()] == ["VOCdevkit"]


def test_a_broken_archive_and_one_that_leaves_its_root_are_refused(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "broken.tar").write_bytes(b"no archive")
    for path in (tmp_path / "broken.tar", archive(tmp_path / "evil.tar", {"../evil": b"x"})):
        with pytest.raises(DataError, match="not a whole tar archive"):
            unpack(path, root)
    assert not (tmp_path / "evil").exists()


def test_the_verb_fetches_data_and_unpacks_it(server, tmp_path, monkeypatch, capsys):
    content = archive(tmp_path / "VOC.tar", {"VOCdevkit/VOC2007/Annotations/a.xml": b"<annotation/>"}).read_bytes()
    monkeypatch.setitem(globals(), "CONTENT", content)
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    file = RemoteFile(name="VOC.tar", addresses=(server.address("plain"),), md5=md5)
    monkeypatch.setattr("ssd300.data.formats.voc_archives.ARCHIVES", {"voc": (file,)})
    assert main(["download", "voc", "--root", str(tmp_path / "data")]) == 0
    assert (tmp_path / "data/VOCdevkit/VOC2007/Annotations/a.xml").read_bytes() == b"<annotation/>"
    out, err = capsys.readouterr()
    assert f"md5 {md5} is right" in out
    assert "downloading VOC.tar" in err


def publish(server: Server, monkeypatch, name: str, state: dict[str, torch.Tensor]) -> None:
    """Put a checkpoint behind a name as the real one is, but on loopback."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    monkeypatch.setitem(globals(), "CONTENT", buffer.getvalue())
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()[:8]
    file = RemoteFile(name=f"{name}-{digest}.pth", addresses=(server.address("breaks"),), sha256=digest)
    known = dict(NAMED) | {name: replace(NAMED[name], file=file)}
    for module in ("named", "resolve", "start"):
        monkeypatch.setattr(f"ssd300.weights.{module}.NAMED", known)


@pytest.mark.slow
def test_a_name_is_downloaded_imported_and_stored(server, tmp_path, monkeypatch, voc_sample, capsys):
    monkeypatch.setenv("SSD300_CACHE", str(tmp_path / "cache"))
    torch.manual_seed(0)
    publish(server, monkeypatch, "coco", ssd300_vgg16(weights=None, weights_backbone=None).state_dict())
    photo = next(iter(sorted(voc_sample.glob("VOC2007/JPEGImages/*.jpg"))))
    assert main(["detect", str(photo), "-w", "coco", "--out", str(tmp_path / "found"), "--min-score", "0.01"]) == 0
    assert (tmp_path / "found" / photo.name).is_file()
    asked = len(server.asked)
    assert main(["info", "coco", "--json"]) == 0
    said = json.loads(capsys.readouterr().out.split("\n", 1)[1])
    assert said["licence"] == NAMED["coco"].license
    assert said["data"] == "COCO train2017"
    assert len(said["classes"]) == 90
    assert len(server.asked) == asked  # once is enough
    assert len(list((tmp_path / "cache").iterdir())) == 2  # the published file, and ours


def test_a_run_starts_from_a_name(server, tmp_path, monkeypatch):
    monkeypatch.setenv("SSD300_CACHE", str(tmp_path / "cache"))
    features = vgg16(weights=None).features.state_dict()
    publish(server, monkeypatch, "vgg16", {f"features.{name}": value for name, value in features.items()})
    start = initialize(BUILDERS["ssd300_vgg16"](2), "vgg16")
    assert len(start.filled) == 13
    assert "cache" in start.source


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (["download", "vox"], 2, ["no 'vox'", "voc07"]),
        (["download", "voc"], 2, ["--root"]),
        (["download", "coco", "--from-files", "{tmp}"], 1, ["ssd300_vgg16_coco-b556d3b4.pth is not there"]),
        (["info", "vgg16"], 4, ["backbone", "--init vgg16"]),
    ],
)
def test_mistakes(tmp_path, capsys, words, code, parts):
    assert main([word.format(tmp=tmp_path) for word in words]) == code
    error = capsys.readouterr().err
    assert [part for part in parts if part not in error] == []


def test_what_can_be_downloaded_is_listed(capsys):
    assert main(["download"]) == 0
    shown = capsys.readouterr().out
    for known in (*(named.file for named in NAMED.values()), *ARCHIVES["voc"]):
        assert known.checksum in shown
        assert known.name in shown
