"""Folders, patterns, lists and standard input name images in a stable order."""

import io

import pytest

from ssd300.detection.sources import find_sources
from ssd300.errors import SSDError


def test_sources_are_found_in_order(coloured, tmp_path, monkeypatch):
    folder = coloured / "JPEGImages"
    every = sorted(folder.iterdir())
    (tmp_path / "list.txt").write_text(f"\n{every[2]}\n coloured/JPEGImages/p4.jpg \n")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{every[0]}\n\n{every[1]}\n"))
    assert find_sources([str(folder)]) == every
    assert find_sources([str(folder / "p[34].jpg")]) == every[3:]
    assert find_sources([str(tmp_path / "list.txt"), str(every[0])]) == [every[2], every[4], every[0]]
    assert find_sources(["-"]) == every[:2]


def test_every_ending_of_an_image_or_video_is_found_and_litter_is_not(tmp_path):
    named = ["a.Jpg", "b.jfif", "c.PNM", "d.MP4"]
    for name in [*named, "._a.jpg", "._d.mp4", "notes.txt", ".DS_Store"]:
        (tmp_path / name).touch()
    assert find_sources([str(tmp_path)]) == [tmp_path / name for name in named]
    assert find_sources([str(tmp_path / "*")]) == [tmp_path / name for name in named]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([], "no image was named"),
        (["none.jpg"], "no such image"),
        (["*.nothing"], "no image matches"),
        (["empty.txt"], "no path is listed"),
        (["folder"], "no images"),
    ],
)
def test_a_source_without_images_is_refused(sources, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "folder").mkdir()
    with pytest.raises(SSDError, match=message):
        find_sources(sources)
