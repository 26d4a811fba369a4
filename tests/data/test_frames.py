"""In which frame is a box? The truth is painted: once loaded, a box lies on the painted pixels, or a fault is named."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from data.painted import (
    FITS_BOTH,
    FITS_ONE,
    FRAMES,
    HAVE_SIZES,
    ORIENTATIONS,
    PLAIN,
    RED,
    SAYS_NOTHING,
    SIZES,
    TURNING,
    Painted,
    in_voc,
    red_box,
    write,
)  # fmt: skip
from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.data.checks.annotations import annotation_problems, count_classes
from ssd300.data.checks.findings import read_splits
from ssd300.data.frames import box_fault, cut_at_border, turn
from ssd300.data.samples import read_sample
from ssd300.errors import DataError


def are_right(dataset):
    """Whether every box lies on the pixels that are painted."""
    samples = [read_sample(annotation) for annotation in dataset.annotations]
    assert all(
        annotation.size_hw == sample.size_hw for annotation, sample in zip(dataset.annotations, samples, strict=True)
    )
    return all(np.abs(sample.boxes_px - red_box(sample.image)).max() <= 1 for sample in samples)


def problems_of_check(root):
    splits = read_splits([root], None, "auto", require_images=True).splits
    return annotation_problems(splits, count_classes(splits))


def outcome(root, name):
    """'right', or the rule of the fault: one that every command reports in its way, and that names the file."""
    faults = [problem for problem in problems_of_check(root) if problem.level == "error"]
    if not faults:
        assert are_right(load_dataset(root))
        return "right"
    assert all(name in problem.file for problem in faults)
    with pytest.raises(DataError, match=name):
        load_dataset(root)
    left = load_dataset(root, on_bad_label="drop-image")
    assert [annotation.image_path.name for annotation in left.annotations] == [PLAIN.name]
    assert left.dropped == {"images": 1}
    assert are_right(left)
    return {problem.rule for problem in faults}.pop()


def expected(image):
    """The outcome for formats that have a size. A swapped size is the right one of the other frame."""
    turns = image.orientation in TURNING
    if image.size == "wrong" or (image.size == "swapped" and not turns):
        return "size"
    if image.orientation == 1:
        return "right"
    if not turns:  # nothing in the file tells the frames apart
        return "rotated"
    if image.size in SAYS_NOTHING:
        return "right" if image.box == FITS_ONE else "rotated"
    return "box" if image.size == "swapped" else "right"


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("format_name", HAVE_SIZES)
def test_the_box_is_right_or_a_fault_is_named(tmp_path, format_name, size, orientation):
    for labeled, box in itertools.product(FRAMES, (FITS_BOTH, FITS_ONE)):
        image = Painted(orientation, labeled, size, box)
        if size == "swapped" and orientation in TURNING and box == FITS_BOTH:
            continue  # all that is in the file agrees with the other frame
        root = write(tmp_path / f"{labeled}{box[0]}", format_name, image, PLAIN)
        assert outcome(root, "a.") == expected(image), image


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("format_name", ["yolo", "lists"])
def test_formats_without_sizes_are_read_as_shown_and_say_so(tmp_path, format_name, orientation):
    root = write(tmp_path / "shown", format_name, Painted(orientation), PLAIN)
    assert outcome(root, "a.") == "right"
    notes = [note for note in load_dataset(root).notes if "EXIF" in note]
    warnings = [problem for problem in problems_of_check(root) if problem.rule == "turned-without-size"]
    assert len(notes) == len(warnings) == (orientation > 1)


@pytest.mark.parametrize("orientation", TURNING)
def test_a_box_of_lists_that_fits_the_stored_frame_alone_is_a_fault(tmp_path, orientation):
    root = write(tmp_path / "lists", "lists", Painted(orientation, "stored"), PLAIN)
    assert outcome(root, "a.") == "box"


@pytest.mark.parametrize("orientation", ORIENTATIONS[1:])
@pytest.mark.parametrize("labeled", FRAMES)
@pytest.mark.parametrize("format_name", HAVE_SIZES)
def test_other_images_tell_the_frame(tmp_path, format_name, labeled, orientation):
    unsure = Painted(orientation, labeled, "right" if orientation < TURNING[0] else "absent", FITS_BOTH)
    evidence = Painted(6, labeled, name="e.png")
    assert are_right(load_dataset(write(tmp_path / "one", format_name, unsure, evidence, PLAIN)))
    other = Painted(8, FRAMES[labeled == "shown"], name="f.png")
    both = write(tmp_path / "both", format_name, unsure, evidence, other)
    with pytest.raises(DataError, match=r"1 bad label(.|\n)*\ba\..*EXIF"):
        load_dataset(both)
    assert are_right(load_dataset(both, on_bad_label="drop-image"))


@pytest.mark.parametrize("labeled", FRAMES)
def test_an_image_of_another_split_tells_the_frame_too(tmp_path, labeled):
    root = write(tmp_path / "voc", "voc", Painted(3, labeled), Painted(6, labeled, name="e.png"), PLAIN)
    for split, ids in (("train", ["a", PLAIN.name.split(".")[0]]), ("test", ["e"])):
        (root / f"ImageSets/Main/{split}.txt").parent.mkdir(parents=True, exist_ok=True)
        (root / f"ImageSets/Main/{split}.txt").write_text("\n".join(ids))
    for path in (root / "ImageSets/Main").glob("*.txt"):
        if path.stem not in ("train", "test"):
            path.unlink()
    assert are_right(load_dataset(root, split="train"))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("labeled", FRAMES)
def test_the_sides_of_a_square_image_tell_nothing(tmp_path, labeled, orientation):
    image = Painted(orientation, labeled, box=(2, 5, 12, 9), wide_high=(30, 30))
    root = write(tmp_path / "square", "voc", image, PLAIN)
    assert outcome(root, "a.") == ("right" if orientation == 1 else "rotated")


def test_an_image_that_is_turned_and_shows_nothing_needs_no_frame(tmp_path):
    root = write(tmp_path / "voc", "voc", Painted(3), PLAIN)
    (root / "Annotations/a.xml").write_text("<annotation/>")
    assert [len(annotation) for annotation in load_dataset(root).annotations] == [0, 1]


def test_boxes_of_the_stored_frame_are_counted(tmp_path):
    root = write(tmp_path / "voc", "voc", Painted(6, "stored"), Painted(6, name="b.png"), PLAIN)
    assert [note for note in load_dataset(root).notes if "EXIF" in note] == [
        f"1 image is turned by EXIF data, and the boxes with it; first {root / 'Annotations/a.xml'}"
    ]


# Formats and frames in which every orientation can be told, where other images are evidence.
TOLD = [*itertools.product(HAVE_SIZES, FRAMES), ("yolo", "shown"), ("lists", "shown")]


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize(("format_name", "labeled"), TOLD)
def test_what_is_written_reads_back_right(tmp_path, format_name, labeled, suffix):
    images = [Painted(number, labeled, name=f"{number}{suffix}") for number in ORIENTATIONS]
    root = write(tmp_path / "data", format_name, *images)
    assert are_right(load_dataset(root))
    for form in ("voc", "coco", "yolo"):
        assert main(["convert", str(root), str(tmp_path / form), "--to", form]) == 0
        again = load_dataset(tmp_path / form)
        assert len(again) == len(images)
        assert are_right(again)
        assert not [problem for problem in problems_of_check(tmp_path / form) if problem.rule != "absent-class"]
    assert main(["prepare", str(root), "--out", str(tmp_path / "lists")]) == 0
    again = load_dataset(tmp_path / "lists")
    assert len(again) == len(images)
    assert are_right(again)


@pytest.mark.parametrize(("labeled", "box"), [("shown", FITS_ONE), ("stored", FITS_ONE), ("stored", FITS_BOTH)])
def test_an_evaluation_is_of_the_image_as_it_is_shown(tmp_path, capsys, labeled, box):
    root = write(tmp_path / "voc", "voc", Painted(6, labeled, box=box, name="a.jpg"))
    (tmp_path / "found").mkdir()
    corners = " ".join(map(str, in_voc(box)))
    (tmp_path / "found/comp4_det_test_red.txt").write_text(f"a 0.9 {corners}\n")
    words = ["eval", str(root), "--predictions", str(tmp_path / "found"), "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["map"] == 1


@pytest.mark.parametrize(
    "words",
    [
        ["check"],
        ["train", "--dry-run", "--out", "run"],
        ["eval", "--predictions", "found"],
        ["convert", "new", "--to", "coco"],
        ["prepare", "--out", "lists"],
    ],
    ids=lambda words: words[0],
)
def test_every_command_names_an_image_that_cannot_be_settled(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "data", "voc", Painted(3), PLAIN)
    verb, *options = words
    assert main([verb, "data", *options]) == 3
    printed = capsys.readouterr()
    assert "a.xml: its EXIF data turns the image (orientation 3)" in printed.out + printed.err


@settings(max_examples=30, derandomize=True, deadline=None)
@given(data=st.data(), wide=st.integers(2, 12), high=st.integers(2, 12), orientation=st.sampled_from(ORIENTATIONS))
def test_a_box_is_turned_as_the_image_is(data, wide, high, orientation):
    x1, y1 = data.draw(st.integers(0, wide - 1)), data.draw(st.integers(0, high - 1))
    box = (x1, y1, data.draw(st.integers(x1 + 1, wide)), data.draw(st.integers(y1 + 1, high)))
    stored = Image.new("RGB", (wide, high))
    stored.paste(RED, box)
    stored.getexif()[0x0112] = orientation
    found = turn(tuple(map(float, box)), orientation, (high, wide))
    assert found == red_box(np.asarray(ImageOps.exif_transpose(stored)))


@pytest.mark.parametrize(
    ("box", "fault"),
    [
        ((0.0, 0.0, 20.0, 10.0), None),
        ((-1.0, -1.0, 21.0, 11.0), None),  # a pixel outside is cut
        ((-1.5, 0.0, 20.0, 10.0), "reaches out of the image of 20 x 10"),
        ((0.0, 0.0, 20.0, 11.5), "reaches out"),
        ((5.0, 0.0, 5.0, 10.0), "is empty"),
        ((5.0, 0.0, 4.0, 10.0), "is inverted"),
        ((5.0, math.nan, 9.0, 10.0), "missing or not a number"),
        ((5.0, 0.0, math.inf, 10.0), "missing or not a number"),
    ],
)
def test_faults_of_boxes(box, fault):
    found = box_fault(box, (10, 20), box)
    assert found is None if fault is None else fault in found.message


def test_a_box_in_an_image_of_unknown_size_may_be_anywhere():
    assert box_fault((0.0, 0.0, 1e6, 1e6), None, (0.0, 0.0, 1e6, 1e6)) is None


def test_boxes_are_cut_at_every_side():
    assert cut_at_border((-1.0, -0.5, 21.0, 10.5), (10, 20)) == (0, 0, 20, 10)
    assert cut_at_border((1.0, 2.0, 3.0, 4.0), (10, 20)) == (1, 2, 3, 4)
