import shutil
from dataclasses import replace

from PIL import Image

from reporting.annotated import a_split, an_image, an_object
from ssd300.data.problems import Fault, Problem
from ssd300.reporting.problem_images import (
    MOST_PER_RULE,
    OF_EACH_SPLIT,
    PAIRS,
    PER_RULE,
    SAMPLES,
    ListedImages,
    pair_pictures,
    problem_pictures,
    sample_pictures,
)


def problem(image, message="dog: the box is empty", *, number=1, rule="box"):
    file = image if isinstance(image, str) else image.where
    return Problem(level="error", file=file, object=number, rule=rule, message=message, fix="Correct it.")


def titles(pictures):
    return [picture.title for picture in pictures]


def test_samples_show_every_class_and_split_and_are_the_same_again(tmp_path):
    dogs = [an_image(tmp_path, f"d{number}", an_object("dog"), an_object("dog")) for number in range(30)]
    rare = an_image(tmp_path, "rare", an_object("cat"), an_object("owl", difficult=True))
    bare = [an_image(tmp_path, f"b{number}") for number in range(3)]
    splits = {"train": a_split("train", *bare, *dogs, rare), "test": a_split("test", *bare, dogs[0])}
    pictures = sample_pictures(splits, {})
    assert len(pictures) == SAMPLES
    assert titles(pictures) == titles(sample_pictures(splits, {}))
    texts = [picture.text for picture in pictures]
    assert "train: 1 cat, 1 owl (1 difficult)." in texts
    assert [text.startswith("test") for text in texts].count(True) >= OF_EACH_SPLIT
    assert "test: 2 dog." in texts
    assert len(set(titles(pictures))) == SAMPLES  # an image of two splits is shown once
    assert texts == sorted(texts, key=lambda text: text.startswith("test"))
    assert all(alternative.startswith(picture.title) for picture in pictures for alternative, _ in picture.images)


def test_no_class_is_left_out_for_the_sake_of_a_split(tmp_path):
    same = [an_image(tmp_path, f"s{number}", an_object("dog")) for number in range(SAMPLES)]
    each = [an_image(tmp_path, f"e{number}", an_object(f"class {number}")) for number in range(SAMPLES - OF_EACH_SPLIT)]
    pictures = sample_pictures({"test": a_split("test", *same), "train": a_split("train", *each)}, {})
    assert sum("train: 1 class" in picture.text for picture in pictures) == len(each)


def test_samples_need_files_and_there_may_be_none(tmp_path):
    there, gone = an_image(tmp_path, "a"), an_image(tmp_path, "b", an_object())
    gone.image_path.unlink()
    images = (gone, there, replace(gone, image_path=None))
    assert titles(sample_pictures({"train": a_split("train", *images)}, {})) == ["a.png"]
    assert sample_pictures({"train": a_split("train", gone)}, {}) == sample_pictures({}, {}) == []


def test_good_annotations_are_preferred_as_samples(tmp_path):
    bad = [an_image(tmp_path, f"x{n}", an_object(fault=Fault("box", "it is empty"))) for n in range(SAMPLES)]
    good = [an_image(tmp_path, f"g{n}", an_object()) for n in range(SAMPLES)]
    chosen = titles(sample_pictures({"train": a_split("train", *bad, *good)}, {}))
    assert sum(title.startswith("g") for title in chosen) >= SAMPLES - 1  # the first may be any, for its class


def test_problems_are_shown_on_different_images_and_every_kind_of_them(tmp_path):
    images = [an_image(tmp_path, f"i{number}", *[an_object()] * 9) for number in range(9)]
    listed = ListedImages({"train": a_split("train", *images)})
    same = [problem(image, f"dog: the box ({n}, 2) is empty", number=n) for image in images for n in range(1, 10)]
    assert titles(problem_pictures(same, listed)) == ["i0.png, object 1", "i1.png, object 1", "i2.png, object 1"]
    kinds = [
        problem(images[0], f"dog: the box {word}", number=2) for word in ("nan", "is inverted", "is out", "is odd")
    ]
    shown = problem_pictures([*same, *kinds], listed)
    assert len(shown) == PER_RULE + 2
    assert [picture.text for picture in shown][1:] == [f"{kind.message}." for kind in kinds]
    many = [problem(images[0], "dog: " + "very " * n + "bad") for n in range(20)]
    assert len(problem_pictures(many, listed)) == MOST_PER_RULE


def test_problems_of_no_image_have_no_picture_and_of_an_unlisted_one_they_have(tmp_path):
    listed = ListedImages({})
    unlisted = tmp_path / "NEW.JPG"
    Image.new("RGB", (20, 20)).save(unlisted)
    (tmp_path / "notes.txt").write_text("text")
    files = ["", "nowhere.xml", str(tmp_path / "gone.jpg"), str(tmp_path / "notes.txt"), str(tmp_path)]
    assert problem_pictures([problem(file) for file in files], listed) == []
    assert titles(problem_pictures([problem(str(unlisted), number=None)], listed)) == ["NEW.JPG"]


def test_duplicates_are_side_by_side(tmp_path):
    first, second, other = (an_image(tmp_path, name, an_object()) for name in "abc")
    shutil.copy(first.image_path, second.image_path)
    listed = ListedImages({"train": a_split("train", first, other), "test": a_split("test", second)})
    twice = problem(str(second.image_path), "the same as a", number=None, rule="duplicate-across-splits")
    (picture,) = problem_pictures([twice], listed)
    assert (picture.title, len(picture.images), picture.text) == ("b.png and a.png", 2, "the same as a.")
    (alone,) = problem_pictures([replace(twice, rule="size")], listed)
    assert len(alone.images) == 1
    first.image_path.unlink()
    assert len(problem_pictures([twice], ListedImages(listed.splits))[0].images) == 1
    second.image_path.unlink()
    (gone,) = problem_pictures([twice], ListedImages(listed.splits))
    assert gone.text == "the same as a."


def test_what_cannot_be_drawn_is_in_the_caption(tmp_path):
    image = an_image(tmp_path, "a", an_object("dog", (1, float("nan"), 2, 3)))
    (picture,) = problem_pictures([problem(image)], ListedImages({"train": a_split("train", image)}))
    assert picture.text == "dog: the box is empty. The box cannot be drawn."
    missing = replace(image, image_path=None)
    (picture,) = problem_pictures([problem(missing)], ListedImages({"train": a_split("train", missing)}))
    assert picture.title == "a, object 1"
    assert "The image file is missing." in picture.text


def test_pairs_are_limited_and_broken_files_are_no_error(tmp_path):
    paths = [an_image(tmp_path, name).image_path for name in "ab"]
    pictures = pair_pictures([(*paths, "distance 3")] * (PAIRS + 1))
    assert len(pictures) == PAIRS
    assert (pictures[0].title, pictures[0].text, len(pictures[0].images)) == ("a.png and b.png", "distance 3.", 2)
    paths[1].unlink()
    assert "Not shown" in pair_pictures([(*paths, "")])[0].text
