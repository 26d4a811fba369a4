"""Whether this process is the kernel of a notebook. IPython is not imported where nothing else imported it."""

import sys


def is_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return getattr(shell, "kernel", None) is not None
