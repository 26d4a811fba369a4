"""The order of an epoch over shards: random, and yet of few shards at a time. It follows from (seed, epoch) alone.

The shards are put in a random order, as on a ring, and the images of each as well. Each shard is then cut into `MIXED`
parts, and the epoch into as many chunks as there are shards. Chunk t has part 0 of shard t, part 1 of shard t - 1 and
so on, in a random order. So each image comes once; `MIXED` shards are in use at a time; and a chunk needs one shard
that the chunk before it did not. Where a stream begins within an epoch, nothing before that chunk is read.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int

MIXED = 8  # shards; more of them mix better, and need a larger cache
STREAM = 3  # of random numbers, beside those of `sampling` and `augmented_images`


def epoch_of_shards(
    counts: Int[np.ndarray, " shards"], *, seed: int, epoch: int, start: int = 0
) -> Iterator[tuple[Int[np.ndarray, " shards"], Int[np.ndarray, " images"]]]:
    """For each chunk from image `start` of the epoch on: the shards that it and the next one need, in the order of
    need; and its images, as numbers in the concatenation of shards with these counts.
    """
    shards = len(counts)
    order = np.random.default_rng([seed, STREAM, epoch]).permutation(shards)
    mixed = min(MIXED, shards)
    firsts = np.cumsum(counts) - counts
    ends = np.cumsum(chunk_sizes(counts[order]))
    begin = int(np.searchsorted(ends, start, side="right"))
    for chunk in range(begin, shards):
        parts = []
        used = order[(chunk - np.arange(mixed)) % shards]
        for part, shard in enumerate(used.tolist()):
            count = int(counts[shard])
            images = np.random.default_rng([seed, STREAM, epoch, 1 + shard]).permutation(count)
            parts.append(firsts[shard] + images[count * part // mixed : count * (part + 1) // mixed])
        random = np.random.default_rng([seed, STREAM, epoch, 1 + shards + chunk])
        images = random.permutation(np.concatenate(parts))
        skipped = max(start - int(ends[chunk]) + len(images), 0)
        following = order[chunk + 1 : chunk + 2]
        yield np.concatenate([used, following]), images[skipped:]


def chunk_sizes(counts: Int[np.ndarray, " shards"]) -> Int[np.ndarray, " shards"]:
    """The number of images of each chunk, of shards in the order of the epoch."""
    mixed = min(MIXED, len(counts))
    parts = (counts * (part + 1) // mixed - counts * part // mixed for part in range(mixed))
    return sum((np.roll(sizes, part) for part, sizes in enumerate(parts)), np.zeros_like(counts))
