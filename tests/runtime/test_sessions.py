"""Sessions of both engines, and what they leave behind in the process."""

import subprocess
import sys

import pytest

from ssd300.errors import WeightsError
from ssd300.runtime.sessions import open_session

CTRL_C_AFTER_SESSIONS = """
import gc, os, signal, sys, time
from pathlib import Path
from ssd300.runtime.sessions import open_session
signal.signal(signal.SIGINT, signal.default_int_handler)
sessions = [open_session(Path(sys.argv[1])) for _ in range(2)]
del sessions[0]
del sessions
gc.collect()
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(10)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("kind", ["raw", pytest.param("xml", marks=pytest.mark.slow)])
def test_ctrl_c_after_sessions_have_ended_is_a_keyboard_interrupt(kind, exported):
    """OpenVINO's plugin unmaps the stack of signal handlers when it is unloaded, and leaves it in use."""
    command = [sys.executable, "-c", CTRL_C_AFTER_SESSIONS, str(exported[kind])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr


def test_the_ending_decides_the_engine_and_a_broken_file_is_refused(tmp_path):
    for name, engine in (("m.onnx", "ONNX Runtime"), ("m.xml", "OpenVINO")):
        (tmp_path / name).write_bytes(b"broken")
        with pytest.raises(WeightsError, match=f"{engine} cannot load the file"):
            open_session(tmp_path / name)
