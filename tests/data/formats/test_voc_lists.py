import pytest

from ssd300.data.formats.file_index import FileIndex, walk
from ssd300.data.formats.voc_lists import find_lists, read_ids
from ssd300.errors import DataError
from ssd300.images.header import is_image_name

IDS = ("a", "b c", "sub/d", "v1.2")


@pytest.fixture
def root(tmp_path):
    for name in IDS:
        for path in (tmp_path / f"JPEGImages/{name}.jpg", tmp_path / f"Annotations/{name}.xml"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return tmp_path


def read(root, *texts):
    files = []
    for number, text in enumerate(texts):
        files.append(root / f"{number}.txt")
        files[-1].write_text(text)
    paths = list(walk(root))
    annotations = FileIndex(root, paths, lambda path: path.suffix == ".xml")
    return read_ids(files, FileIndex(root, paths, is_image_name), annotations)


def splits(root):
    return {name: [path.relative_to(root).as_posix() for path in files] for name, files in
            find_lists(root, lambda key: key in IDS).splits.items()}  # fmt: skip


def write(root, **lists):
    for path, text in lists.items():
        file = root / (path.replace("__", "/") + ".txt")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("a", "a"),
        ("  a\t", "a"),
        ("a.jpg", "a"),
        ("a.JPG", "a"),
        ("a.xml", "a"),
        ("b c", "b c"),
        ("b c.jpg", "b c"),
        ("v1.2", "v1.2"),
        ("v1.2.jpg", "v1.2"),
        ("sub/d", "sub/d"),
        ("sub\\d.jpg", "sub/d"),
        ("JPEGImages/sub/d.jpg", "sub/d"),
        ("./JPEGImages/a.jpg", "a"),
        ("Annotations/a.xml", "a"),
        ("/home/ann/voc/JPEGImages/a.jpg", "a"),
        ("D:\\voc\\JPEGImages\\b c.jpg", "b c"),
        ("../voc/JPEGImages/a.jpg", "a"),
        ("a 1", "a"),
        ("a -1", "a"),
        ("a  0", "a"),
        ("b c 1", "b c"),
        ("a.jpg 1", "a"),
        ("JPEGImages/a.jpg Annotations/a.xml", "a"),
        ("./images/a.jpg ./annotations/a.xml", "a"),
        ("JPEGImages/b c.jpg Annotations/b c.xml", "b c"),
        ("JPEGImages/a.jpg\tAnnotations/a.xml", "a"),
        ("unknown", "unknown"),
        ("unknown.jpg", "unknown"),
        ("unknown.v2", "unknown.v2"),
        ("x/unknown.jpg x/unknown.xml", "x/unknown"),
    ],
)
def test_ways_to_name_an_image(root, line, found):
    assert read(root, f"{line}\n") == [found]


def test_order_blank_lines_and_lists_of_classes(root):
    assert read(root, "sub/d\n\n a \r\n") == ["sub/d", "a"]
    assert read(root, "a 1\nb c -1\n", "b c 1\nv1.2 -1\n") == ["a", "b c", "v1.2"]
    assert read(root, "") == []


@pytest.mark.parametrize("twice", ["a\na\n", "a\na.jpg\n", "a 1\na -1\n"])
def test_an_image_listed_twice_is_an_error(root, twice):
    with pytest.raises(DataError, match=r"0\.txt:2: the id 'a' is listed twice, first in line 1"):
        read(root, twice)


@pytest.mark.parametrize("line", ["../x", "/x", "C:\\x", "/home/ann/x.jpg"])
def test_paths_that_lead_out(root, line):
    with pytest.raises(DataError, match=r"0\.txt:1: the id .* leads out of the folder"):
        read(root, line)


def test_places_of_lists(root):
    assert splits(root) == {}
    write(root, train="a\n", val_list="a\n", labels="a\n", notes="x\n", mine="b c\n")
    assert splits(root) == {"train": ["train.txt"], "val_list": ["val_list.txt"], "mine": ["mine.txt"]}
    write(root, ImageSets__train="a\n")
    assert splits(root) == {"train": ["ImageSets/train.txt"]}
    write(root, ImageSets__Main__default="a\n", ImageSets__Main__train="a\n")
    assert set(splits(root)) == {"default", "train"}


def test_lists_of_classes_are_no_splits_beside_one_for_all(root):
    write(root, ImageSets__Main__train="a\n", ImageSets__Main__cat_train="a 1\n", ImageSets__Main__cat_val="b c 1\n",
          ImageSets__Main__dog_val="b c -1\n")  # fmt: skip
    assert splits(root) == {
        "train": ["ImageSets/Main/train.txt"],
        "val": ["ImageSets/Main/cat_val.txt", "ImageSets/Main/dog_val.txt"],
    }
