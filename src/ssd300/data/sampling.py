"""Which images an epoch has, and in which order: each once, or rare classes more often.

Balanced sampling repeats an image by the rarest class in it, as in "repeat factor sampling": Gupta et al. 2019, LVIS,
arXiv 1908.03195. An epoch still has as many images as the dataset, so that images of common classes alone
are left out of some epochs. An order follows from (seed, epoch) and needs no state.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ssd300.types import Annotation

Sampling = Literal["uniform", "balanced"]


class Key(NamedTuple):
    """An image of an epoch; `copy` numbers its repetitions there, which are augmented differently. `mixes` allows
    other images in it, by mosaic or mixup.
    """

    epoch: int
    image: int
    copy: int = 0
    mixes: bool = False


def repeat_factors(annotations: Sequence[Annotation]) -> Float[np.ndarray, " images"]:
    """How often each image is used for one of the commonest class: the square root of how much rarer its rarest class
    is, by the number of images that have the class. 1 for an image without objects.
    """
    classes = [set(annotation.labels.tolist()) for annotation in annotations]
    images = Counter(label for labels in classes for label in labels)
    most = max(images.values(), default=1)
    return np.array([max(((most / images[label]) ** 0.5 for label in labels), default=1.0) for labels in classes])


def epoch_order(
    count: int, *, seed: int, epoch: int, factors: Float[np.ndarray, " images"] | None = None
) -> Int[np.ndarray, " images"]:
    """The `count` images of an epoch in a random order: each once, or in proportion to `factors`.

    An image is used as often as its share of the epoch says, rounded up or down at random (systematic sampling).
    """
    random = np.random.default_rng([seed, 0, epoch])
    order = random.permutation(count)
    if factors is None:
        return order
    ends = np.cumsum(factors[order]) * (count / factors.sum())
    ends[-1] = count
    passed = np.floor(ends + random.random()).astype(int)
    copies = np.diff(passed, prepend=0)
    chosen: np.ndarray = random.permutation(np.repeat(order, copies))
    return chosen


def keys_of_epoch(order: Int[np.ndarray, " images"], epoch: int) -> list[Key]:
    """The keys of the images of an epoch, in this order."""
    used: Counter[int] = Counter()
    keys = []
    for image in order.tolist():
        keys.append(Key(epoch, image, used[image]))
        used[image] += 1
    return keys
