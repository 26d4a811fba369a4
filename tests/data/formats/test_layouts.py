"""Every layout that the documentation has in its table is read: splits, images, boxes, classes, and no file is lost."""

from pathlib import Path

import pytest

from data.exports.coco import COCO
from data.exports.drawn import Folder, Layout, box_px, size_hw
from data.exports.lists import LISTS
from data.exports.voc import VOC
from data.exports.yolo import YOLO
from data.formats.test_unread import UNREAD
from ssd300.data import Dataset, load_dataset
from ssd300.data.held_out import load_held_out
from ssd300.data.recognition import open_data
from ssd300.data.unused_files import list_files
from ssd300.images.header import is_image_name

TABLES = {"voc": VOC, "coco": COCO, "yolo": YOLO, "lists": LISTS}
LAYOUTS = {name: (kind, layout) for kind, table in TABLES.items() for name, layout in table.items()}
every_layout = pytest.mark.parametrize(("kind", "layout"), LAYOUTS.values(), ids=LAYOUTS.keys())


def make(layout: Layout, root: Path, classes: tuple[str, str] = ("cup", "fork")) -> Path:
    root.mkdir()
    return root / (layout.build(Folder(root, classes)) or "")


def check(data: Dataset, numbers, classes=("cup", "fork")) -> None:
    """The images are those of the numbers, each with its own size, box and class."""
    found = []
    for annotation in data.annotations:
        number = (annotation.size_hw[1] - size_hw(0)[1]) // 2
        assert annotation.size_hw == size_hw(number)
        assert [tuple(map(float, box)) for box in annotation.boxes_px] == [pytest.approx(box_px(number), abs=1e-4)]
        assert [data.classes[label] for label in annotation.labels] == [classes[number % 2]]
        found.append(number)
    assert sorted(found) == sorted(numbers)


@every_layout
def test_layout(kind, layout, tmp_path):
    path = make(layout, tmp_path / "d")
    open_data([path], kind)
    data = open_data([path], "auto")
    assert set(data.split_names()) == set(layout.splits)
    for split, numbers in layout.splits.items():
        if numbers:
            check(load_dataset(path, split=split), numbers)
    assert {problem.rule for problem in list_files(data).problems} == layout.reported


@every_layout
def test_splits_of_a_layout(kind, layout, tmp_path):
    path = make(layout, tmp_path / "d")
    trained = load_dataset(path)
    held_out, notes = load_held_out([path], trained)
    assert (trained.split, held_out and held_out.split) == (layout.train, layout.test), notes


@every_layout
def test_two_of_a_layout(kind, layout, tmp_path):
    paths = [make(layout, tmp_path / "a"), make(layout, tmp_path / "b", ("fork", "spoon"))]
    split = layout.train.split("+")[0]
    data = load_dataset(*paths, split=split)
    assert sorted(data.classes) == ["cup", "fork", "spoon"]
    ids = [annotation.image_id for annotation in data.annotations]
    assert len(set(ids)) == len(ids) == 2 * len(layout.splits[split])
    for path, classes in zip(paths, (("cup", "fork"), ("fork", "spoon")), strict=True):
        root = tmp_path / path.relative_to(tmp_path).parts[0]
        part = [item for item in data.annotations if item.image_path.is_relative_to(root)]
        check(Dataset(annotations=part, classes=data.classes, root=root, split=split), layout.splits[split], classes)
    trained = load_dataset(*paths)
    held_out, _ = load_held_out(paths, trained)
    assert (held_out is None) == (layout.test is None)
    measured = {item.image_path for item in held_out.annotations} if held_out else set()
    assert measured.isdisjoint(item.image_path for item in trained.annotations)


UNSPLIT_AND_SPLIT = [
    ("Label Studio, Pascal VOC XML", "Roboflow, Pascal VOC"),
    ("Label Studio, COCO", "Roboflow, COCO"),
    ("labelImg, YOLO", "Ultralytics"),
]


@pytest.mark.parametrize(("unsplit", "split"), UNSPLIT_AND_SPLIT)
def test_data_without_splits_is_never_on_both_sides(unsplit, split, tmp_path):
    paths = [make(LAYOUTS[unsplit][1], tmp_path / "a"), make(LAYOUTS[split][1], tmp_path / "b")]
    for image in filter(is_image_name, (tmp_path / "a").rglob("*")):
        image.write_bytes(image.read_bytes() + b"a")  # the images of both are drawn alike
    trained = load_dataset(*paths)
    held_out, notes = load_held_out(paths, trained)
    assert {item.image_path.relative_to(tmp_path).parts[0] for item in trained.annotations} == {"a", "b"}
    assert {item.image_path.relative_to(tmp_path).parts[0] for item in held_out.annotations} == {"b"}
    assert any(note.startswith("a: has no split for this") for note in notes)


def test_the_documentation_has_these_layouts_and_no_others():
    text = (Path(__file__).parents[3] / "docs/data.md").read_text(encoding="utf-8")
    read, not_read = (text.split(f"### {title}", 1)[1] for title in ("Layouts that are read", "What is not read"))
    assert sorted(_first_cells(read)) == sorted(LAYOUTS)
    assert sorted(_first_cells(not_read)) == sorted(UNREAD)


def _first_cells(section: str) -> list[str]:
    """The first cell of each row of the tables up to the next title."""
    rows = (line for line in section.split("\n#", 1)[0].splitlines() if line.startswith("|"))
    cells = [row.split("|")[1].strip() for row in rows]
    return [cell for cell in cells if cell not in ("layout", "what is there") and set(cell) != {"-"}]
