import pytest

from ssd300.data.class_lists import check_class_list, crop_folders, misfit
from ssd300.errors import DataError


@pytest.mark.parametrize(
    ("names", "what"),
    [
        ([], "empty"),
        (["cat", ""], "class 2 of the list has no name"),
        (["cat", "dog", "cat"], "'cat' is listed twice"),
        (["cat", " CAT"], "first as 'cat'"),
        (["\ud800"], "not valid Unicode"),
    ],
)
def test_wrong_lists_are_refused(names, what):
    with pytest.raises(DataError, match=what):
        check_class_list(names, where="names.txt")


@pytest.mark.parametrize(
    "name", ["person/child", "N/A", "a\\b", "a\0b", "a:b", "what?", "a\nb", "x" * 300, "\N{SNOWMAN}" * 90]
)
def test_comp4_cannot_hold_names_that_are_no_part_of_a_file_name(name):
    assert repr(name) in misfit("comp4", ["cat", name])


def test_comp4_cannot_hold_names_that_are_one_file_where_case_does_not_count():
    assert misfit("comp4", ["cat", "Cat"]) is not None
    assert misfit("comp4", ["cat", "hot dog", "..", "é"]) is None


@pytest.mark.parametrize("output", ["csv", "yolo", "yolo-scores", "voc"])
def test_lines_cannot_hold_line_breaks_and_json_can(output):
    for name in ("a\nb", "a\x1bb", "a\u2028b"):
        assert misfit(output, [name]) is not None
        assert misfit("jsonl", [name]) is None
    assert misfit(output, ["person/child", "N/A"]) is None


def test_no_two_classes_share_a_folder_of_crops():
    names = ["a/b", "a_b", "A_B", "a:b", "..", "con", "x" * 300]
    folders = crop_folders(names)
    assert folders[:5] == ["a_b", "a_b_2", "A_B_3", "a_b_4", "_"]
    assert len({folder.casefold() for folder in folders}) == len(names)
    assert all("/" not in folder and len(folder) < 110 for folder in folders)
