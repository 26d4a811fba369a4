"""Weights files: our format, those of other codes, published ones by name, and what a new detector starts from."""

from ssd300.weights.card import Card
from ssd300.weights.format import save_weights
from ssd300.weights.resolve import load_weights, read_card, resolve_weights

__all__ = ["Card", "load_weights", "read_card", "resolve_weights", "save_weights"]
