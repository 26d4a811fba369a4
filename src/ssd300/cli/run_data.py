"""The data that a run was measured on, as the commands that name it again: from the command that started the run."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from ssd300 import run_layout
from ssd300.cli.options import AnnotationOptions, DataOptions, words_of
from ssd300.reporting.next_steps import command
from ssd300.run_command import last_words


def split_again(data: Sequence[Path], out: Path, *, holdout: float, seed: int, reading: DataOptions) -> tuple[str, str]:
    """The command that writes the lists of a run's `--holdout`, and their folder."""
    lists = f"{out}-lists"
    chosen = ["--holdout", f"{holdout:g}", "--seed", seed, *words_of(reading)]
    return command("split", *data, "--out", lists, *chosen), lists


def verify_commands(run: Path) -> list[str]:
    """What to type to verify a run; nothing if its own command is not there, or the data that it names."""
    try:
        seed = yaml.safe_load((run / run_layout.CONFIG).read_text(encoding="utf-8"))["seed"]
    except (OSError, ValueError, LookupError, TypeError, yaml.YAMLError):
        return []
    words = last_words(run)
    if words[:1] == ["demo"]:
        from ssd300.training.demo_folder import DATA

        data = run.parent / DATA
        return [command("verify", run, data)] if data.exists() else []
    return _of_training(run, words, seed) if words[:1] == ["train"] else []


def _of_training(run: Path, words: Sequence[str], seed: int) -> list[str]:
    from cyclopts import CycloptsError

    from ssd300.cli.app import app

    try:
        _train, bound, _ignored = app.parse_args(list(words), exit_on_error=False, print_error=False)
    except CycloptsError:
        return []  # of another version
    options = bound.arguments
    data, reading = options.get("data", ()), options.get("reading", DataOptions())
    if not data or not all(path.exists() for path in data):
        return []
    if (holdout := options.get("holdout")) is None:
        held_out = AnnotationOptions(
            split=options.get("eval_split"), format=reading.format, on_bad_label=reading.on_bad_label
        )
        return [command("verify", run, *data, *words_of(held_out))]
    split, lists = split_again(data, run, holdout=holdout, seed=seed, reading=reading)
    return [*([] if Path(lists).exists() else [split]), command("verify", run, lists)]
