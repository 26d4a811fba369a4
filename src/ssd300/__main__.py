"""`python -m ssd300`, and the command `ssd300`."""

import sys

from ssd300.system.early_signals import end_at_once


def main() -> int:
    """Run the command line and return the exit code. Loading it takes longer than all that is done here."""
    end_at_once()
    from ssd300.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
