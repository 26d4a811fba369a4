"""The ranking of one class's detections, best score first, without all of them in memory.

Recall rises and precision peaks at the true detections alone, and there are at most as many as objects. So the true
ones are kept, the false ones go to a file in any order, and one pass over the file counts how many rank before each
true one. Nothing needs to be sorted on disk, and the counts are whole numbers: exact, whatever the blocks.
"""

from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

BLOCK = 1 << 18  # false detections that are read at a time: 4 MB
RANK = np.dtype("<c16")


class Ranking:
    """True detections in memory, false ones in `file`, which is made when there are any.

    A rank is a complex number, minus the score and the place among equal scores, as numpy sorts those by their real
    part and then by the imaginary one.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._true = array("d")  # pairs

    def add(self, scores: Float[np.ndarray, " n"], places: Int[np.ndarray, " n"], true: Bool[np.ndarray, " n"]) -> None:
        """Add detections that count. Of equal scores the one with the lower of all `places` ranks first."""
        if not len(scores):
            return
        ranks = np.empty(len(scores), RANK)
        ranks.real, ranks.imag = -scores, places
        self._true.frombytes(ranks[true].tobytes())
        with self._file.open("ab") as file:
            file.write(ranks[~true].tobytes())

    def precision(self) -> Float[np.ndarray, " n"]:
        """The precision at the first, second, .. true detection."""
        true = np.sort(np.frombuffer(self._true, RANK)) if self._true else np.zeros(0, RANK)
        before = np.zeros(len(true) + 1, np.int64)  # false ones between the true one before and this one
        for ranks in self._false():
            before += np.bincount(np.searchsorted(true, ranks), minlength=len(before))
        true_positives = np.arange(1, len(true) + 1)
        precision: np.ndarray = true_positives / (true_positives + np.cumsum(before[:-1]))
        return precision

    def _false(self) -> Iterator[Complex[np.ndarray, " n"]]:
        if not self._file.exists():
            return
        with self._file.open("rb") as file:
            while len(ranks := np.fromfile(file, RANK, BLOCK)):
                yield ranks
