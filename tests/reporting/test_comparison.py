from pathlib import Path

import pytest

from random_detections import problem, table
from ssd300.data import Dataset
from ssd300.evaluation.comparison import compare
from ssd300.reporting.comparison import (
    HEAD,
    HEADLINES,
    comparison_markdown,
    comparison_page,
    comparison_rows,
    plot_differences,
    shown_in_words,
)


@pytest.fixture
def compared():
    """B lacks the detections of every other image; there is no object of the third class."""
    annotations, rows = problem(1)
    dataset = Dataset(annotations=annotations, classes=("cat", "$dog", "none"), root=Path(), split="test")
    tables = [table(rows), table([row for row in rows if row[0] % 2])]
    return dataset, tables, compare(dataset, *tables, resamples=50)


def test_a_row_per_class_and_one_for_the_mean(compared):
    rows = comparison_rows(compared[2])
    assert [row[0] for row in rows] == ["cat", "$dog", "none", "mAP"]
    assert {len(row) for row in rows} == {len(HEAD)}
    assert rows[2][-1] == "no objects"
    assert rows[3][-1] == compared[2].overall.verdict


def test_markdown_is_one_table_below_the_verdict(compared):
    lines = comparison_markdown("old", "new", compared[2]).splitlines()
    assert lines[0].startswith(f"B is **{compared[2].overall.verdict}**")
    assert "A `old`, B `new`" in lines[0]
    assert {line.count("|") for line in lines if line.startswith("|")} == {len(HEAD) + 1}


def test_the_page_names_the_changed_images_that_cannot_be_read(compared):
    page = comparison_page(*compared, names=("old", "new"))
    assert page.galleries == []
    assert all(one.image_id in page.notes[0] for one in compared[2].changed)
    assert page.headline == HEADLINES[compared[2].overall.verdict]


def test_a_comparison_without_objects_has_a_page_and_a_plot(compared):
    dataset, tables, _ = compared
    annotations = [one for one in dataset.annotations if not len(one)]
    nothing = Dataset(annotations=annotations, classes=("none",), root=Path(), split="test")
    empty = [one.select(one.scores < 0) for one in tables]
    result = compare(nothing, *empty, resamples=5)
    page = comparison_page(nothing, empty, result, names=("old", "new"))
    assert (page.headline, page.headline_meaning, page.notes) == ("Undecided", "There is no mAP.", [])
    assert plot_differences(result).axes[0].get_yticks().tolist() == []


def test_thresholds_count_if_both_have_them(compared):
    dataset, tables, _ = compared
    both = compare(dataset, *tables, resamples=5, min_scores=({"cat": 0.2}, {"cat": 0.3}))
    assert [one["cat"] for one in both.shown] == [0.2, 0.3]
    assert "of A with a confidence from the threshold of their class (cat 0.20" in shown_in_words(both)
    one_sided = compare(dataset, *tables, resamples=5, min_scores=({"cat": 0.2}, {}))
    assert shown_in_words(one_sided) == "with a confidence of 0.5 or more"
