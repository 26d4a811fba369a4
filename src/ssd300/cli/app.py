"""The command `ssd300`: its verbs by name, and what each kind of error becomes on the way out."""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from cyclopts import App, CycloptsError

from ssd300.errors import DataError, ExportError, RunError, SSDError, UsageError, WeightsError

STDIN = "/dev/stdin"  # for a lone hyphen, which the parser takes for an option
FAILED, USAGE, INTERRUPTED, TERMINATED = 1, 2, 130, 143
EXIT_CODES: dict[type[SSDError], int] = {UsageError: USAGE, DataError: 3, WeightsError: 4, ExportError: 5}

# What each does is said here too, as reading it from the verb's own module would import that module for every --help.
VERBS = {
    "demo": "Draw a small data set, list, train, evaluate and detect on it, and write a report.",
    "prepare": "Write the lists of training and test images and their objects as JSON.",
    "check": "Say all that is wrong with labelled images, and what SSD300 can learn of them.",
    "convert": "Write labelled images in another form, the images copied, boxes unchanged.",
    "train": "Train SSD300 on labelled images. An option that is left out has the preset's value.",
    "eval": "Evaluate weights, or stored predictions, on labelled images.",
    "compare": "Compare two detectors on the same labelled images, and say how sure the difference is.",
    "thresholds": "Choose the lowest score of each class on held-out images, and keep it in the weights.",
    "verify": "Score a run's stored detections again, then its weights, and compare with its summary.",
    "detect": "Detect objects in images, folders, videos and camera streams.",
    "benchmark": "Time each stage of detection, and images/s by batch size and threads, on this machine.",
    "export": "Write weights as a file for ONNX Runtime or OpenVINO, checked on images before it is kept.",
    "serve": "Serve a web page for images and an HTTP API, until Ctrl-C or SIGTERM.",
    "import": "Turn a checkpoint of another SSD300 code into a weights file of ours, without running its code.",
    "download": "Download published weights or PASCAL VOC, checked and resumable; without a name, list what there is.",
    "info": "Print model, classes, input size, normalisation, metric, data, licence and origin of weights.",
    "env": "Print versions, devices and precisions of this machine.",
}

app = App(
    name="ssd300",
    help="SSD300, the Single Shot MultiBox Detector, exactly as in the paper.",
    suppress_keyboard_interrupt=False,  # `main` answers it
    help_format="plaintext",  # nothing here is Markdown, and reading it as such takes a fifth of the time
)
for verb, summary in VERBS.items():
    module = "import_" if verb == "import" else verb  # words of Python get an underscore
    app.command(f"ssd300.cli.{module}:{verb}{'_' if verb in ('eval', 'import') else ''}", name=verb, help=summary)
app.register_install_completion_command()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb and answer the exit code. `--debug` anywhere shows the traceback of an error."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [STDIN if word == "-" else word for word in words if word != "--debug"]
    try:
        with _terminable():
            app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        _say(str(error))
        return USAGE
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    except _Terminated:
        _say("terminated")
        return TERMINATED
    except BrokenPipeError:
        # The reader of stdout has gone; what is still buffered must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (SSDError, OSError, ImportError) as error:
        if debug:
            raise
        explained = _explained(error)
        _say_parts(explained)
        return next((code for kind, code in EXIT_CODES.items() if isinstance(explained, kind)), FAILED)
    return 0


class _Terminated(BaseException):
    """SIGTERM on its way up through whatever runs, so that it cleans up as after Ctrl-C."""


@contextmanager
def _terminable() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may change what a signal does
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Terminated


def _explained(error: SSDError | OSError | ImportError) -> SSDError:
    """A full disk, a folder without permission, and an extra that is not installed, in the three parts of an error."""
    if isinstance(error, SSDError):
        return error
    if isinstance(error, OSError):
        what = error.strerror or str(error)
        return RunError(what, where=error.filename, fix="Check the path, its permissions and the space on the disk.")
    return RunError(str(error), fix="Install what is missing.")


def _say(text: str) -> None:
    sys.stderr.write(f"ssd300: {text}\n")


def _say_parts(error: SSDError) -> None:
    _say(f"error: {error.what}")
    for name, part in (("where", error.where), ("to do", error.fix)):
        if part:
            sys.stderr.write(f"  {name}: {part}\n")
