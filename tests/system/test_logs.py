import subprocess
import sys

LOG = """
import logging, sys
from ssd300.system.logs import logged_to_screen
log = logging.getLogger("ssd300.training.loop")
{before}
with logged_to_screen():
    log.info("step 1")
log.info("step 2")
assert logging.getLogger("ssd300").handlers == []
assert logging.getLogger("ssd300").level == logging.NOTSET
"""


def _stderr(before):
    code = LOG.format(before=before)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == ""
    return run.stderr


def test_the_log_goes_to_stderr_where_nobody_configured_logging_and_only_for_the_time():
    assert _stderr("") == "step 1\n"


def test_logging_that_is_configured_is_left_alone_and_nothing_is_written_twice():
    assert _stderr("logging.basicConfig(level=logging.INFO, format='mine: %(message)s')") == (
        "mine: step 1\nmine: step 2\n"
    )
    assert _stderr("logging.basicConfig(level=logging.WARNING)") == ""
