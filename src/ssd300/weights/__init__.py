"""Weights files: our own format, and the backbones that a new detector starts from."""

from ssd300.weights.format import Card, load_weights, read_card, resolve_weights, save_weights

__all__ = ["Card", "load_weights", "read_card", "resolve_weights", "save_weights"]
