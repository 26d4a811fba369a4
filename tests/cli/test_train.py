import inspect
import subprocess
import sys
from typing import get_args, get_type_hints

import pytest

from ssd300.cli import main
from ssd300.cli.train import train
from ssd300.training.presets import PRESETS


@pytest.fixture
def help_text(capsys) -> str:
    main(["train", "--help"])
    return " ".join(capsys.readouterr().out.replace("│", " ").split())


@pytest.mark.parametrize(
    "shown",
    [
        "[default: 120000 (pytorch-ssd300: 480000, light: 500)]",
        "[default: 80000 100000 (pytorch-ssd300: 320000 400000)]",
        "Momentum of SGD. [default: 0.9]",
        "[default: none (light: 10.0)]",
        "[default: no (pytorch-ssd300: yes)]",
    ],
)
def test_the_help_shows_the_default_of_each_preset(help_text, shown):
    assert shown in help_text


def test_the_choices_of_preset_are_the_presets_and_the_first_is_the_default():
    assert get_args(get_type_hints(train)["preset"]) == tuple(PRESETS)
    assert inspect.signature(train).parameters["preset"].default == next(iter(PRESETS))


def test_the_help_imports_nothing_heavy():
    code = "import sys; from ssd300.cli import main; main(['train', '--help'])\n"
    code += "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'PIL', 'matplotlib')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.slow
def test_a_split_to_train_on_can_be_named(coloured, tmp_path, capsys):
    (coloured / "ImageSets/Main/mine.txt").write_text("p0\np1\n")
    words = ["--preset", "light", "--init", "none", "--workers", "0", "--batch-size", "2", "--steps", "1"]
    assert main(["train", str(coloured), "--out", str(tmp_path / "run"), "--split", "mine", *words]) == 0
    assert '"split": "mine"' in (tmp_path / "run/data.json").read_text()
    assert '"split": "test"' in (tmp_path / "run/data.json").read_text()
