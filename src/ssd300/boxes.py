"""Boxes as numpy arrays, without torch, for annotations and metrics: xyxy in pixels, 0-based and half-open.

A width is the difference of the corners. Any leading shape is allowed; two arguments must broadcast. VOC's own rule for
pixels is here too, for its files and its metric.
"""

from typing import TypeVar

import numpy as np
from jaxtyping import Float

CORNERS = ("xmin", "ymin", "xmax", "ymax")  # the columns of a box, by their names in files
VOC_FIRST_PIXEL = 1  # VOC counts from 1 and includes the last pixel: its (1, 1, 2, 2) is two pixels wide
Column = TypeVar("Column", float, np.ndarray)


def iou_px(a: Float[np.ndarray, "*a 4"], b: Float[np.ndarray, "*b 4"]) -> Float[np.ndarray, "*ab"]:
    """Intersection over union. An empty box has 0; inverted boxes are not allowed."""
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    intersection = np.clip(width, 0, None) * np.clip(height, 0, None)
    union = area_px(a) + area_px(b) - intersection
    iou: np.ndarray = np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)
    return iou


def area_px(boxes: Float[np.ndarray, "*n 4"]) -> Float[np.ndarray, "*n"]:
    """Width times height."""
    return np.asarray((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1]))


def to_voc_pixels(xmin: Column, ymin: Column, xmax: Column, ymax: Column) -> tuple[Column, Column, Column, Column]:
    """0-based half-open corners to VOC's 1-based inclusive ones: the start moves by one, the end does not."""
    return xmin + VOC_FIRST_PIXEL, ymin + VOC_FIRST_PIXEL, xmax, ymax


def from_voc_pixels(xmin: Column, ymin: Column, xmax: Column, ymax: Column) -> tuple[Column, Column, Column, Column]:
    """The inverse of `to_voc_pixels`."""
    return xmin - VOC_FIRST_PIXEL, ymin - VOC_FIRST_PIXEL, xmax, ymax
