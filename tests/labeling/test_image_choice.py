import os

import pytest

from ssd300.errors import DataError
from ssd300.labeling.image_choice import listed_numbers
from ssd300.labeling.opening import open_labels


def test_listed_images_come_in_their_order_and_once(photos, tmp_path):
    images = open_labels(photos).images
    (tmp_path / "link").symlink_to(photos)
    lines = [images[2], tmp_path / "link/img0.png", images[2], "photos/img1.png", "elsewhere.png"]
    file = tmp_path / "next.txt"
    file.write_text("\n".join(map(str, lines)))
    notes: list[str] = []
    assert listed_numbers(file, images, notes.append) == [2, 0, 1]
    assert notes == [f"{file}: 1 path left out, as no image of this folder; the first is {tmp_path / 'elsewhere.png'}"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no path is listed"), (b"# nothing", "no path is listed"), (b"\x00\x01\x02\xff", "not text"),
        (b"a.png\nb.png", "it lists no image of this folder; its first path is"), (None, "cannot be opened"),
    ],
)  # fmt: skip
def test_a_list_without_images_of_the_folder_is_refused(photos, tmp_path, content, said):
    file = tmp_path / "next.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError, match=said):
        listed_numbers(file, open_labels(photos).images, print)


def test_a_list_in_place_of_its_folder_is_told_how_to_use_it(photos, tmp_path):
    file = tmp_path / "next.txt"
    file.write_text(os.fspath(photos / "img0.png"))
    with pytest.raises(DataError) as caught:
        open_labels(file)
    assert f"--list {file}" in str(caught.value.fix)
