import pytest
from PIL import Image

from data.checks.spoilt import assert_found, run
from ssd300.cli import main

SPOILT = {
    "image-without-annotation": (
        lambda d: Image.new("RGB", (9, 9)).save(d / "JPEGImages/z.jpg"), "warning", "z.jpg", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", SPOILT)
def test_each_rule(data, capsys, rule):
    assert_found(data, capsys, rule, SPOILT[rule])


@pytest.mark.parametrize(
    ("format_name", "unused", "rule"),
    [("coco", "z.jpg", "image-without-annotation"), ("yolo", "z.txt", "annotation-without-image")],
)
def test_unused_files_of_coco_and_yolo_are_reported(data, tmp_path, capsys, format_name, unused, rule):
    folder = tmp_path / format_name
    assert main(["convert", str(data), str(folder), "--to", format_name]) == 0
    capsys.readouterr()
    assert not run(capsys, folder, "--no-pixels")[1]["problems"]
    places = {path.parent for path in folder.rglob("*/*") if path.suffix == unused[1:]}
    for place in places:
        for name in (unused, "classes.txt", "readme.md"):
            (place / name).write_text("0 .5 .5 .1 .1")
    found = [(problem["rule"], problem["file"]) for problem in run(capsys, folder, "--no-pixels")[1]["problems"]]
    assert sorted(found) == sorted((rule, str(place / unused)) for place in places)
    assert len(found) == 2
