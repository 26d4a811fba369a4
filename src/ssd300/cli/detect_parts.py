"""What the options of `ssd300 detect` stand for: a loaded network, thresholds, a selection; both its ways use them."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ssd300.cli.early_checks import check_names
from ssd300.cli.mistakes import Mistakes
from ssd300.cli.options import say

if TYPE_CHECKING:
    from ssd300.detection.detector import Detector
    from ssd300.detection.network import Network
    from ssd300.types import Selection


def compiled_batch(wanted: bool, batch_size: int, tile: int | None) -> int | None:
    """The batch size to compile for, None for no compilation; tiles have batches of another size."""
    from ssd300.detection.tiles import TOGETHER

    return (batch_size if tile is None else TOGETHER) if wanted else None


def load(weights: str, device: str, precision: str | None, *, compile_for: int | None) -> "Network":
    from ssd300.detection.backends import backend_for

    backend = backend_for(weights)
    where = backend.choose_device(device)
    network = backend.load(device=where, precision=precision)
    say([f"device {where}", *backend.notes(where, precision)])
    if compile_for is not None:
        say([f"compiled in {backend.compile(network, compile_for):.1f} s"])
    return network


def scores_of(mistakes: Mistakes, words: Sequence[str]) -> dict[str, float]:
    """The confidence threshold of each class that --min-score-of names, as far as they are right."""
    own: dict[str, float] = {}
    for before, word, after in zip(("", *words), words, (*words[1:], ""), strict=False):
        name, equals, value = word.rpartition("=")
        if not equals:
            if not (_is_number(word) and before and "=" not in before):  # else the mistake in its class has said it
                joined = f"CLASS={word}" if _is_number(word) else f"{word}={after if _is_number(after) else 0.4}"
                fix = f"Write --min-score-of {shlex.quote(joined)}."
                mistakes.add(f"--min-score-of takes CLASS=SCORE, not '{word}'", fix=fix)
            continue
        try:
            own[name] = float(value)
        except ValueError:
            mistakes.add(f"--min-score-of: '{value}' is not a score", fix=f"Write --min-score-of {name}=0.4.")
            continue
        if not 0 <= own[name] <= 1:
            mistakes.add(f"--min-score-of {word}: the score must be in 0..1", fix=f"Such as {name}=0.4.")
    return own


def _is_number(word: str) -> bool:
    try:
        return float(word) >= 0
    except ValueError:
        return False


def check_classes(
    mistakes: Mistakes, classes: Sequence[str], only: Iterable[str], suppress: Iterable[str], scores: Iterable[str]
) -> None:
    check_names(mistakes, "--only", only, classes)
    check_names(mistakes, "--suppress", suppress, classes)
    check_names(mistakes, "--min-score-of", scores, classes)


def selection_of(
    detector: "Detector", min_score: float | None, own: Mapping[str, float], max_overlap: float, top_k: int
) -> "Selection":
    if min_score is None and detector.card.min_scores:
        stored = ", ".join(f"{name} {score:.3f}" for name, score in detector.card.min_scores.items())
        say([f"confidence thresholds from the weights: {stored}"])
    return detector.selection(min_score, max_overlap=max_overlap, top_k=top_k, min_score_of=own)
