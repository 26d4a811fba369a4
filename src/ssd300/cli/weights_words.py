"""What a command line without weights may mean: which of its words are weights, and which weights are near."""

import shlex
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from ssd300 import run_layout
from ssd300.errors import UsageError

PUBLISHED = "coco"  # of `weights.named`, which is not imported here: it takes a while
WEIGHTS_SUFFIXES = (".safetensors", ".onnx", ".pt", ".pth")
KINDS = f"a run folder, a .safetensors file, an exported .onnx or .xml file, or the name {PUBLISHED}"


def missing_weights(words: Sequence[str] | None, what: str, *, option: bool = True) -> UsageError:
    """The error of a command line without weights; it offers those that are near.

    `words` are the command line from its verb on, to which they are to be added; None if it has other mistakes. With
    `option` they follow --weights.
    """
    words = words if words is None else list(words)
    named = [word for before, word in pairwise(words or ()) if not before.startswith("-")]  # and no option's value
    inside = next((word for word in named if is_run_or_weights(word)), None)
    if words is not None and inside is not None:
        words.remove(inside)
        return UsageError(what, where=f"{inside} is weights", fix=f"Type {_command(words, inside, option=option)}.")
    run = run_layout.newest_run()
    if run is None:
        fix = f"Type {_command(words, PUBLISHED, option=option)} for the published detector of 80 everyday objects."
    else:
        fix = f"Type {_command(words, str(run), option=option)} for the newest run here."
    return UsageError(what, fix=f"{fix} Weights are {KINDS}.")


def is_run_or_weights(word: str) -> bool:
    """Whether a word names a run folder or a weights file that is there, or the published detector."""
    path = Path(word)
    if word == PUBLISHED and not path.exists():
        return True
    return (path / run_layout.BEST_WEIGHTS).is_file() or (path.suffix in WEIGHTS_SUFFIXES and path.is_file())


def _command(words: Sequence[str] | None, weights: str, *, option: bool) -> str:
    given = ["--weights", weights] if option else [weights]
    return f"`{shlex.join(given if words is None else ['ssd300', *with_options(words, given)])}`"


def with_options(words: Sequence[str], more: Sequence[str]) -> list[str]:
    """The words with more at their end, or before a "--", behind which no word is an option."""
    end = list(words).index("--") if "--" in words else len(words)
    return [*words[:end], *more, *words[end:]]
