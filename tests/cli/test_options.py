import subprocess
import sys
from dataclasses import asdict

import pytest

from ssd300.cli import main
from ssd300.cli.app import app
from ssd300.cli.options import DataOptions, SelectionOptions, VocRuleOptions, device_for, read_classes
from ssd300.cli.verbs import VERBS
from ssd300.errors import DataError, UsageError
from ssd300.metrics.voc_rules import VocRules
from ssd300.types import Selection


def help_of(verb, capsys):
    assert main([verb, "--help"]) == 0
    return " ".join(capsys.readouterr().out.split())


def test_no_help_imports_torch_or_numpy():
    code = (
        "import sys; from ssd300.cli import main\n"
        "for verb in sys.argv[1:]: main([verb, '--help'])\n"
        "sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, *VERBS], capture_output=True).returncode == 0


def test_the_defaults_in_the_words_of_the_help_are_those_of_the_code(capsys):
    """These depend on the source of the detections, so the options themselves have no default."""
    text, usual = help_of("eval", capsys), Selection()
    assert SelectionOptions().selection() == usual
    for words in (f"[default: {usual.min_score} for weights", f"[default: {usual.max_overlap};",
                  f"[default: {usual.top_k} for weights"):  # fmt: skip
        assert words in text
    assert VocRuleOptions().rules() == VocRules()


def test_the_help_of_thresholds_has_the_overlap_of_detection(capsys):
    from ssd300.detection.detector import DISPLAY

    text = help_of("thresholds", capsys)
    assert f"[default: {DISPLAY.max_overlap}]" in text


@pytest.mark.parametrize("typed", [["jsonl", "csv"], ["jsonl,csv"], ["jsonl,", "csv"]])
def test_several_choices_may_have_commas_between(typed):
    _, bound, _ = app.parse_args(["detect", "a.jpg", "--weights", "coco", "--save", *typed], exit_on_error=False)
    assert bound.arguments["save"] == ("jsonl", "csv")
    _, bound, _ = app.parse_args(["benchmark", "--weights", "coco", "--threads", "1,2"], exit_on_error=False)
    assert bound.arguments["threads"] == (1, 2)


def test_options_that_are_given_are_selected():
    selection = SelectionOptions(min_score=0.3, top_k=7).selection()
    assert (selection.min_score, selection.max_overlap, selection.top_k) == (0.3, Selection().max_overlap, 7)
    with pytest.raises(UsageError, match="--top-k is 0"):
        SelectionOptions(top_k=0).selection()
    rules = VocRuleOptions(overlap="above", difficult="dropped").rules()
    assert {name for name, value in asdict(rules).items() if value != getattr(VocRules(), name)} == {
        "overlap", "difficult",
    }  # fmt: skip


def test_a_class_list_is_read_by_lines(tmp_path):
    file = tmp_path / "classes.txt"
    file.write_text("\ufeffred\n\n blue \n", encoding="utf-8")
    assert read_classes(file) == ["red", "blue"]
    assert read_classes(None) is None
    with pytest.raises(DataError, match="class list cannot be read"):
        read_classes(tmp_path / "none.txt")


def test_data_are_read_as_the_options_say(coloured, tmp_path, capsys):
    (tmp_path / "classes.txt").write_text("red\nblue\n")
    options = DataOptions(split="trainval", classes=tmp_path / "classes.txt")
    dataset = options.load([coloured], "test")
    assert (dataset.split, dataset.classes) == ("trainval", ("red", "blue"))
    assert "trainval" in capsys.readouterr().err
    assert options.load([coloured], "test", classes=["blue", "red"]).classes == ("blue", "red")
    assert DataOptions().load([coloured], "test").split == "test"


@pytest.mark.parametrize(
    ("weights", "device", "expected"), [("m.onnx", "auto", "cpu"), ("w.safetensors", "cpu", "cpu")]
)
def test_the_device(weights, device, expected):
    assert device_for(weights, device) == expected
    with pytest.raises(UsageError, match="runs on the CPU"):
        device_for("m.xml", "cuda")
