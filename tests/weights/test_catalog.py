import hashlib
import io
import json
import tarfile

import pytest

from ssd300.cli import main
from ssd300.errors import UsageError
from ssd300.system.download import RemoteFile
from ssd300.weights.catalog import download_all, known_downloads


def test_every_name_has_files_with_checksums_and_a_license(capsys):
    rows = known_downloads()
    assert [row["name"] for row in rows] == ["coco", "vgg16", "vgg16_features", "voc", "voc07", "voc12", "web-runtime"]
    for row in rows:
        assert row["licence"]
        assert all(file["checksum"] and file["addresses"] for file in row["files"])
    assert main(["download", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"known": json.loads(json.dumps(rows))}


def test_archives_of_data_are_unpacked_and_reported(tmp_path, monkeypatch):
    buffer, content = io.BytesIO(), b"<annotation/>"
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("VOCdevkit/VOC2007/Annotations/a.xml")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    (tmp_path / "VOC.tar").write_bytes(buffer.getvalue())
    md5 = hashlib.md5(buffer.getvalue(), usedforsecurity=False).hexdigest()
    file = RemoteFile(name="VOC.tar", addresses=("https://nowhere.invalid/VOC.tar",), md5=md5)
    monkeypatch.setattr("ssd300.data.formats.voc_archives.ARCHIVES", {"voc": (file,)})
    root, lines = tmp_path / "data", []
    rows = download_all(["voc"], root, from_files=tmp_path, report=lines.append)
    assert rows == [{"name": "voc", "path": str(root / "VOC.tar"), "checksum": f"md5 {md5}"}]
    assert (root / member.name).read_bytes() == content
    assert lines == [f"unpacking VOC.tar into {root}", "1 files added"]


@pytest.mark.parametrize(
    ("names", "message"), [(["vgg16", "vox"], "no 'vox' to download"), (["voc07"], "needs --root")]
)
def test_mistakes_stop_before_anything_is_downloaded(names, message):
    with pytest.raises(UsageError, match=message):
        download_all(names, None, from_files=None, report=lambda _line: None)
