import io
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageOps

from ssd300.data.synthetic import write_synthetic_dataset
from ssd300.images.near_copies import (
    MAX_DISTANCE,
    ImageHash,
    group_copies,
    hash_image,
    hash_images,
    nearest_copies,
)

CELLS = sorted((Path(__file__).parents[1] / "data_files/bccd/JPEGImages").iterdir())[:5]


def jpeg(image, quality):
    content = io.BytesIO()
    image.save(content, "JPEG", quality=quality)
    return Image.open(content)


def cropped(image, share):
    x, y = (round(side * share / 2) for side in image.size)
    return image.crop((x, y, image.width - x, image.height - y))


def veiled(image):
    """Opaque, but for a corner."""
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, 20, 20))
    image = image.copy()
    image.putalpha(alpha)
    return image


CHANGES = {
    "recompressed": lambda image: jpeg(image, 20),
    "half": lambda image: image.resize((image.width // 2, image.height // 2)),
    "square": lambda image: image.resize((300, 300)),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.6),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.15),
    "more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.5),
    "cropped": lambda image: cropped(image, 0.03),
    "gray": lambda image: image.convert("L"),
    "16 bits": lambda image: Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257),
    "alpha": veiled,
    "palette": lambda image: image.quantize(64),
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "turned": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "turned and mirrored": lambda image: image.transpose(Image.Transpose.TRANSVERSE),
}


@pytest.fixture(scope="module")
def cells():
    return hash_images(CELLS)


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_image_is_a_near_copy_of_its_original_alone(tmp_path, cells, change):
    changed = []
    for number, path in enumerate(CELLS):
        with Image.open(path) as image:
            CHANGES[change](image).save(tmp_path / f"{number}.png", compress_level=1)
        changed.append(hash_image(tmp_path / f"{number}.png"))
    assert [copy[0] for copy in nearest_copies(changed, cells)] == list(range(len(CELLS)))
    for number, one in enumerate(changed):
        assert list(nearest_copies([one], cells[:number] + cells[number + 1 :])) == [None]
    assert group_copies(cells + changed).tolist() == [*range(len(CELLS)), *range(len(CELLS))]


@pytest.mark.parametrize("orientation", range(2, 9))
def test_an_image_that_exif_turns_is_a_copy_of_the_one_that_is_turned(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    with Image.open(CELLS[0]) as image:
        image.save(tmp_path / "tagged.jpg", exif=exif)
    with Image.open(tmp_path / "tagged.jpg") as image:
        ImageOps.exif_transpose(image).save(tmp_path / "turned.png")
    ((_, distance),) = nearest_copies([hash_image(tmp_path / "tagged.jpg")], [hash_image(tmp_path / "turned.png")])
    assert distance < 0.1


def test_drawn_scenes_are_not_taken_for_each_other(tmp_path):
    write_synthetic_dataset(tmp_path / "drawn", train=40, test=0)
    hashes = hash_images(sorted((tmp_path / "drawn").rglob("*.jpg")))
    assert len(set(group_copies(hashes).tolist())) == 40


def test_scenes_with_signs_in_common_by_chance_are_told_apart_by_the_strengths():
    """As smooth synthetic scenes are: the signs of many weak frequencies agree, and the few strong ones do not."""
    random = np.random.default_rng(0)
    signs = random.choice([-1, 1], (16, 16)).astype(np.int8)
    strengths = np.ones((16, 16))
    strengths[:2, 1:3] = 50
    other = signs.copy()
    other[:2, 1:3] *= np.array([[1, -1], [-1, 1]], np.int8)
    copy, chance = (
        [ImageHash(content=f"{number}", signs=one, frequencies=one * strengths) for number, one in enumerate(pair)]
        for pair in ((signs, signs), (signs, other))
    )
    assert group_copies(copy).tolist() == [0, 0]
    assert group_copies(chance).tolist() == [0, 1]
    assert list(nearest_copies(chance[:1], [chance[1], *copy])) == [(1, 0.0)]
    assert list(nearest_copies(chance[:1], chance[1:])) == [None]


PLAIN = {
    "flat": lambda x, y: 0 * x + 90,
    "lighter": lambda x, y: 0 * x + 200,
    "noisy": lambda x, y: 120 + np.random.default_rng(0).integers(-2, 3, x.shape),
    "as noisy": lambda x, y: 120 + np.random.default_rng(1).integers(-2, 3, x.shape),
    "sky": lambda x, y: y / 2,
    "wall": lambda x, y: x / 2,
    "stripes": lambda x, y: x // 20 % 2 * 255,
    "wider stripes": lambda x, y: x // 40 % 2 * 255,
}


def test_plain_images_are_copies_of_none(tmp_path):
    y, x = np.mgrid[:320, :320]
    paths = [tmp_path / f"{name}.png" for name in PLAIN]
    for path, draw in zip(paths, PLAIN.values(), strict=True):
        Image.fromarray(draw(x, y).astype(np.uint8)).save(path)
    hashes = hash_images(paths)
    assert not any(found.signs.any() for found in hashes)
    assert group_copies(hashes).tolist() == list(range(len(PLAIN)))
    assert list(nearest_copies(hashes, hashes)) == [None] * len(PLAIN)
    assert group_copies([*hashes, hashes[2]]).tolist() == [*range(len(PLAIN)), 2]  # byte for byte


@pytest.mark.parametrize(
    "make",
    [
        lambda path: None,
        lambda path: path.mkdir(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("no image"),
        lambda path: path.write_bytes(CELLS[0].read_bytes()[:5000]),
        lambda path: Image.new("1", (20_000, 10_001)).save(path, "PNG"),  # above our limit
    ],
)
def test_an_image_that_cannot_be_read_has_no_hash(tmp_path, make, cells):
    make(tmp_path / "bad.jpg")
    assert hash_image(tmp_path / "bad.jpg") is None
    assert list(nearest_copies([None, cells[0]], [None, cells[0]])) == [None, (1, 0.0)]
    assert group_copies([None, None, cells[0]]).tolist() == [0, 1, 2]


def test_an_image_above_the_limit_of_pillow_is_read_without_its_warning(tmp_path):
    Image.new("L", (9500, 9500), 90).save(tmp_path / "large.png")
    assert hash_image(tmp_path / "large.png") is not None


def test_of_nothing_there_is_nothing(cells):
    assert group_copies([]).tolist() == []
    assert list(nearest_copies([], cells)) == []
    assert list(nearest_copies(cells[:2], [])) == [None, None]
    assert hash_images([]) == []


@settings(max_examples=30)
@given(st.data())
def test_groups_are_those_that_pairs_one_by_one_give(data):
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    originals = [random.choice([-1, 1], (16, 16)) for _ in range(4)]
    signs = []
    for original in data.draw(st.lists(st.sampled_from(originals), max_size=12)):
        flipped = random.random((16, 16)) < data.draw(st.sampled_from([0.0, 0.1, 0.2]))
        signs.append(np.where(flipped, -original, original).astype(np.int8))
    hashes = [
        ImageHash(content=str(number), signs=one, frequencies=one.astype(float)) for number, one in enumerate(signs)
    ]
    expected = list(range(len(signs)))
    for one, other in itertools.combinations(range(len(signs)), 2):
        if (signs[one] != signs[other]).mean() <= MAX_DISTANCE:
            low, high = sorted((expected[one], expected[other]))
            expected = [low if group == high else group for group in expected]
    assert group_copies(hashes).tolist() == expected
