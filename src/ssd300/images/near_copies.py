"""Near copies: images of one scene that differ by compression, size, brightness, a small crop, a mirror or a turn.

Each image becomes 255 signs (a perceptual hash): which of the lowest frequencies of its thumbnail are positive. Copies
have nearly all signs in common, other images about half of them. A sign counts as much where a frequency is weak as
where it is strong, so smooth scenes may have many in common by chance: the strengths must agree too. Both limits are
measured, see `MAX_DISTANCE` and `MIN_CORRELATION`.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, Int8, UInt8

from ssd300.errors import DataError
from ssd300.images.read import decode_thumbnail

SIDE_PX = 32  # of the thumbnail
FREQUENCIES = 16  # per direction; the mean, which is brightness, has no sign
# The share of signs that may differ. Measured on 1,619 images (blood cells, faces, chess, VOC): a quality of 20, half
# the size or 0.6 of the brightness changes up to 0.05 of the signs, a crop of 2 % 0.12, of 5 % 0.22; frames of one
# camera with other objects differ by 0.1. Images of different scenes differ by 0.33 or more, portraits by 0.23.
MAX_DISTANCE = 0.22
LEAST_SIMILARITY = 1 - 2 * MAX_DISTANCE
# Of the frequencies with their strengths, the mean left out: the least correlation. Measured on pairs of so many signs:
# 0.70 or more between photographs of one scene, 0.76 between an image and its changed copy; 0.36 or less between 300
# synthetic scenes that differ.
MIN_CORRELATION = 0.5
NOISE = 1.0  # a frequency that is weaker, in gray levels, has no sign: rounding alone changes it by a third of this
# An image with fewer signs is too plain to be told from others by them, such as a sky or an empty page.
FEWEST_SIGNS = 128
CHUNK = 1024

Advance = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageHash:
    """What copies of an image have in common: `content`, the digest of the file, the lowest frequencies in gray levels
    (of any scale; that of the mean is 0), and their signs 1 and -1.

    A sign is 0 where there is none; all are 0 in an image that is too plain.
    """

    content: str
    signs: Int8[np.ndarray, "16 16"] = field(repr=False)
    frequencies: Float[np.ndarray, "16 16"] = field(repr=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Vectors:
    """Of images, each of length 1, so that products of them are similarities; of length 0 where there are none."""

    signs: Float[np.ndarray, "n 16 16"]
    frequencies: Float[np.ndarray, "n 16 16"]

    def __len__(self) -> int:
        return len(self.signs)

    def part(self, start: int, stop: int | None = None) -> "_Vectors":
        return _Vectors(signs=self.signs[start:stop], frequencies=self.frequencies[start:stop])


def hash_images(paths: Sequence[Path], advance: Advance = lambda _done, _all: None) -> list[ImageHash | None]:
    """The hash of each image, in parallel; `advance` gets how many of how many are done."""
    hashes = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, found in enumerate(pool.map(hash_image, paths), start=1):
            hashes.append(found)
            advance(number, len(paths))
    return hashes


def hash_image(path: Path) -> ImageHash | None:
    """None for an image that cannot be read; what is wrong with it is said where it is used."""
    try:
        if not path.is_file():
            return None
        return hash_content(path.read_bytes(), where=path)
    except (DataError, OSError):
        return None


def hash_content(data: bytes, *, where: Path) -> ImageHash:
    """The hash of a file's content. Raises DataError as `decode_image`."""
    thumbnail = decode_thumbnail(data, where=where, side_px=SIDE_PX)
    frequencies = _frequencies(thumbnail)
    return ImageHash(
        content=hashlib.sha256(data).hexdigest(), signs=_signs(frequencies), frequencies=frequencies.astype(np.float32)
    )


def group_copies(hashes: Sequence[ImageHash | None]) -> Int[np.ndarray, " n"]:
    """A number per image, equal for images that are copies or near copies, also by way of others: of the first one."""
    groups = np.arange(len(hashes))
    first: dict[str, int] = {}
    for number, found in enumerate(hashes):
        if found is not None:
            groups[number] = first.setdefault(found.content, number)
    vectors = _vectors(hashes)
    for start in range(0, len(vectors), CHUNK):
        near = _similarity(vectors.part(start, start + CHUNK), vectors.part(start)) >= LEAST_SIMILARITY
        for row, copies in enumerate(near, start):
            alike = groups[start + np.flatnonzero(copies)]
            if (alike != groups[row]).any():
                joined = np.append(alike, groups[row])
                groups[np.isin(groups, joined)] = joined.min()
    return groups


def nearest_copies(
    hashes: Sequence[ImageHash | None], others: Sequence[ImageHash | None]
) -> Iterator[tuple[int, float] | None]:
    """Per image, which of `others` is its nearest near copy, and its distance, 0 to `MAX_DISTANCE`; None if none is."""
    if not others:
        yield from [None] * len(hashes)
        return
    vectors, other_vectors = _vectors(hashes), _vectors(others)
    for start in range(0, len(vectors), CHUNK):
        similarity = _similarity(vectors.part(start, start + CHUNK), other_vectors)
        nearest = similarity.argmax(axis=1)
        for row, column in enumerate(nearest.tolist()):
            distance = round(max(0.0, (1 - float(similarity[row, column])) / 2), 4)
            yield (column, distance) if similarity[row, column] >= LEAST_SIMILARITY else None


def _frequencies(thumbnail: UInt8[np.ndarray, "side side"]) -> Float[np.ndarray, "16 16"]:
    frequencies: np.ndarray = _COSINES @ thumbnail.astype(np.float64) @ _COSINES.T
    frequencies[0, 0] = 0
    return frequencies


def _signs(frequencies: Float[np.ndarray, "16 16"]) -> Int8[np.ndarray, "16 16"]:
    signs = np.zeros(frequencies.shape, dtype=np.int8)
    signs[frequencies >= NOISE] = 1
    signs[frequencies <= -NOISE] = -1
    if np.count_nonzero(signs) < FEWEST_SIGNS:
        signs[:] = 0
    return signs


def _cosines() -> Float[np.ndarray, "frequencies side"]:
    """The lowest rows of the orthonormal discrete cosine transform (DCT-II)."""
    rows, columns = np.arange(FREQUENCIES)[:, None], np.arange(SIDE_PX)[None]
    cosines: np.ndarray = np.cos(np.pi * rows * (2 * columns + 1) / (2 * SIDE_PX)) * np.sqrt(2 / SIDE_PX)
    cosines[0] /= np.sqrt(2)
    return cosines


_COSINES = _cosines()


def _vectors(hashes: Sequence[ImageHash | None]) -> _Vectors:
    signs = np.zeros((len(hashes), FREQUENCIES, FREQUENCIES), dtype=np.float32)
    frequencies = np.zeros_like(signs)
    for number, found in enumerate(hashes):
        if found is not None:
            signs[number], frequencies[number] = found.signs, found.frequencies
    return _Vectors(signs=_normalized(signs), frequencies=_normalized(frequencies))


def _normalized(vectors: Float[np.ndarray, "n 16 16"]) -> Float[np.ndarray, "n 16 16"]:
    lengths = np.linalg.norm(vectors, axis=(1, 2), keepdims=True)
    normalized: np.ndarray = vectors / np.where(lengths > 0, lengths, 1)
    return normalized


def _similarity(vectors: _Vectors, others: _Vectors) -> Float[np.ndarray, "n m"]:
    """Of each with each: 1 for the same signs, about 0 for other images, in the best of the eight orientations; -1 for
    images with the signs of copies whose frequencies do not correlate.

    A mirrored image has the opposite sign at every second frequency; a turned one has them transposed too.
    """
    flat = others.signs.reshape(len(others), -1).T
    best = np.full((len(vectors), len(others)), -1, dtype=np.float32)
    for signs, frequencies in zip(_orientations(vectors.signs), _orientations(vectors.frequencies), strict=True):
        similarity = signs.reshape(len(vectors), -1) @ flat
        _exclude_other_scenes(similarity, frequencies, others.frequencies)
        np.maximum(best, similarity, out=best)
    return best


def _exclude_other_scenes(
    similarity: Float[np.ndarray, "n m"],
    frequencies: Float[np.ndarray, "n 16 16"],
    others: Float[np.ndarray, "m 16 16"],
) -> None:
    """Put -1 where the correlation is too small. It is computed only where there may be copies, which are few."""
    near = similarity >= LEAST_SIMILARITY
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    correlation = (
        frequencies[rows].reshape(len(rows), FREQUENCIES**2) @ others[columns].reshape(len(columns), FREQUENCIES**2).T
    )
    part = np.ix_(rows, columns)
    similarity[part] = np.where(correlation < MIN_CORRELATION, -1, similarity[part])


def _orientations(signs: Float[np.ndarray, "n 16 16"]) -> Iterator[Float[np.ndarray, "n 16 16"]]:
    alternating = np.where(np.arange(FREQUENCIES) % 2, -1, 1).astype(np.float32)
    for upright in (signs, signs.transpose(0, 2, 1)):
        for rows in (1, alternating[:, None]):
            for columns in (1, alternating[None]):
                yield upright * rows * columns
