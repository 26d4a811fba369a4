"""Default boxes fitted to the objects of a dataset: the paper's boxes, some of them exchanged for shapes that fit more.

Objects that no default box overlaps by half are learned from one forced match each (`matcher`), so the share of covered
objects limits what a detector learns of them. The search begins with given settings and makes one exchange after the
other, each within its feature map, so that the numbers of boxes, cells and channels stay. An exchange is made only if
the objects are fitted better and no class has fewer covered objects than before. So a box that fits nothing better
stays the paper's, and stands ready for sizes that only augmentation shows. Nothing is random.

Works on numpy arrays, as `make_default_boxes` would give the same boxes in another form: within one map and one shape,
the default box with the nearest center has the greatest IoU, so that no other needs to be computed.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from ssd300.model.default_boxes import DefaultBoxSettings

COVERED_IOU = 0.5  # the paper's threshold of matching
MARGIN = 1e-4  # above the threshold, so that float32 finds the same objects covered
SOFT_IOU = (0.3, 0.8)  # the IoUs between which a better fit counts, beside the threshold
SCALED = {0.5: 0.2, 2.0: 0.2}  # the weight of objects half and twice as large, as augmentation shows them
OBJECTS = 3000  # that the search uses, spread over all of them
CANDIDATES = 150  # shapes that are tried, the most frequent ones
GRID = 1.15  # the ratio between neighboring widths, and heights, of the shapes that are tried
SMALLEST, SMALLEST_COARSE = 1.0, 2.5  # root of an area as a multiple of the step: in the finest map, and in the others
LARGEST = 1.5  # longest side, as a multiple of the image
LESS_OF_A_CLASS = 0.01  # where there are more objects than the search uses; among these no class loses any
LEAST_GAIN = 5e-4  # of the mean fit, for an exchange
ROUNDS = 6


class _Objects(NamedTuple):
    """Centers and sizes in pixels of the network's input, numbers of classes from 0, and weights in the mean fit."""

    center: Float[np.ndarray, "n 2"]
    size: Float[np.ndarray, "n 2"]
    label: Int[np.ndarray, " n"]
    weight: Float[np.ndarray, " n"]


def fit_default_boxes(
    settings: DefaultBoxSettings, boxes: Float[np.ndarray, "n 4"], labels: Int[np.ndarray, " n"]
) -> DefaultBoxSettings:
    """The settings with `fitted_px` for objects (xyxy, relative to their images); `labels` count classes from 0.

    Covers no fewer objects than `settings` do, and of no class a share that is lower by more than `LESS_OF_A_CLASS`.
    Without objects, or where nothing fits them better, `settings` are returned. Their `clip` is taken for "none".
    """
    whole = _objects(boxes, labels, settings.image_size_px)
    if not len(whole.label):
        return settings
    fitted = _search(settings, _sample(whole))
    before, after = (_covered_by_class(one, whole) for one in (settings, fitted))
    lost = before - after
    worse = lost.sum() > 0 or (lost > LESS_OF_A_CLASS * np.bincount(whole.label)).any()
    return settings if worse else fitted


def covered(settings: DefaultBoxSettings, boxes: Float[np.ndarray, "n 4"]) -> Bool[np.ndarray, " n"]:
    """Which of the boxes (xyxy, relative) have a default box with an IoU of `COVERED_IOU` or more."""
    objects = _objects(boxes, np.zeros(len(boxes), np.int64), settings.image_size_px, keep_empty=True)
    return np.asarray(_best_ious(settings, objects) >= COVERED_IOU)


def _objects(
    boxes: Float[np.ndarray, "n 4"], labels: Int[np.ndarray, " n"], size_px: int, *, keep_empty: bool = False
) -> _Objects:
    relative = np.asarray(boxes, np.float64).reshape(-1, 4)
    size = relative[:, 2:] - relative[:, :2]
    rows = np.ones(len(size), bool) if keep_empty else (size > 0).all(axis=1)
    center = (relative[rows, :2] + relative[rows, 2:]) / 2
    label = np.asarray(labels, np.int64)[rows]
    return _Objects(center * size_px, size[rows] * size_px, label, np.ones(len(label)))


def _sample(objects: _Objects) -> _Objects:
    """At most `OBJECTS` of them, each class in its share, in which rare classes have half of the weight in common."""
    by_class = np.argsort(objects.label, kind="stable")
    rows = by_class[np.linspace(0, len(by_class) - 1, min(OBJECTS, len(by_class))).astype(int)]
    label = objects.label[rows]
    counts = np.bincount(label)
    weight = 1 / len(label) + 1 / (counts[label] * np.count_nonzero(counts))
    return _Objects(objects.center[rows], objects.size[rows], label, weight / weight.sum())


def _search(settings: DefaultBoxSettings, objects: _Objects) -> DefaultBoxSettings:
    """Exchange shapes until no exchange gains; the least useful ones are tried first."""
    shapes = [[*of_map] for of_map in settings.shapes_px]
    places = [(number, place) for number, of_map in enumerate(shapes) for place in range(len(of_map))]
    seen = _with_scaled(objects)
    candidates = [_candidates(settings, number, seen) for number in range(len(shapes))]
    tried = [_ious(settings, number, of_map, seen) for number, of_map in enumerate(candidates)]
    taken = np.concatenate([_ious(settings, number, np.array(of_map), seen) for number, of_map in enumerate(shapes)], 1)
    plain = slice(0, len(objects.label))
    required = _counts(taken[plain].max(axis=1), objects.label)
    for _ in range(ROUNDS):
        changed = False
        without = [np.delete(taken, column, axis=1).max(axis=1) for column in range(len(places))]
        for column in np.argsort([-_fit(one) @ seen.weight for one in without], kind="stable"):
            number, place = places[column]
            if not len(candidates[number]):
                continue
            rest = np.delete(taken, column, axis=1).max(axis=1)
            now = float(_fit(np.maximum(rest, taken[:, column])) @ seen.weight)
            gains = seen.weight @ _fit(np.maximum(rest[:, None], tried[number])) - now
            for choice in np.argsort(-gains, kind="stable")[:5]:
                best = np.maximum(rest, tried[number][:, choice])
                if gains[choice] < LEAST_GAIN:
                    break
                if (_counts(best[plain], objects.label) >= required).all():
                    width, height = candidates[number][choice]
                    shapes[number][place] = (round(float(width), 2), round(float(height), 2))
                    taken[:, column] = tried[number][:, choice]
                    required = np.maximum(required, _counts(best[plain], objects.label))
                    changed = True
                    break
        if not changed:
            break
    return replace(settings, fitted_px=tuple(map(tuple, shapes)))


def _with_scaled(objects: _Objects) -> _Objects:
    """The objects, and then those that are larger and smaller."""
    scales = {1.0: 1.0, **SCALED}
    return _Objects(
        np.concatenate([objects.center for _ in scales]),
        np.concatenate([objects.size * scale for scale in scales]),
        np.concatenate([objects.label for _ in scales]),
        np.concatenate([objects.weight * weight for weight in scales.values()]),
    )


def _candidates(settings: DefaultBoxSettings, number: int, objects: _Objects) -> Float[np.ndarray, "shapes 2"]:
    """Shapes of the objects, on a grid of sizes, the most frequent ones that a map can have.

    A map takes no larger boxes than it has in the paper. The first three take smaller ones too, the finest one by far,
    and the two coarsest keep the paper's. If boxes of one size were in more maps, the heads of each would learn the
    same objects, from a part of the examples.
    """
    least = ((SMALLEST if number == 0 else SMALLEST_COARSE) * settings.steps_px[number]) ** 2
    most = max(width * height for width, height in settings.shapes_px[number])
    logarithms = np.round(np.log(objects.size) / np.log(GRID)).astype(np.int64)
    steps, first = np.unique(logarithms, axis=0, return_inverse=True)
    weights = np.bincount(first.reshape(-1), weights=objects.weight)
    shapes = GRID**steps
    areas, longest = shapes.prod(axis=1), shapes.max(axis=1)
    fits = np.flatnonzero((areas >= least) & (areas <= most) & (longest <= LARGEST * settings.image_size_px))
    chosen = fits[np.argsort(-weights[fits], kind="stable")[:CANDIDATES]]
    return np.asarray(shapes[chosen])


def _ious(
    settings: DefaultBoxSettings, number: int, shapes: Float[np.ndarray, "shapes 2"], objects: _Objects
) -> Float[np.ndarray, "n shapes"]:
    """The greatest IoU of each object with any default box of each shape in a map: that of the nearest center."""
    step, cells = settings.steps_px[number], settings.map_sizes[number]
    nearest = (np.clip(np.round(objects.center / step - 0.5), 0, cells - 1) + 0.5) * step
    distance = np.abs(objects.center - nearest)[:, None]
    size, shape = objects.size[:, None], np.asarray(shapes, np.float64).reshape(-1, 2)
    overlap = np.minimum(np.minimum(size, shape), np.clip((size + shape) / 2 - distance, 0, None)).prod(axis=2)
    union = size.prod(axis=2) + shape.prod(axis=1) - overlap
    return np.asarray(overlap / union, np.float32)


def _best_ious(settings: DefaultBoxSettings, objects: _Objects) -> Float[np.ndarray, " n"]:
    best = np.zeros(len(objects.label), np.float32)
    for number, shapes in enumerate(settings.shapes_px):
        best = np.maximum(best, _ious(settings, number, np.array(shapes), objects).max(axis=1))
    return best


def _covered_by_class(settings: DefaultBoxSettings, objects: _Objects) -> Float[np.ndarray, " classes"]:
    counts: np.ndarray = np.bincount(objects.label, weights=_best_ious(settings, objects) >= COVERED_IOU)
    return counts


def _counts(best: Float[np.ndarray, " n"], label: Int[np.ndarray, " n"]) -> Float[np.ndarray, " classes"]:
    counts: np.ndarray = np.bincount(label, weights=best >= COVERED_IOU + MARGIN)
    return counts


def _fit(iou: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """How well an object is fitted, from 0 to 1: half of it is to be covered, half the IoU."""
    low, high = SOFT_IOU
    return np.asarray(0.5 * (iou >= COVERED_IOU + MARGIN) + 0.5 * np.clip((iou - low) / (high - low), 0, 1))
