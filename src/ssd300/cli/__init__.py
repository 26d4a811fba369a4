"""The command line: `ssd300 COMMAND`. Nothing heavy is imported until a command runs."""

from ssd300.cli.app import main

__all__ = ["main"]
