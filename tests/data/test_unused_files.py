"""The ledger: files on disk are used or reported, names find their files, splits are read or named.

Strays of every kind are added to datasets in every layout.
"""

import itertools
import unicodedata
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.layouts import BOX, LAYOUTS, TWO, USUAL, check, coco, objects_of, photo, text
from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.data.problems import RULES
from ssd300.errors import DataError
from ssd300.system.wording import counted

LITTER = (
    "{images}/._a.jpg", "{images}/Thumbs.db", "{images}/.DS_Store", "{images}/.ipynb_checkpoints/a-checkpoint.jpg",
    "{labels}/._a{suffix}", "{labels}/.ipynb_checkpoints/a-checkpoint{suffix}", "__MACOSX/{labels}/._a{suffix}",
    "desktop.ini",
)  # fmt: skip
OTHERS = ("README.md", "readme.txt", "LICENSE", "{images}/notes.csv", "{labels}/Notes on labels.txt", "video.mp4")
UNREAD = ("{images}/IMG_0001.HEIC", "raw/a.cr2", "{images}/more/a.svg")


def stray_kinds(layout):
    """What each kind of stray adds: a function that makes a file, and the rule that it falls under ("others": none)."""

    def empty(path):
        text(path, "words\n")

    kinds = {
        "litter": [(place, empty, "litter") for place in LITTER],
        "others": [(place, empty, "others") for place in OTHERS],
        "unread": [(place, empty, "unsupported-image") for place in UNREAD],
        "bare": [
            ("{images}/bare.png", photo, layout.bare),
            ("{images}/deep/er/bare.JPG", photo, layout.deep or layout.bare),
        ],
        "elsewhere": [("preview/p.jpg", photo, "image-without-annotation")],
    }
    if layout.label is not None:
        label = lambda path: layout.label(path, TWO)  # noqa: E731
        kinds["orphan"] = [("{labels}/orphan{suffix}", label, layout.orphan)]
        kinds["unlisted"] = [
            ("{images}/z.jpg", photo, layout.unlisted[0]), ("{labels}/z{suffix}", label, layout.unlisted[1]),
            ("{images}/sub/y.jpg", photo, layout.unlisted[0]), ("{labels}/sub/y{suffix}", label, layout.unlisted[1]),
        ]  # fmt: skip
    else:
        kinds["orphan"] = [
            ("{labels}/person_keypoints.json", lambda path: coco(path, {"z.jpg": ()}), "unlisted-annotation")
        ]
    return kinds


def add(root, layout, kinds):
    """Add strays of these kinds. Returns the rule of each by its path."""
    rules = {}
    for place, make, rule in (stray for kind in kinds for stray in stray_kinds(layout).get(kind, ())):
        path = root / place.format(images=layout.images, labels=layout.labels, suffix=layout.suffix or ".json")
        make(path)
        rules[str(path)] = rule
    return rules


def files_below(root):
    return {str(path) for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_file_is_used_or_reported_or_of_another_kind(tmp_path_factory, capsys, name):
    layout = LAYOUTS[name]

    @settings(max_examples=8, derandomize=True, deadline=None)
    @given(kinds=st.sets(st.sampled_from(["litter", "others", "unread", "bare", "elsewhere", "orphan", "unlisted"])))
    def holds(kinds):
        if name == "lists":
            kinds = kinds - {"orphan"}
        root = tmp_path_factory.mktemp(name)
        layout.write(root, USUAL)
        before = files_below(root)
        rules = add(root, layout, sorted(kinds))
        report = check(capsys, root)
        counts, disk = report["files"], files_below(root)
        reported = {
            problem["file"]: problem["rule"] for problem in report["problems"] if problem["file"] in disk - before
        }
        expected = {path: rule for path, rule in rules.items() if rule not in ("others", "used")}
        assert {path: reported.get(path) for path in expected} == expected
        assert sum(counts.values()) == len(disk)
        assert counts["reported"] == len(expected)
        assert counts["others"] == sum(rule == "others" for rule in rules.values())
        notes = load_dataset(root, require_images=False).notes if name != "voc_folders" or "bare" not in kinds else ()
        for rule, count in Counter(expected.values()).items():
            assert not notes or any(note.startswith(counted(count, RULES[rule].counted)) for note in notes), rule

    holds()


@pytest.mark.parametrize("forms", list(itertools.product(("NFC", "NFD"), repeat=2)), ids="-".join)
@pytest.mark.parametrize("name", LAYOUTS)
def test_names_are_one_in_every_form_of_unicode(tmp_path, capsys, name, forms):
    """The image has one form, and lists and descriptions another one; the label of its own has either."""
    layout, root = LAYOUTS[name], tmp_path / "data"
    usual, other = (unicodedata.normalize(form, "für-é") for form in ("NFC", "NFD"))
    layout.write(root, {"train": {usual: TWO, "b": (BOX,)}, "val": {"c": (BOX,)}})
    images, labels = root / layout.images, root / layout.labels
    if forms[0] == "NFD":
        (images / f"{usual}.jpg").rename(images / f"{other}.jpg")
    if forms[1] == "NFD" and layout.label is not None:
        (labels / f"{usual}{layout.suffix}").rename(labels / f"{other}{layout.suffix}")
    report = check(capsys, root)
    assert report["files"]["used"] == len(files_below(root))
    assert report["objects"] == 4
    assert (len(load_dataset(root)), objects_of(load_dataset(root))) == (2, 3)


@pytest.mark.parametrize("name", ["voc", "voc_beside", "voc_folders", "yolo", "yolo_lists"])
def test_two_images_of_one_name_are_ambiguous(tmp_path, capsys, name):
    layout, root = LAYOUTS[name], tmp_path / "data"
    layout.write(root, USUAL)
    photo(root / layout.images / "a.png")
    if name == "yolo_lists":
        text(root / "train.txt", "images/a.jpg\nimages/a.png\nimages/b.jpg\nimages/empty.jpg\n")
    report = check(capsys, root)
    found = [problem for problem in report["problems"] if problem["rule"] == "ambiguous-image"]
    assert found
    assert sum(report["files"].values()) == len(files_below(root))
    with pytest.raises(DataError, match=r"a\.jpg|2 images of one name"):
        load_dataset(root)
    dataset = load_dataset(root, on_bad_label="drop-image")
    assert {annotation.image_path.stem for annotation in dataset.annotations} == {"b", "empty"}


def test_the_file_name_in_the_xml_tells_two_images_of_one_name_apart(tmp_path, capsys):
    LAYOUTS["voc"].write(tmp_path, USUAL)
    photo(tmp_path / "JPEGImages/a.png")
    path = tmp_path / "Annotations/a.xml"
    text(path, path.read_text().replace("<annotation>", "<annotation><filename>a.png</filename>"))
    report = check(capsys, tmp_path)
    assert [(problem["rule"], problem["file"]) for problem in report["problems"]] == [
        ("image-without-annotation", str(tmp_path / "JPEGImages/a.jpg"))
    ]
    assert load_dataset(tmp_path).annotations[0].image_path.name == "a.png"


@pytest.mark.parametrize(
    ("name", "file"), [("voc", "ImageSets/Main/train.txt"), ("voc_beside", "train.txt"), ("yolo_lists", "train.txt")]
)
def test_an_image_that_a_list_has_twice_is_named(tmp_path, name, file):
    LAYOUTS[name].write(tmp_path, USUAL)
    path = tmp_path / file
    text(path, path.read_text() + path.read_text().splitlines()[0])
    with pytest.raises(DataError, match="listed twice"):
        load_dataset(tmp_path)


def test_one_image_of_two_entries_has_the_objects_of_both(tmp_path, capsys):
    LAYOUTS["coco"].write(tmp_path, USUAL)
    file = tmp_path / "annotations/instances_train.json"
    text(file, file.read_text().replace('"b.jpg"', '"a.jpg"'))
    report = check(capsys, tmp_path)
    assert report["objects"] == 4
    assert [problem["rule"] for problem in report["problems"]] == [
        "image-without-annotation", "duplicate-object", "image-listed-twice",
    ]  # fmt: skip
    assert objects_of(load_dataset(tmp_path)) == 3


@pytest.mark.parametrize(("name", "suffix"), [("yolo", ".txt"), ("yolo_lists", ".txt"), ("voc", ".xml")])
def test_labels_of_other_names_are_an_error_that_names_where_they_were_sought(tmp_path, name, suffix):
    layout = LAYOUTS[name]
    layout.write(tmp_path, USUAL)
    for path in [*tmp_path.rglob(f"{layout.labels.split('/')[0]}/**/*{suffix}")]:
        path.rename(path.with_name(f"label_of_{path.name}"))
    with pytest.raises(DataError, match=layout.labels):
        load_dataset(tmp_path)


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_split_is_read_or_named(tmp_path, capsys, name):
    splits = dict(USUAL)
    if name != "lists":
        splits |= {"test": {}} | ({} if name == "voc_folders" else {"extra": {"e": (BOX,)}})
        splits |= {} if name in ("voc_folders", "coco_roboflow", "yolo") else {"minival": {"c": (BOX,)}}
    root = tmp_path / "data"
    LAYOUTS[name].write(root, splits)
    for split in splits if name == "yolo" else ():
        (root / f"images/{split}").mkdir(exist_ok=True)
    if name == "voc_folders":
        del splits["test"]  # a folder that does not exist
    report = check(capsys, root)
    read = {split.casefold() for counts in report["classes"].values() for split in counts}
    named = " ".join(problem["message"] for problem in report["problems"])
    check_notes = run_notes(capsys, "check", root, "--no-pixels")
    assert_all(splits, read, check_notes + named, name)
    notes = run_notes(capsys, "convert", root, tmp_path / "new", "--to", "voc")
    written = {path.stem.casefold() for path in (tmp_path / "new/ImageSets/Main").iterdir()}
    assert_all(splits, written, notes, name)


def run_notes(capsys, *words):
    capsys.readouterr()
    main([*map(str, words)])
    return capsys.readouterr().err


def assert_all(splits, processed, notes, name):
    known = {"val": "test"} if name == "lists" else {}
    left = [split for split in splits if known.get(split, split) not in processed and f"'{split}'" not in notes]
    assert not left, notes


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--out", "r", "--eval-split", "gone"],  # which ends it once the training data is read
        ["prepare", "--out", "r"],
        ["convert", "r", "--to", "coco"],
    ],
    ids=lambda words: words[0],
)
def test_commands_say_what_they_do_not_use(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    layout = LAYOUTS["voc"]
    layout.write(tmp_path / "data", USUAL)
    rules = Counter(add(tmp_path / "data", layout, sorted(stray_kinds(layout))).values())
    verb, *options = words
    notes = run_notes(capsys, verb, "data", *options)
    for rule, count in rules.items():
        assert rule == "others" or counted(count, RULES[rule].counted) in notes


def test_a_folder_of_a_program_is_one_line(tmp_path, capsys):
    LAYOUTS["voc"].write(tmp_path, USUAL)
    text(tmp_path / "env/pyvenv.cfg", "home = /usr/bin\n")
    for folder in ("env/lib", ".git/deep", "code/__pycache__", "web/node_modules/x"):
        for name in ("a.jpg", "b.png"):
            photo(tmp_path / folder / name)
    (tmp_path / ".empty").mkdir()
    report = check(capsys, tmp_path)
    found = {problem["file"]: problem for problem in report["problems"]}
    expected = {".git": 2, "code/__pycache__": 2, "env": 3, "web/node_modules": 2}
    assert set(found) == {str(tmp_path / name) for name in expected}
    for name, count in expected.items():
        assert found[str(tmp_path / name)]["rule"] == "litter"
        assert found[str(tmp_path / name)]["fix"] == "Nothing is needed."  # no one is told to remove .git
        assert f"its {count} files are ignored" in found[str(tmp_path / name)]["message"]
    assert report["files"]["reported"] == sum(expected.values())
    assert sum(report["files"].values()) == len(files_below(tmp_path))


def test_hidden_images_that_the_data_names_are_used(tmp_path, capsys):
    LAYOUTS["yolo_lists"].write(tmp_path, USUAL)
    (tmp_path / ".data").mkdir()
    for folder in ("images", "labels"):
        (tmp_path / folder).rename(tmp_path / ".data" / folder)
    for file in tmp_path.glob("*.txt"):
        text(file, file.read_text().replace("images/", ".data/images/"))
    photo(tmp_path / ".data/images/stray.jpg")
    report = check(capsys, tmp_path)
    assert [problem["file"] for problem in report["problems"]] == [str(tmp_path / ".data/images/stray.jpg")]
    assert sum(report["files"].values()) == len(files_below(tmp_path))
