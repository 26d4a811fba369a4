"""What comes out of the model: its predictions for every default box, and the losses made of them."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor


class Predictions(NamedTuple):
    """What the network says of every default box: class logits (background first) and box offsets."""

    logits: Float[Tensor, "batch boxes classes"]
    offsets: Float[Tensor, "batch boxes 4"]


class Losses(NamedTuple):
    """Both parts of the loss, each divided by the number of matched default boxes of the batch (at least 1)."""

    localization: Float[Tensor, ""]
    classification: Float[Tensor, ""]

    @property
    def total(self) -> Tensor:
        return self.localization + self.classification
