"""The command line: `ssd300 VERB`. Nothing heavy is imported until a verb runs."""

from ssd300.cli.app import main

__all__ = ["main"]
