from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from reporting.annotated import an_image, an_object
from ssd300.images.colors import class_color
from ssd300.reporting.labeled_images import AT_FAULT, BESIDE, BEYOND, BLANK, NAMED, STRIPE, TILE_PX, draw_labeled

NAN, FAR = float("nan"), 1e9


def count(drawn, color):
    return int((np.asarray(drawn.image) == np.array(color)).all(axis=2).sum())


def test_boxes_lie_where_they_are_in_the_image(tmp_path):
    """The image of 240 x 160 is drawn at twice its size."""
    drawn = draw_labeled(an_image(tmp_path, "a", an_object("dog", (30, 40, 90, 120))))
    assert drawn.image.size == (TILE_PX, 320)
    assert (drawn.lack, drawn.remark) == (None, None)
    pixels = np.asarray(drawn.image)
    for x, y in ((60, 160), (180, 160), (120, 240)):  # the middle of the left, right and lower side
        assert tuple(pixels[y, x]) == class_color("dog")
    assert tuple(pixels[160, 120]) != class_color("dog")


def test_difficult_objects_are_striped_and_of_many_the_largest_of_each_class_is_named(tmp_path):
    plain = an_object("dog", (30, 40, 90, 120))
    assert count(draw_labeled(an_image(tmp_path, "a", replace(plain, difficult=True))), STRIPE) > 100
    box = an_object("dog", (60, 40, 90, 80))
    few = draw_labeled(an_image(tmp_path, "a", *[box] * NAMED))
    assert count(few, class_color("dog")) > 2 * count(draw_labeled(an_image(tmp_path, "a", box)), class_color("dog"))
    larger, cat = an_object("dog", (30, 90, 90, 150)), an_object("cat", (120, 60, 160, 100))
    tag, larger_tag, cat_tag = (78, 121), (178, 61), (118, 241)  # (y, x) in the tags above the boxes
    pixels = np.asarray(draw_labeled(an_image(tmp_path, "a", box, larger, cat)).image)
    assert [tuple(pixels[place]) for place in (tag, larger_tag)] == [class_color("dog")] * 2
    pixels = np.asarray(draw_labeled(an_image(tmp_path, "a", *[box] * NAMED, larger, cat)).image)
    assert tuple(pixels[tag]) != class_color("dog")
    assert tuple(pixels[larger_tag]) == class_color("dog")
    assert tuple(pixels[cat_tag]) == class_color("cat")
    small = an_object("dog", (60, 40, 70, 50))
    pixels = np.asarray(draw_labeled(an_image(tmp_path, "a", small, larger)).image)
    assert tuple(pixels[tag]) != class_color("dog")


@pytest.mark.parametrize(
    ("box_px", "size_wh", "remark"),
    [
        ((30, 40, 90, 120), (TILE_PX, 320), None),
        ((200, 40, 260, 120), (TILE_PX, 282), None),  # to the right: with a margin the picture shows 272 x 160
        ((-100, 40, -20, 120), (TILE_PX, 218), None),
        ((30, 40, 90, FAR), (347, TILE_PX), "goes on beyond"),
        ((FAR, FAR, 2 * FAR, 2 * FAR), (TILE_PX, 322), "goes on beyond"),
        ((90, 120, 30, 40), (TILE_PX, 320), None),
        ((90, 40, 90, 40), (TILE_PX, 320), None),
    ],
)  # fmt: skip
def test_a_box_at_fault_is_seen_also_outside_of_the_image(tmp_path, box_px, size_wh, remark):
    others = an_object("cat", (100, 60, 140, 100))
    drawn = draw_labeled(an_image(tmp_path, "a", others, an_object("dog", box_px)), at_fault=2)
    assert drawn.image.size == pytest.approx(size_wh, abs=2)
    assert count(drawn, AT_FAULT) > 40
    assert count(drawn, BESIDE) > 40
    assert count(drawn, class_color("cat")) == 0
    assert (count(drawn, BEYOND) > 100) == (drawn.image.size != (TILE_PX, 320))
    assert remark in drawn.remark if remark else drawn.remark is None


@pytest.mark.parametrize("corner", [NAN, float("inf")])
def test_a_box_without_numbers_is_said_not_to_be_drawn(tmp_path, corner):
    image = an_image(tmp_path, "a", an_object("dog", (1, corner, 20, 30)))
    assert "cannot be drawn" in draw_labeled(image, at_fault=1).remark
    assert draw_labeled(image).remark is None
    assert count(draw_labeled(image, at_fault=1), AT_FAULT) == 0


def test_a_small_object_is_shown_enlarged_in_a_far_corner(tmp_path):
    image = an_image(tmp_path, "a", an_object("dog", (20, 20, 24, 24)))
    assert image.image_path is not None
    with Image.open(image.image_path) as ground:
        ground.putpixel((21, 21), (255, 255, 0))
        ground.save(image.image_path)
    part = np.asarray(draw_labeled(image, at_fault=1).image)[200:, 360:]
    yellow = (part[..., 0] > 150) & (part[..., 1] > 150) & (part[..., 2] < 60)
    assert yellow.sum() > 30
    assert not np.asarray(draw_labeled(image).image)[200:, 360:, 0].max() > 150


def test_images_that_are_missing_or_broken_are_blank_and_say_so(tmp_path):
    image = an_image(tmp_path, "a", an_object())
    missing = draw_labeled(replace(image, image_path=None))
    assert missing.lack == "The image file is missing."
    assert count(missing, BLANK) > 1000
    assert count(missing, class_color("dog")) > 100
    image.image_path.write_bytes(image.image_path.read_bytes()[:60])
    assert draw_labeled(image, at_fault=1).lack.startswith("Not shown: ")
    image.image_path.unlink()
    assert draw_labeled(replace(image, size_hw=None)).lack.startswith("Not shown: ")
    assert draw_labeled(replace(image, size_hw=(0, 0)), at_fault=9).lack


@pytest.mark.parametrize("size_wh", [(1, 1), (1, 3000), (3000, 1), (5000, 4000)])
def test_any_shape_becomes_a_small_picture(tmp_path, size_wh):
    image = an_image(tmp_path, "a", an_object("dog", (0, 0, *size_wh)), size_wh=size_wh)
    for at_fault in (None, 1):
        drawn = draw_labeled(image, at_fault=at_fault)
        assert max(drawn.image.size) == TILE_PX
        assert min(drawn.image.size) >= TILE_PX / 4
