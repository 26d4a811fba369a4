import os
import unicodedata
from pathlib import Path, PurePosixPath

import pytest

from ssd300.data.formats.file_index import FileIndex, is_litter, key_of, nested, only_folder, walk
from ssd300.images.header import is_image_name


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def index(root: Path) -> FileIndex:
    return FileIndex(root, walk(root), is_image_name)


def written(root: Path, paths) -> list[str]:
    return [path.relative_to(root).as_posix() for path in paths]


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("a.jpg", "a"),
        ("JPEGImages/a.jpg", "a"),
        ("Annotations/a.xml", "a"),
        ("images/train/a.jpg", "train/a"),
        ("train/labels/a.txt", "train/a"),
        ("annotations/xmls/a.xml", "a"),
        ("Annotations/sub/b c.xml", "sub/b c"),
        ("a.v1.jpg", "a.v1"),
        ("images.jpg", "images"),
        ("e\u0301.jpg", "\u00e9"),
    ],
)
def test_key_of(path, key):
    assert key_of(PurePosixPath(path)) == key


def test_walk_is_sorted_and_without_litter(tmp_path):
    good = ["a.jpg", "b/c.jpg", "b/d/e.jpg"]
    litter = ["._a.jpg", ".DS_Store", "b/Thumbs.db", "b/.gitkeep", "__MACOSX/b/c.jpg", ".ipynb_checkpoints/a.jpg"]
    make(tmp_path, *litter, *reversed(good))
    assert written(tmp_path, walk(tmp_path)) == good
    assert sorted(written(tmp_path, walk(tmp_path, litter=True))) == sorted(good + litter)
    assert all(is_litter(Path(name)) for name in litter)
    assert not any(is_litter(Path(name)) for name in good)


def test_a_folder_may_be_called_as_litter_above_the_root(tmp_path):
    root = make(tmp_path / "__MACOSX", "a.jpg")
    assert written(root, walk(root)) == ["a.jpg"]


def test_links_are_followed(tmp_path):
    make(tmp_path / "far", "a.jpg")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/linked").symlink_to(tmp_path / "far")
    assert written(tmp_path / "data", walk(tmp_path / "data")) == ["linked/a.jpg"]


def test_find_by_key_else_by_name(tmp_path):
    names = ("train/a.jpg", "val/a.jpg", "val/b.jpg", "c.png", "c.jpg")
    files = index(make(tmp_path, *(f"images/{name}" for name in names)))
    assert written(tmp_path, files.find("train/a")) == ["images/train/a.jpg"]
    assert written(tmp_path, files.find("b")) == ["images/val/b.jpg"]
    assert written(tmp_path, files.find("elsewhere/b")) == ["images/val/b.jpg"]
    assert len(files.find("a")) == 2  # ambiguous
    assert len(files.find("c")) == 2
    assert files.find("d") == []
    assert tmp_path / "images/c.png" in files
    assert tmp_path / "images/d.png" not in files


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/home/ann/d/images/train/a.jpg", "images/train/a.jpg"),
        ("D:\\d\\images\\val\\a.jpg", "images/val/a.jpg"),
        ("val\\a.jpg", "images/val/a.jpg"),
        ("../x/b.jpg", "images/val/b.jpg"),
        ("B.JPG", None),  # another stem
        ("b.JPG", "images/val/b.jpg"),
        ("b.png", None),
        ("a.jpg", None),  # two files end so
        ("test/a.jpg", None),
        ("d.jpg", None),
        ("", None),
    ],
)
def test_find_written(tmp_path, path, found):
    files = index(make(tmp_path, "images/train/a.jpg", "images/val/a.jpg", "images/val/b.jpg"))
    assert files.find_written(path) == (tmp_path / found if found else None)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_one_letter_in_two_forms(tmp_path, form):
    name = unicodedata.normalize(form, "é.jpg")
    files = index(make(tmp_path, name))
    for asked in ("NFC", "NFD"):
        assert [path.name for path in files.find(unicodedata.normalize(asked, "é"))] == [name]
        assert files.find_written(unicodedata.normalize(asked, "x/é.jpg")) == tmp_path / name


def test_the_only_folder_and_those_in_it(tmp_path):
    make(tmp_path, "a/b/c/x.jpg", "a/b/d/x.jpg", "a/readme.txt", "__MACOSX/a/._x")
    assert only_folder(tmp_path) == tmp_path / "a"
    assert only_folder(tmp_path / "a/b") is None
    assert only_folder(tmp_path / "a/b/c") is None
    assert only_folder(tmp_path / "missing") is None
    assert list(nested(tmp_path)) == [tmp_path, tmp_path / "a", tmp_path / "a/b"]


def test_a_link_to_itself_ends(tmp_path):
    os.symlink(tmp_path, tmp_path / "loop")  # noqa: PTH211  # as a shell makes it
    assert len(list(nested(tmp_path))) < 100
