"""Near copies: images of one scene that differ by compression, size, brightness, a small crop, a mirror or a turn.

Each image becomes 255 signs (a perceptual hash): which of the lowest frequencies of its thumbnail are positive. Copies
have nearly all signs in common, other images about half of them. Chosen by measurement, see `MAX_DISTANCE`.
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
NOISE = 1.0  # a frequency that is weaker, in gray levels, has no sign: rounding alone changes it by a third of this
# An image with fewer signs is too plain to be told from others by them, such as a sky or an empty page.
FEWEST_SIGNS = 128
CHUNK = 1024

Advance = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageHash:
    """What copies of an image have in common: `content`, the digest of the file, and the signs 1 and -1.

    A sign is 0 where there is none; all are 0 in an image that is too plain.
    """

    content: str
    signs: Int8[np.ndarray, "16 16"] = field(repr=False)


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
    return ImageHash(content=hashlib.sha256(data).hexdigest(), signs=_signs(thumbnail))


def group_copies(hashes: Sequence[ImageHash | None]) -> Int[np.ndarray, " n"]:
    """A number per image, equal for images that are copies or near copies, also by way of others: of the first one."""
    groups = np.arange(len(hashes))
    first: dict[str, int] = {}
    for number, found in enumerate(hashes):
        if found is not None:
            groups[number] = first.setdefault(found.content, number)
    signs = _normalized(hashes)
    for start in range(0, len(signs), CHUNK):
        near = _similarity(signs[start : start + CHUNK], signs[start:]) >= _similarity_at(MAX_DISTANCE)
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
    signs, other_signs = _normalized(hashes), _normalized(others)
    for start in range(0, len(signs), CHUNK):
        similarity = _similarity(signs[start : start + CHUNK], other_signs)
        nearest = similarity.argmax(axis=1)
        for row, column in enumerate(nearest.tolist()):
            distance = round(max(0.0, (1 - float(similarity[row, column])) / 2), 4)
            yield (column, distance) if similarity[row, column] >= _similarity_at(MAX_DISTANCE) else None


def _signs(thumbnail: UInt8[np.ndarray, "side side"]) -> Int8[np.ndarray, "16 16"]:
    frequencies = _COSINES @ thumbnail.astype(np.float64) @ _COSINES.T
    signs = np.zeros(frequencies.shape, dtype=np.int8)
    signs[frequencies >= NOISE] = 1
    signs[frequencies <= -NOISE] = -1
    signs[0, 0] = 0
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


def _normalized(hashes: Sequence[ImageHash | None]) -> Float[np.ndarray, "n 16 16"]:
    """The signs as vectors of length 1, so that products of them are similarities; of length 0 where there are none."""
    signs = np.zeros((len(hashes), FREQUENCIES, FREQUENCIES), dtype=np.float32)
    for number, found in enumerate(hashes):
        if found is not None:
            signs[number] = found.signs
    signs /= np.sqrt(np.maximum(np.abs(signs).sum(axis=(1, 2), keepdims=True), 1))
    return signs


def _similarity(signs: Float[np.ndarray, "n 16 16"], others: Float[np.ndarray, "m 16 16"]) -> Float[np.ndarray, "n m"]:
    """Of each with each, 1 for the same signs, about 0 for other images, in the best of the eight orientations.

    A mirrored image has the opposite sign at every second frequency; a turned one has them transposed too.
    """
    flat = others.reshape(len(others), -1).T
    best = np.full((len(signs), len(others)), -1, dtype=np.float32)
    for view in _orientations(signs):
        np.maximum(best, view.reshape(len(signs), -1) @ flat, out=best)
    return best


def _orientations(signs: Float[np.ndarray, "n 16 16"]) -> Iterator[Float[np.ndarray, "n 16 16"]]:
    alternating = np.where(np.arange(FREQUENCIES) % 2, -1, 1).astype(np.float32)
    for upright in (signs, signs.transpose(0, 2, 1)):
        for rows in (1, alternating[:, None]):
            for columns in (1, alternating[None]):
                yield upright * rows * columns


def _similarity_at(distance: float) -> float:
    return 1 - 2 * distance
