import pytest
from torchvision.datasets.voc import DATASET_YEAR_DICT

from file_server import archive
from ssd300.data.formats.voc_archives import ARCHIVES, VOC07, VOC12, unpack
from ssd300.errors import DataError


def test_names_addresses_and_checksums_are_torchvisions():
    for file, year in zip((*VOC07, *VOC12), ("2007", "2007-test", "2012"), strict=True):
        theirs = DATASET_YEAR_DICT[year]
        assert (file.name, file.addresses[0], file.md5) == (theirs["filename"], theirs["url"], theirs["md5"])
    assert ARCHIVES["voc"] == VOC07 + VOC12


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
