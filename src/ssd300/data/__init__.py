"""Labelled pictures: formats, decoding, augmentation and batches."""

from ssd300.data.dataset import Dataset
from ssd300.data.load import load_dataset

__all__ = ["Dataset", "load_dataset"]
