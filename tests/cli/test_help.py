import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest

import ssd300
from ssd300.cli import main
from ssd300.cli.app import app
from ssd300.cli.help import FIRST_OPTIONS, docs_page, in_words
from ssd300.cli.train_options import TrainOptions
from ssd300.cli.verb import FIRST_COMMANDS, GROUPS
from ssd300.cli.verbs import VERBS
from ssd300.training.config import TrainConfig
from ssd300.training.presets import PRESETS

ROOT = Path(__file__).parents[2]
EXAMPLES = [example.command for verb in VERBS.values() for example in verb.examples]


@pytest.fixture
def help_of(capsys, monkeypatch):
    def show(*words, columns=80):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert main([*words, "--help"]) == 0
        return capsys.readouterr().out

    return show


def options_of(text):
    """The options of a help page by name, each with its text on one line."""
    body = text.split("\nExamples\n")[0]
    entries = re.findall(r"^  (--[a-z].*(?:\n {6,}.*)*)", body, re.MULTILINE)
    return {re.match(r"--[a-z0-9-]+", entry)[0]: " ".join(entry.split()) for entry in entries}


def test_the_verbs_stand_in_groups_in_order_of_work(help_of):
    text = help_of()
    shown = [line for line in text.splitlines() if line in GROUPS or re.match(r"  [a-z]+ ", line)]
    expected = []
    for group in GROUPS:
        expected += [group, *(name for name, verb in VERBS.items() if verb.group == group)]
    assert [line.split("  ")[1] if line.startswith(" ") else line for line in shown] == expected
    assert [name for name in expected if name in VERBS] == list(VERBS)
    assert "--version" in text
    for example in FIRST_COMMANDS:
        assert example.command in text


@pytest.mark.parametrize("columns", [80, 120])
def test_each_verb_takes_one_line_of_the_list(help_of, columns):
    lines = help_of(columns=columns).splitlines()
    for name, verb in VERBS.items():
        assert f"  {name:12}  {verb.summary}" in lines


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("verb", VERBS)
def test_no_line_is_wider_than_the_terminal(help_of, verb, columns):
    assert max(map(len, help_of(verb, columns=columns).split("\nMore: ")[0].splitlines())) <= columns


@pytest.mark.parametrize("verb", VERBS)
def test_a_help_has_usage_examples_and_a_page_of_docs(help_of, verb):
    text, about = help_of(verb), VERBS[verb]
    assert text.startswith(f"Usage: ssd300 {verb} {about.usage}\n\n{about.summary}\n")
    end = text.split("\nExamples\n")[1]
    for example in about.examples:
        assert f"  {example.what}:\n" in end
        assert "\n".join(f"    {line}" for line in example.command.splitlines()) in end
    assert text.split("\nMore:")[1].strip() == docs_page(about.page)  # a long path has a line of its own
    assert (ROOT / "docs" / about.page).is_file()


@pytest.mark.parametrize("command", EXAMPLES)
def test_each_example_is_understood(command):
    program, verb, *words = shlex.split(command.replace("\\\n", " "))  # as a shell joins lines
    assert program == "ssd300"
    function, _bound, _ignored = app.parse_args([verb, *words], exit_on_error=False, print_error=False)
    assert callable(function)
    assert {verb} <= set(VERBS)


def test_there_are_two_examples_of_each_verb_itself_or_of_what_follows_it():
    for name, verb in VERBS.items():
        assert len(verb.examples) == 2
        assert verb.examples[0].command.startswith(f"ssd300 {name}")


@pytest.mark.parametrize("verb", VERBS)
def test_the_summary_is_that_of_the_docstring(verb):
    module = import_module(f"ssd300.cli.{'import_' if verb == 'import' else verb}")
    function = getattr(module, verb if hasattr(module, verb) else f"{verb}_")
    assert function.__doc__.splitlines()[0] == VERBS[verb].summary


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_python_in_values_and_defaults(help_of, verb):
    text = help_of(verb)
    assert "None" not in text
    assert not re.search(r"\b(STR|INT|FLOAT|True|False)\b", text)
    for name, option in options_of(text).items():
        for fact in re.findall(r"\[(?:default|one of): [^\]]*\]", option):
            assert not re.search(r"[('\"{]", fact), (name, fact)


@pytest.mark.parametrize("verb", VERBS)
def test_each_option_with_a_value_says_what_happens_without_it(help_of, verb):
    """Or it is required, or names another thing that is added, and adds nothing when it is left out."""
    nothing = ("--min-score-of", "--suppress", "--predictions", "--weights", "--voc07", "--voc12", "--epochs",
               "--root-path", "--cors-origin", "--allow-host")  # fmt: skip
    for name, option in options_of(help_of(verb)).items():
        takes_a_value = re.match(r"(--[a-z0-9-]+,? )*(-\w )?[A-Z][A-Z=]*(\.\.\.)? ", option)
        if takes_a_value and name not in nothing:
            assert re.search(r"\[default: |\[required\]", option), option


def test_out_is_short_in_each_verb_that_has_it(help_of):
    for verb in VERBS:
        option = options_of(help_of(verb)).get("--out")
        assert option is None or option.startswith("--out, -o F"), verb


def test_the_usual_options_of_train_come_first(help_of):
    text = help_of("train")
    titles = [line for line in text.splitlines() if re.match(r"[A-Z][A-Za-z, ]+$", line)]
    assert titles[:3] == ["Arguments", "Usual options", "Data"]
    assert titles[-2:] == ["Output", "Examples"]
    usual = text.split("\nUsual options\n")[1].split("\nData\n")[0]
    names = re.findall(r"^  (--[a-z-]+)", usual, re.MULTILINE)
    assert names == sorted(names, key=FIRST_OPTIONS.index)
    assert {"--out", "--preset", "--steps", "--epochs", "--batch-size", "--resume", "--device", "--seed"} <= set(names)


def test_each_field_of_the_configuration_is_an_option_of_train(help_of):
    options = options_of(help_of("train"))
    for field in fields(TrainConfig):
        assert f"--{field.name.replace('_', '-')}" in options
    assert {field.name for field in fields(TrainOptions)} == {field.name for field in fields(TrainConfig)} - {"out"}


def test_a_value_that_differs_by_preset_is_named_with_its_presets(help_of):
    options = options_of(help_of("train"))
    presets = {name: preset("run") for name, preset in PRESETS.items()}
    for field in fields(TrainConfig):
        if field.name == "out":
            continue
        option = options[f"--{field.name.replace('_', '-')}"]
        values = {name: in_words(getattr(config, field.name)) or "none" for name, config in presets.items()}
        if len(set(values.values())) == 1:
            assert f"[default: {values['paper']}]" in option
            continue
        default = re.search(r"\[default: ([^\]]*)\]", option)[1]
        for name, value in values.items():
            named = [part for part in default.split(", ") if name in re.split(r" with | and ", part)[1:]]
            assert [part.split(" with ")[0] for part in named] == [value] or (
                not named and default.endswith(f", else {value}")
            )


def test_defaults_are_as_they_are_typed():
    assert in_words(("image", "jsonl")) == "image jsonl"
    assert in_words((0.5, 1.0)) == "0.5 1"
    assert (in_words(None), in_words(()), in_words("")) == ("", "", "")
    assert (in_words(True), in_words(False), in_words(0), in_words(1e-4)) == ("yes", "no", "0", "0.0001")
    assert in_words(Path("runs/a")) == "runs/a"


def test_a_page_of_docs_is_named_from_the_checkout_or_with_its_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    in_checkout = Path(ssd300.__file__).is_relative_to(ROOT)
    assert (docs_page("training.md") == "docs/training.md") == in_checkout
    monkeypatch.chdir(tmp_path)
    assert Path(docs_page("training.md")).is_file()
    assert docs_page("none.md") == "docs/none.md"


def test_the_wheel_has_the_docs():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"]["force-include"] == {"docs": "ssd300/docs"}


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_takes_no_time(verb):
    """CPU time of the process; twice what is promised, as other tests run beside this one."""
    code = "import sys, time; from ssd300.cli import main; main(sys.argv[1:]); sys.exit(time.process_time() > 0.6)"
    words = [verb] if verb else []
    assert subprocess.run([sys.executable, "-c", code, *words, "--help"], capture_output=True).returncode == 0


@pytest.mark.parametrize("words", [["{data}", "{out}"], ["{data}", "--out", "{out}"], ["{data}", "-o", "{out}"]])
def test_the_folder_of_convert_is_named_as_in_other_verbs_or_second(coloured, tmp_path, words):
    words = [word.format(data=coloured, out=tmp_path / "yolo") for word in words]
    assert main(["convert", *words, "--to", "yolo"]) == 0
    assert (tmp_path / "yolo/data.yaml").is_file()
