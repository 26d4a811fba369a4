import html
import re
import shlex
from pathlib import Path

from reporting.annotated import a_split, an_image, an_object
from ssd300.cli.app import app
from ssd300.data.checks.findings import Findings
from ssd300.data.checks.near_copies import NearCopy, near_copy_problems
from ssd300.data.problems import Problem
from ssd300.reporting.findings import LISTED, write_findings

HOSTILE = "<script>alert(1)</script>"


def problem(rule, level="error", number=1, file="a.xml"):
    return Problem(level=level, file=file, object=number, rule=rule, message=f"{HOSTILE} {number}", fix="Correct it.")


def written(tmp_path, splits=None, **values):
    findings = Findings(coverage={"classes": {}, "sizes_px": {}}, **values)
    page = tmp_path / "page.html"
    write_findings(page, findings, data=["my data"], splits=splits)
    return page.read_text(encoding="utf-8")


def test_problems_are_grouped_by_rule_with_errors_first_and_escaped(tmp_path):
    problems = [problem("unused file", "warning"), problem("empty box"), problem("empty box", number=2)]
    text = written(tmp_path, images=2, objects=3, classes={"cat": {"train": 2, "test": 1}}, problems=problems)
    assert re.findall(r"<h3><span[^>]*>(.*?)</span> (.*?)</h3>", text) == [
        ("error", "empty box: 2"), ("warning", "unused file: 1"),
    ]  # fmt: skip
    assert "<script" not in text
    assert "my data" in text
    assert "<th>train<th>test" in text
    assert "<img" not in text


def test_data_without_problems_objects_and_classes_has_a_page(tmp_path):
    assert "No problems were found." in written(tmp_path)


def test_of_thousands_of_problems_the_first_are_listed_and_the_rest_counted(tmp_path):
    text = written(tmp_path, problems=[problem("empty box", number=number) for number in range(30_000)])
    assert text.count("<tr><td>&lt;script") == LISTED
    assert f"The first {LISTED} of 30,000" in text
    assert "--json" in text
    assert len(text) < 200_000


def test_pictures_are_in_the_page_with_alternative_texts_and_nothing_from_elsewhere(tmp_path):
    images = [an_image(tmp_path, f"{number}'\"<b>&", an_object(HOSTILE)) for number in range(9)]
    problems = [problem(f"rule {rule}", file=image.where) for image in images for rule in range(3)]
    copy = NearCopy(
        split=HOSTILE, file=str(images[0].image_path), other_split="train", other_file="gone.jpg", distance=0.1
    )
    text = written(
        tmp_path,
        splits={"train": a_split("train", *images)},
        near_copies=[copy],
        classes={HOSTILE: {"train": 9}},
        problems=[*problems, *near_copy_problems([copy])],
    )
    assert text.count('<img src="data:image/jpeg;base64,') == text.count("<img") == 9 + 3 * 3 + 2
    assert text.count('alt="') - text.count('alt=""') == 20
    assert "<script" not in text
    assert "<b>&" not in text
    assert "://" not in text  # base64 has no colon
    assert "9 of 0 images" in text


def commands(text):
    """The commands of the page as one copies them, each understood by the command line."""
    found = [html.unescape(re.sub("<[^>]*>", "", step)) for step in re.findall(r"<pre>(.*?)</pre>", text)]
    for command in found:
        app.parse_args(shlex.split(command)[1:], exit_on_error=False, print_error=False)
    return found


def test_next_steps_train_and_check_again(tmp_path):
    page = shlex.quote(str(tmp_path / "page.html"))
    folder = shlex.quote(str(Path("my data").absolute()))
    again = f"ssd300 check {folder} --html {page} --overwrite"
    train = f"ssd300 train {folder} --out runs/first --holdout 0.2"
    assert commands(written(tmp_path)) == [train]
    assert commands(written(tmp_path, problems=[problem("unused", "warning")])) == [train, again]
    bad_box = problem("empty box")
    assert commands(written(tmp_path, problems=[bad_box])) == [f"{train} --on-bad-label drop-box", again]
    assert commands(written(tmp_path, problems=[bad_box, problem("unreadable", number=None)])) == [again]


def test_advice_about_all_of_the_data_comes_first_among_warnings(tmp_path):
    problems = [problem("a file", "warning"), problem("uncovered-class", "warning", file=""), problem("error")]
    rules = re.findall(r"</span> (.*?): 1</h3>", written(tmp_path, problems=problems))
    assert rules == ["error", "uncovered-class", "a file"]
