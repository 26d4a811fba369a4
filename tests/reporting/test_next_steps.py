import shlex

import pytest

from ssd300.cli.app import app
from ssd300.reporting.next_steps import EXAMPLE, as_typed, step_to_resume, steps_of_run, steps_with_weights


def understood(command):
    """The words of a command after `ssd300`, which the command line understands."""
    program, *words = shlex.split(command)
    assert program == "ssd300"
    function, _bound, _ignored = app.parse_args(words, exit_on_error=False, print_error=False)
    assert callable(function)
    return words


@pytest.fixture
def run(tmp_path):
    """Of a folder whose name a shell would take apart."""
    folder = tmp_path / "my run; $(it's)"
    (folder / "weights").mkdir(parents=True)
    return folder


def test_the_commands_of_a_run_are_understood_and_name_its_folder(run, tmp_path):
    assert steps_of_run(run) == []
    (run / "weights/last.safetensors").touch()
    assert all(f"{run}/weights/last.safetensors" in understood(step.command) for step in steps_of_run(run))
    (run / "weights/best.safetensors").touch()
    (image := tmp_path / "a b.jpg").touch()
    words = [understood(step.command) for step in steps_of_run(run, image)]
    assert [one[0] for one in words] == ["detect", "serve", "export"]
    assert all(str(run) in one for one in words)
    assert str(image) in words[0]
    assert EXAMPLE in understood(steps_of_run(run, tmp_path / "gone.jpg")[0].command)


def test_an_exported_file_is_not_exported_again():
    assert [understood(step.command)[0] for step in steps_with_weights("m.onnx")] == ["detect", "serve"]


@pytest.mark.parametrize("program", ["/a/ssd300/__main__.py", "/usr/bin/ssd300", "'/a b/ssd300'"])
def test_a_run_goes_on_with_the_options_that_it_was_started_with(run, program):
    assert step_to_resume(run) is None
    (run / "command.txt").write_text(f"{program} train data {shlex.join(['--out', f'runs/{run.name}'])} --overwrite\n")
    step = step_to_resume(run)
    assert step is not None
    assert understood(step.command) == ["train", "data", "--out", f"runs/{run.name}", "--resume"]
    for other in ("/usr/bin/python my_script.py\n", "ssd300 train 'data\n", ""):
        (run / "command.txt").write_text(other)
        assert step_to_resume(run) is None


@pytest.mark.parametrize(
    "words", [["--out", "old"], ["-o", "old"], ["--out=old"], ["-o=old"], ["--out", "/elsewhere/my run; $(it's)"]]
)
def test_a_run_that_was_moved_goes_on_where_it_is(run, words):
    (run / "command.txt").write_text(f"ssd300 train data {shlex.join(words)} --steps 3 --resume\n")
    step = step_to_resume(run)
    assert step is not None
    out = [f"{words[0].partition('=')[0]}={run}"] if len(words) == 1 else [words[0], str(run)]
    assert understood(step.command) == ["train", "data", *out, "--steps", "3", "--resume"]


def test_a_run_that_was_copied_beside_the_first_goes_on_as_the_copy(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (copy := tmp_path / "backup" / run.name).mkdir(parents=True)
    for folder, out in ((run, run.name), (copy, str(copy))):
        (folder / "command.txt").write_text(shlex.join(["ssd300", "train", "data", "--out", run.name]) + "\n")
        step = step_to_resume(folder)
        assert step is not None
        assert understood(step.command)[3] == out


def test_a_stored_command_is_shown_as_one_types_it():
    assert as_typed("/a/ssd300/__main__.py eval data -w run") == "ssd300 eval data -w run"
    assert as_typed("my_script.py --fast") == "my_script.py --fast"
