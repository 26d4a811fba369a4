import os
import signal
import subprocess
import sys

import pytest

from ssd300.system.early_signals import end_at_once, is_early

# A signal while the commands are being loaded: the module of the command line is one that signals its own process.
LOADING = """
import os, sys, types
class Cli(types.ModuleType):
    def __getattr__(self, name):
        os.kill(os.getpid(), int(sys.argv[1]))
sys.modules["ssd300.cli"] = Cli("ssd300.cli")
from ssd300.__main__ import main
main()
"""


@pytest.mark.parametrize(
    ("number", "code", "words"), [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")]
)
def test_a_signal_while_a_command_is_loaded_ends_it_with_a_line_and_its_code(number, code, words):
    ended = subprocess.run([sys.executable, "-c", LOADING, str(int(number))], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr, ended.stdout) == (code, f"ssd300: {words}\n", "")


def test_other_handlers_stay(monkeypatch):
    """Such as Ctrl-C ignored in a background job."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        end_at_once()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert is_early(signal.SIGTERM)
        assert not is_early(signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
