"""`python -m ssd300`."""

import sys

from ssd300.cli import main

sys.exit(main())
