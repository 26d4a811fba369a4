"""The ledger: files on disk are used or reported, images and objects come out or are counted, splits are read or named.

Strays of every kind are added to datasets in every layout.
"""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.layouts import LAYOUTS, TWO, USUAL, coco, photo, text
from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.data.problems import RULES

LITTER = (
    "{images}/._a.jpg", "{images}/Thumbs.db", "{images}/.DS_Store", "{images}/.ipynb_checkpoints/a-checkpoint.jpg",
    "{labels}/._a{suffix}", "{labels}/.ipynb_checkpoints/a-checkpoint{suffix}", "__MACOSX/{labels}/._a{suffix}",
    "desktop.ini",
)  # fmt: skip
OTHERS = ("README.md", "readme.txt", "LICENSE", "{images}/notes.csv", "{labels}/Notes on labels.txt", "video.mp4")
UNREAD = ("{images}/IMG_0001.HEIC", "raw/a.cr2", "{images}/more/a.svg")


def add_litter(root, layout):
    return dict.fromkeys(LITTER, "litter")


def stray_kinds(layout):
    """What each kind of stray adds: a function that makes a file, and the rule that it falls under ("others": none)."""

    def empty(path):
        text(path, "words\n")

    kinds = {
        "litter": [(place, empty, "litter") for place in LITTER],
        "others": [(place, empty, "others") for place in OTHERS],
        "unread": [(place, empty, "unsupported-image") for place in UNREAD],
        "bare": [("{images}/bare.png", photo, layout.bare), ("{images}/deep/er/bare.JPG", photo, layout.bare)],
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


def check(capsys, *words):
    capsys.readouterr()
    main(["check", *map(str, words), "--json", "--no-pixels"])
    return json.loads(capsys.readouterr().out)


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
            assert not notes or any(note.startswith(f"{count} {RULES[rule].counted}") for note in notes), rule

    holds()
