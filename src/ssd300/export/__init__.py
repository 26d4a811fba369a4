"""From weights to files for other runtimes, each compared with its weights before it is written."""

from ssd300.export.exporting import export
from ssd300.export.parity import Limits

__all__ = ["Limits", "export"]
