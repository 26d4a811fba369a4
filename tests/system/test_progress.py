import os
import pty
import subprocess
import sys
import time

import pytest

from ssd300.system import progress
from ssd300.system.duration import duration
from ssd300.system.progress import Task, shown, silent
from ssd300.system.progress_views import Lines, NotebookBar, view_of_stderr

COUNT = """
import time
from ssd300.system.progress import shown
with shown("evaluating", 4) as task:
    for _ in range(4):
        time.sleep(0.2)
        task.advance()
"""


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(Lines, "first_s", 0.02)
    monkeypatch.setattr(Lines, "every_s", 0.02)


@pytest.mark.parametrize(
    ("total", "done", "seconds", "text"),
    [
        (952, 120, 12.0, "120 of 952 images, 12 s, 1 min 23 s left"),
        (952, 952, 95.0, "952 of 952 images, 1 min 35 s"),
        (952, 0, 3.0, "0 of 952 images, 3 s"),
        (None, 1200, 5.0, "1,200 images, 5 s"),
        (None, 0, 5.0, "5 s"),
    ],
)
def test_the_numbers_of_a_task(monkeypatch, total, done, seconds, text):
    now = time.monotonic()
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    task = Task("evaluating", total, "images", 0)
    task.update(done)
    now += seconds
    assert task.numbers() == text


def test_images_that_were_done_before_do_not_make_it_look_fast(monkeypatch):
    now = time.monotonic()
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    task = Task("detecting", 100, "images", 80)
    task.advance(10)
    now += 10
    assert task.numbers() == "90 of 100 images, 10 s, 10 s left"


def test_notes_are_shown_where_there_is_room():
    task = Task("training", 10, "steps", 0)
    task.notes = ("3.0 images/s", "lr 1.00e-02")
    assert task.numbers() == "0 of 10 steps, 0 s, 3.0 images/s, lr 1.00e-02"
    assert task.numbers(room=40) == "0 of 10 steps, 0 s, 3.0 images/s"
    assert task.numbers(room=3) == "0 of 10 steps, 0 s"


def test_long_work_is_shown_as_lines_also_while_nothing_is_counted(quick, capsys):
    with shown("tracing"):
        time.sleep(0.2)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 2
    assert set(lines) == {"tracing: 0 s"}


def test_the_last_line_says_how_far_it_came(quick, capsys):
    with shown("evaluating", 2) as task:
        time.sleep(0.1)
        task.advance(2)
    assert capsys.readouterr().err.splitlines()[-1] == "evaluating: 2 of 2 images, 0 s"


def test_short_work_and_silence_show_nothing(capsys):
    for shows in (shown, silent):
        with shows("evaluating", 2) as task:
            task.advance()
    assert capsys.readouterr() == ("", "")


def test_lines_survive_a_closed_stderr(quick, monkeypatch):
    class Closed:
        def isatty(self):
            return False

        def write(self, text):
            raise BrokenPipeError

        flush = write

    monkeypatch.setattr(sys, "stderr", Closed())
    with shown("evaluating", 2):
        time.sleep(0.1)
    monkeypatch.setattr(sys, "stderr", None)
    with shown("evaluating", 2):
        time.sleep(0.1)


@pytest.mark.slow
def test_a_terminal_gets_a_bar_and_a_dumb_one_lines():
    shown_text = _in_terminal(COUNT, TERM="xterm")
    assert "evaluating" in shown_text
    assert "4 of 4 images" in shown_text
    assert "\u2501" in shown_text
    assert _in_terminal(COUNT, TERM="dumb") == ""  # it took less than two seconds


def test_a_bar_beside_another_one_goes_when_it_ends_and_text_appears_above_both():
    text = _in_terminal(
        """
import sys, time
from ssd300.system.progress import shown
with shown("training", 2, unit="steps") as outer:
    time.sleep(0.5)
    with shown("evaluating", 3) as inner:
        time.sleep(0.5)
        sys.stderr.write("a line of the log\\n")
        inner.advance(3)
    outer.advance(2)
""",
        TERM="xterm",
    )
    assert "a line of the log" in text
    last = text.splitlines()[-2:]
    assert any("training" in line and "2 of 2 steps" in line for line in last)


def test_outside_a_notebook_no_ipython_is_imported():
    code = "import sys; from ssd300.system.progress import shows_bars; shows_bars(); print('IPython' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_a_kernel_gets_a_notebooks_bar(monkeypatch):
    class Shell:
        kernel = object()

    class IPython:
        get_ipython = staticmethod(lambda: Shell())

    monkeypatch.setitem(sys.modules, "IPython", IPython)
    assert isinstance(view_of_stderr(), NotebookBar)
    Shell.kernel = None
    assert isinstance(view_of_stderr(), Lines)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (8.0, "8 s"), (200.0, "3 min 20 s"), (3600.0, "1 h 0 min"), (7500.0, "2 h 5 min")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def _in_terminal(code, **environment):
    """What a Python program writes to a terminal as its stderr."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", code], stderr=theirs, env=os.environ | environment)
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        parts.append(part)
    os.close(ours)
    assert process.wait() == 0
    return b"".join(parts).decode()
