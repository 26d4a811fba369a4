"""The command `ssd300`: its verbs by name, and the exit code and message of each kind of error."""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from cyclopts import App

from ssd300.errors import DataError, ExportError, MistakesError, RunError, SSDError, UsageError, WeightsError

STDIN = "/dev/stdin"  # in place of a single hyphen, which the parser takes for an option
FAILED, USAGE, INTERRUPTED, TERMINATED = 1, 2, 130, 143
# These collect their mistakes in `Mistakes`, so that those in the words are told with the others.
COLLECT_MISTAKES = frozenset(
    [
        "train",
        "eval",
        "detect",
        "benchmark",
        "export",
        "serve",
        "compare",
        "thresholds",
        "verify",
        "convert",
        "prepare",
        "split",
    ]
)
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
    words = _usual([STDIN if word == "-" else word for word in words if word != "--debug"])
    try:
        with _terminable():
            _run(words)
    except KeyboardInterrupt:
        _print("interrupted")
        return INTERRUPTED
    except _Terminated:
        _print("terminated")
        return TERMINATED
    except BrokenPipeError:
        # The reader of stdout has closed it; what is still buffered must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        if debug:
            raise
        errors = error.errors if isinstance(error, MistakesError) else [_explained(error)]
        for one in errors:
            _print_parts(one, words)
        return next((code for kind, code in EXIT_CODES.items() if isinstance(errors[0], kind)), FAILED)
    return 0


def _usual(words: list[str]) -> list[str]:
    """`help VERB` and `version` as the options that they mean."""
    if words[:1] == ["help"]:
        return [*words[1:], "--help"]
    return ["--version"] if words in (["version"], ["-v"], ["-V"]) else words


def _run(words: list[str]) -> None:
    """Run the verb. If words are wrong, it only checks the others, and raises all that is wrong."""
    from ssd300.cli.mistakes import raised, typed
    from ssd300.cli.parsing import wrong_words

    errors, mended = wrong_words(app, words, list(VERBS))
    if mended is not None and (not errors or mended[0] in COLLECT_MISTAKES):
        with typed(words, errors):
            app(mended, exit_on_error=False, print_error=False, result_action="return_value")
    if errors:
        raise raised(errors)


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


def _explained(error: Exception) -> SSDError:
    """The error as one with three parts: such as a full disk, a missing extra, or a fault of this program."""
    if isinstance(error, SSDError):
        return error
    if isinstance(error, OSError):
        what = error.strerror or str(error)
        return RunError(what, where=error.filename, fix="Check the path, its permissions and the space on the disk.")
    if isinstance(error, ImportError):
        return RunError(str(error), fix="Install what is missing.")
    reason = (str(error).splitlines() or [""])[0]
    return RunError(
        f"unexpected: {reason or type(error).__name__}",
        fix="This is a fault of ssd300. Run the same command with --debug, and report what it prints.",
    )


def _print(text: str) -> None:
    sys.stderr.write(f"ssd300: {text}\n")


def _print_parts(error: SSDError, words: Sequence[str]) -> None:
    """What, where, and what to do; options as they are typed among the words."""
    from ssd300.cli.options import as_typed

    _print(f"error: {as_typed(error.what, words)}")
    for name, part in (("where", error.where), ("to do", error.fix)):
        if part:
            sys.stderr.write(f"  {name}: {as_typed(part, words) if name == 'to do' else part}\n")
