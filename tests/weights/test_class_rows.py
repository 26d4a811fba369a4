import pytest
import torch

from ssd300.weights.class_rows import match_names, match_places, take_rows


@pytest.mark.parametrize(
    ("classes", "of_file", "rows"),
    [
        (("c", "x", "a"), ("a", "b", "c"), ((0, 2), (2, 0))),
        (("Traffic  Light", "CAR "), ("car", "traffic light"), ((0, 1), (1, 0))),
        (("car", "Car"), ("Car", "car"), ((0, 1), (1, 0))),  # the exact name comes first
        (("CAR",), ("Car", "car"), ()),  # either could be meant
        (("CAR", "car"), ("car",), ((0, 0), (1, 0))),
        (("a",), ("b",), ()),
    ],
)
def test_classes_are_matched_by_folded_names(classes, of_file, rows):
    match = match_names(classes, of_file)
    assert match.rows == rows
    matched = {new for new, _ in rows}
    assert match.new == tuple(name for new, name in enumerate(classes) if new not in matched)
    assert len(match.unused) == len(of_file) - len({old for _, old in rows})


def test_the_line_of_the_log_counts_what_is_taken_new_and_unused():
    many = tuple(f"class {number}" for number in range(12))
    assert (
        match_names(("a", "b"), ("b", "a")).describe() == "classes: 2 of 2 continue those of the file, by name (a, b)"
    )
    text = match_names(("a", *many), ("A",)).describe()
    assert text.startswith("classes: 1 of 13 continue those of the file, by name (a); new: 12 (class 0, class 1,")
    assert text.endswith("class 9, …)")
    assert "taken by their places" in match_places(3).describe()


def test_rows_by_hand_and_maps_of_other_shapes_are_left_out():
    """Two boxes of a cell; a file with background, a and b, a detector with background and b."""
    given = {"heads.logits.0.bias": torch.arange(6.0), "heads.logits.1.bias": torch.arange(9.0)}
    state = {name: torch.zeros(4) for name in (*given, "heads.offsets.0.bias")}
    taken = take_rows(state, given, match_names(("b",), ("a", "b")), (2, 3))
    assert {name: tensor.tolist() for name, tensor in taken.items()} == {"heads.logits.0.bias": [0, 2, 3, 5]}
    assert state["heads.logits.0.bias"].tolist() == [0, 0, 0, 0]
