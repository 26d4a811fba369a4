import sys

import pytest

from ssd300.cli.scripts import Script


@pytest.fixture
def train(monkeypatch):
    """A script with three options, typed with one of them in the verb's spelling."""
    monkeypatch.setattr(sys, "argv", ["tools/train.py", "--log-every", "5"])
    script = Script("train", "Trains.")
    script.option("--iterations", "--steps", default=8)
    script.option("--print_freq", "--log-every", default=2)
    script.option("--checkpoint", same_as="--resume")
    return script


@pytest.mark.parametrize(
    ("message", "reworded"),
    [
        ("--steps and --epochs exclude each other", "--iterations and --epochs exclude each other"),
        ("--steps-of is another option", "--steps-of is another option"),
        ("--log-every is 0", "--log-every is 0"),  # as it was typed
        ("start it without --resume", "start it without --checkpoint"),
        ("error: steps is 0; the steps are counted", "error: --iterations is 0; the steps are counted"),
        ("other options: steps: 2 -> 3, lr: 1 -> 2", "other options: --iterations: 2 -> 3, lr: 1 -> 2"),
        ("See `ssd300 train --help`.", "See `python tools/train.py --help`."),
        ("`ssd300 train own`, --steps", "`python tools/train.py --data_folder own`, --iterations"),
        ("1  ssd300 eval 'my own' --weights a\n", "1  python tools/eval.py --data_folder 'my own' --checkpoint a\n"),
        ("`ssd300 detect a.jpg --weights W`", "`python tools/detect.py a.jpg --checkpoint W`"),
        ("`ssd300 export --weights a --steps`", "`ssd300 export --weights a --steps`"),
        ("ssd300: error: no", "ssd300: error: no"),
    ],
)  # fmt: skip
def test_messages_are_in_the_words_of_the_script(train, message, reworded):
    assert train.reword(message) == reworded


def test_values_are_those_typed_and_the_rest_is_the_verbs(train, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train.py", "--steps=3", "--preset", "light"])
    values, typed, others = train.parse()
    assert (values["iterations"], values["print_freq"]) == ("3", 2)
    assert typed == {"iterations": "3"}
    assert others == ["--preset", "light"]


def test_a_misspelled_option_is_compared_with_those_of_the_script(train, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["train.py", "--iteration", "3"])
    with pytest.raises(SystemExit) as ended:
        train.parse()
    assert ended.value.code == 2
    assert "Did you mean --iterations?" in capsys.readouterr().err
