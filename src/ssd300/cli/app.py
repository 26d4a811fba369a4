"""The command `ssd300`: its verbs by name, and the exit code and message of each kind of error."""

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

STDIN = "/dev/stdin"  # in place of a single hyphen, which the parser takes for an option
FAILED, USAGE, INTERRUPTED, TERMINATED = 1, 2, 130, 143
EXIT_CODES: dict[type[SSDError], int] = {UsageError: USAGE, DataError: 3, WeightsError: 4, ExportError: 5}

# These repeat the docstrings of the verbs: reading those would import all modules of verbs for `ssd300 --help`.
VERBS = {
    "demo": "Make a small synthetic dataset, list, train, evaluate and detect on it, and write a report.",
    "prepare": "Write lists of training and test images, and of their objects, as JSON.",
    "split": "Hold out a share of the images to evaluate on, near copies in one part, and write both parts as lists.",
    "check": "Report the problems of a dataset, and what SSD300 can learn from it.",
    "convert": "Convert a dataset to VOC, COCO or YOLO format, with copies of its images.",
    "train": "Train SSD300 on annotated images. An option that is left out has the preset's value.",
    "eval": "Evaluate weights, or stored predictions, on annotated images.",
    "compare": "Compare two detectors on the same images, with a confidence interval for the difference.",
    "thresholds": "Choose a confidence threshold per class on held-out images, and store it in the weights.",
    "verify": "Check that a run's stored detections, and its weights, still give the mAP of its summary.",
    "detect": "Detect objects in images, folders, videos and camera streams.",
    "benchmark": "Time each stage of detection, and images/s by batch size and threads, on this machine.",
    "export": "Export weights to ONNX or OpenVINO; the file is compared with them on images.",
    "serve": "Serve a web page for images and an HTTP API, until Ctrl-C or SIGTERM.",
    "import": "Convert a checkpoint of another SSD300 code to a weights file of ours, without running its code.",
    "download": "Download published weights or PASCAL VOC, resumable and checked. "
    "Without a name, list what can be downloaded.",
    "info": "Print model, classes, input size, normalization, metric, data, license and origin of weights.",
    "env": "Print versions, devices and precisions of this machine.",
}

app = App(
    name="ssd300",
    help="SSD300, the Single Shot MultiBox Detector, by the rules of the paper.",
    suppress_keyboard_interrupt=False,  # `main` handles it
    help_format="plaintext",  # nothing here is Markdown, and reading it as such takes a fifth of the time
)
for verb, summary in VERBS.items():
    module = "import_" if verb == "import" else verb  # words of Python get an underscore
    app.command(f"ssd300.cli.{module}:{verb}{'_' if verb in ('eval', 'import') else ''}", name=verb, help=summary)
app.register_install_completion_command()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb and return the exit code. With `--debug` anywhere among the words, an error shows its traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [STDIN if word == "-" else word for word in words if word != "--debug"]
    try:
        with _terminable():
            app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        _print(str(error))
        return USAGE
    except KeyboardInterrupt:
        _print("interrupted")
        return INTERRUPTED
    except _Terminated:
        _print("terminated")
        return TERMINATED
    except BrokenPipeError:
        # The reader of stdout has closed it; what is still buffered must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (SSDError, OSError, ImportError) as error:
        if debug:
            raise
        explained = _explained(error)
        _print_parts(explained)
        return next((code for kind, code in EXIT_CODES.items() if isinstance(explained, kind)), FAILED)
    return 0


class _Terminated(BaseException):
    """Raised by SIGTERM, so that what is running cleans up as after Ctrl-C."""


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
    """The error as one with three parts: such as a full disk, a folder without permission, or a missing extra."""
    if isinstance(error, SSDError):
        return error
    if isinstance(error, OSError):
        what = error.strerror or str(error)
        return RunError(what, where=error.filename, fix="Check the path, its permissions and the space on the disk.")
    return RunError(str(error), fix="Install what is missing.")


def _print(text: str) -> None:
    sys.stderr.write(f"ssd300: {text}\n")


def _print_parts(error: SSDError) -> None:
    _print(f"error: {error.what}")
    for name, part in (("where", error.where), ("to do", error.fix)):
        if part:
            sys.stderr.write(f"  {name}: {part}\n")
