"""The outputs of the model and of the loss."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor


class Predictions(NamedTuple):
    """Class logits (background first) and box offsets (see `boxes.encode`), one row per default box."""

    logits: Float[Tensor, "batch boxes classes"]
    offsets: Float[Tensor, "batch boxes 4"]


class Losses(NamedTuple):
    """The two parts of the loss, each divided by the number of matched default boxes (at least 1)."""

    localization: Float[Tensor, ""]
    classification: Float[Tensor, ""]

    @property
    def total(self) -> Tensor:
        """Their sum; the weight of the box loss, the paper's alpha, is in `localization`."""
        return self.localization + self.classification
