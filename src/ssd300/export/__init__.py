"""From weights to files for other runtimes, each run and compared before it is kept."""

from ssd300.export.exporting import export
from ssd300.export.parity import Limits

__all__ = ["Limits", "export"]
