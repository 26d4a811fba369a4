import json
import re
import shlex
from pathlib import Path

import pytest

from ssd300.cli import main
from ssd300.cli.app import app
from ssd300.cli.next_steps import next_steps
from ssd300.reporting.next_steps import command


def test_a_command_is_quoted_for_the_shell():
    assert command("train", Path("my photos"), "--steps", 2) == "ssd300 train 'my photos' --steps 2"


def test_each_command_has_its_own_line_below_its_words(capsys):
    next_steps([("ssd300 eval own", "measure it"), ("ssd300 detect a.jpg", "try it")])
    shown = capsys.readouterr()
    assert shown.out == "\nnext:\n  measure it:\n    ssd300 eval own\n  try it:\n    ssd300 detect a.jpg\n"
    assert shown.err == ""


def test_nothing_is_printed_for_no_commands(capsys):
    next_steps([])
    assert capsys.readouterr().out == ""


def steps_of(capsys):
    """The commands below `next:`, each as its words."""
    lines = capsys.readouterr().out.partition("\nnext:\n")[2].splitlines()
    return [shlex.split(line) for line in lines if line.startswith("    ssd300 ")]


def understood(words):
    function, _bound, _ignored = app.parse_args(words[1:], exit_on_error=False, print_error=False)
    return callable(function)


@pytest.fixture
def own(coloured, tmp_path):
    """Data in a folder whose name a shell would take apart."""
    return coloured.rename(tmp_path / "my photos; $HOME")


def test_check_leads_to_training(own, capsys):
    assert main(["check", str(own)]) == 0
    *_page, training = steps_of(capsys)
    assert training == ["ssd300", "train", str(own), "--out", "runs/my photos; $HOME"]
    assert understood(training)


def test_check_leads_past_bad_boxes_but_not_past_missing_annotations(own, capsys):
    label = own / "Annotations/p0.xml"
    good = label.read_text()
    label.write_text(re.sub(r"<xmax>.*</xmax>", "<xmax>1</xmax>", good))
    assert main(["check", str(own)]) == 3
    page, training = steps_of(capsys)
    assert page[:3] == ["ssd300", "check", str(own)]
    assert training[-2:] == ["--on-bad-label", "drop-box"]
    label.unlink()
    assert main(["check", str(own)]) == 3
    assert [words[1] for words in steps_of(capsys)] == ["check"]


def test_data_without_a_held_out_split_leads_to_holdout(own, capsys, tmp_path):
    (own / "ImageSets/Main/test.txt").unlink()
    for words in (
        ["check", str(own)],
        ["prepare", str(own), "--out", str(tmp_path / "lists")],
        ["convert", str(own), "--out", str(tmp_path / "coco"), "--to", "coco"],
    ):
        assert main(words) == 0
        assert steps_of(capsys)[-1][-2:] == ["--holdout", "0.2"], words


def test_split_prepare_and_convert_lead_to_what_they_wrote(own, capsys, tmp_path):
    for words in (
        ["split", str(own), "--holdout", "0.25"],
        ["prepare", str(own)],
        ["convert", str(own), "--to", "voc"],
    ):
        out = tmp_path / "new" / words[0]
        assert main([*words, "--out", str(out)]) == 0
        steps = steps_of(capsys)
        assert all(understood(step) for step in steps)
        assert ["ssd300", "train", str(out)] in [step[:3] for step in steps]
        assert not any("--holdout" in step for step in steps)


def test_training_goes_into_a_free_folder_that_is_not_the_data(own, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, words in enumerate((["split", str(own), "--holdout", "0.25"], ["prepare", str(own)])):
        out = f"runs/lists{number}"
        assert main([*words, "--out", out]) == 0
        training = next(step for step in steps_of(capsys) if step[1] == "train")
        assert training[2:5] == [out, "--out", f"{out}-2"]
    (tmp_path / "runs/coco").mkdir()  # an empty folder is free
    assert main(["convert", str(own), "--out", "runs/coco", "--to", "coco"]) == 0
    assert steps_of(capsys)[-1][2:5] == ["runs/coco", "--out", "runs/coco-2"]
    (tmp_path / "runs" / own.name).mkdir()
    for taken in ("", "-2"):
        assert main(["check", str(own)]) == 0
        assert steps_of(capsys)[-1][3:] == ["--out", f"runs/{own.name}{taken}"]
        (tmp_path / "runs" / own.name / "file").touch()


@pytest.mark.slow
def test_eval_leads_to_a_picture_and_to_the_curves(own, light_run, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation/file").touch()
    words = ["eval", str(own), "--weights", str(light_run)]
    assert main(words) == 0
    detect, curves = steps_of(capsys)
    assert detect[1:2] + detect[3:] == ["detect", "--weights", str(light_run)]
    assert Path(detect[2]).is_file()
    assert curves == ["ssd300", *words, "--out", "evaluation-2"]
    assert main(curves[1:]) == 0
    assert steps_of(capsys) == [detect]
    options = ["--metric", "voc12", "--overlap", "above", "--min-score", "0.2", "--on-bad-image", "skip"]
    assert main([*words, *options]) == 0
    assert steps_of(capsys)[1][: -len(["--out", "evaluation"])] == ["ssd300", *words, *options]
    assert main(["eval", str(own), "--predictions", "evaluation-2"]) == 0
    assert steps_of(capsys) == []


@pytest.mark.slow
def test_an_exported_file_leads_to_detection_with_it(light_run, capsys, tmp_path):
    file = tmp_path / "my model.onnx"
    assert main(["export", "--weights", str(light_run), "--out", str(file)]) == 0
    assert steps_of(capsys) == [["ssd300", "detect", "photo.jpg", "--weights", str(file)]]


def test_verify_names_the_data_of_the_run(own, light_run, capsys):
    (light_run / "eval").mkdir()
    for name, content in (
        ("summary.json", '{"map": 0.5}'),
        ("data.json", '{"validation": {"images": 1}}'),
        ("eval/detections.jsonl", ""),
    ):
        (light_run / name).write_text(content)

    def typed(*words):
        (light_run / "config.yaml").write_text("seed: 3\n")
        (light_run / "command.txt").write_text(command(*words) + "\n")
        assert main(["verify", str(light_run)]) == 2
        return re.findall("`([^`]*)`", capsys.readouterr().err)

    train = ("train", own, "--out", light_run, "--preset", "light")
    assert typed(*train) == [command("verify", light_run, own)]
    assert typed(*train, "--eval-split", "val") == [command("verify", light_run, own, "--split", "val")]
    lists = f"{light_run}-lists"
    assert typed(*train, "--holdout", "0.4") == [
        command("split", own, "--out", lists, "--holdout", "0.4", "--seed", "3"), command("verify", light_run, lists)
    ]  # fmt: skip
    for unknown in (("train", "nowhere", "--out", light_run), ("train", own, "--gone"), ("eval", own)):
        assert typed(*unknown) == [f"ssd300 verify {light_run} DATA"]


def test_json_has_no_next_steps(own, capsys, tmp_path):
    for words in (["check", str(own)], ["split", str(own), "--holdout", "0.25", "--out", str(tmp_path / "lists")]):
        assert main([*words, "--json"]) == 0
        json.loads(capsys.readouterr().out)
