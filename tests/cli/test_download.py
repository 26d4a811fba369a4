import hashlib

import pytest

from file_server import archive
from ssd300.cli import main
from ssd300.data.formats.voc_archives import ARCHIVES
from ssd300.system.download import RemoteFile
from ssd300.weights.named import NAMED


def test_the_verb_fetches_data_and_unpacks_it(file_server, tmp_path, monkeypatch, capsys):
    content = archive(tmp_path / "VOC.tar", {"VOCdevkit/VOC2007/Annotations/a.xml": b"<annotation/>"}).read_bytes()
    file_server.content = content
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    file = RemoteFile(name="VOC.tar", addresses=(file_server.address("plain"),), md5=md5)
    monkeypatch.setattr("ssd300.data.formats.voc_archives.ARCHIVES", {"voc": (file,)})
    assert main(["download", "voc", "--root", str(tmp_path / "data")]) == 0
    assert (tmp_path / "data/VOCdevkit/VOC2007/Annotations/a.xml").read_bytes() == b"<annotation/>"
    out, err = capsys.readouterr()
    assert f"md5 {md5} is right" in out
    assert "downloading VOC.tar" in err


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (["download", "vox"], 2, ["no 'vox'", "Did you mean voc?"]),
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
