from pathlib import Path

from ssd300.data.problems import RULES, Fault, count_in_notes

DOCS = Path(__file__).parents[2] / "docs/data.md"


def test_every_rule_is_explained_in_the_docs_with_its_level():
    rows = [line.split("|") for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    levels = {name.strip("` "): row[2] for row in rows for name in row[1].split(",")}
    assert {rule: levels[rule].split()[0].rstrip(";") for rule in RULES} == {
        rule: about.level for rule, about in RULES.items()
    }


def test_notes_count_each_rule_and_name_the_first_place():
    problems = [
        Fault("one-pixel-box", "the box is thin").at("a.xml", 2, name="cat"),
        Fault("litter", "no data").at("._a"),
        Fault("one-pixel-box", "the box is thin").at("b.xml", 1, name="cat"),
    ]
    assert count_in_notes(problems) == [
        "2 boxes are one pixel wide or high, or less; first a.xml, object 2",
        "1 file of the operating system or a notebook is ignored; first ._a",
    ]
    assert problems[0].message == "cat: the box is thin"
    assert count_in_notes([]) == []
