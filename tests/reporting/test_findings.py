import re

from ssd300.data.checks.findings import Findings
from ssd300.data.checks.problem import Problem
from ssd300.reporting.findings import write_findings

HOSTILE = "<script>alert(1)</script>"


def problem(rule, level="error", number=1):
    return Problem(
        level=level, file="a.xml", object=number, rule=rule, message=f"{HOSTILE} {number}", fix="Correct it."
    )


def written(tmp_path, **values):
    findings = Findings(coverage={"classes": {}, "sizes_px": {}}, **values)
    write_findings(tmp_path / "page.html", findings, data=["my data"])
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def test_problems_are_grouped_by_rule_and_escaped(tmp_path):
    problems = [problem("empty box"), problem("unused file", "warning"), problem("empty box", number=2)]
    text = written(tmp_path, images=2, objects=3, classes={"cat": {"train": 2, "test": 1}}, problems=problems)
    assert re.findall(r"<summary><b>(.*?)</b>: (.*?)</summary>", text) == [
        ("empty box", "2 errors"), ("unused file", "1 warning"),
    ]  # fmt: skip
    assert "<script" not in text
    assert "my data" in text
    assert "<th>train<th>test" in text


def test_data_without_problems_objects_and_classes_has_a_page(tmp_path):
    assert "No problems were found." in written(tmp_path)
