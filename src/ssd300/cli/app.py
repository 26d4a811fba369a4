"""The command `ssd300`: its verbs by name, and the exit code and message of each kind of error."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from cyclopts import App, Group, Parameter

from ssd300.cli.help import ARGUMENTS, PLAIN, Page, docs_page, ending, in_words
from ssd300.cli.signals import last_words
from ssd300.cli.verb import FIRST_COMMANDS
from ssd300.cli.verb import GROUPS as GROUPS_OF_VERBS
from ssd300.cli.verbs import VERBS
from ssd300.errors import (
    DataError,
    ExportError,
    MistakesError,
    ReportedElsewhereError,
    RunError,
    SSDError,
    UsageError,
    WeightsError,
)
from ssd300.system.early_signals import is_early
from ssd300.system.processes import is_main_process
from ssd300.system.torch_settings import set_before_torch

STDIN = "/dev/stdin"  # in place of a single hyphen, which the parser takes for an option
REPORTING_S = 2.0  # for another process to report its error: when the first one exits, torchrun ends the others
FAILED, USAGE, INTERRUPTED, TERMINATED = 1, 2, 130, 143
# These collect their mistakes in `Mistakes`, so that those in the words are reported with the others.
COLLECT_MISTAKES = frozenset(
    [
        "train",
        "eval",
        "detect",
        "benchmark",
        "plan",
        "export",
        "serve",
        "label",
        "compare",
        "thresholds",
        "verify",
        "next",
        "review",
        "convert",
        "shard",
        "prepare",
        "split",
    ]
)
EXIT_CODES: dict[type[SSDError], int] = {UsageError: USAGE, DataError: 3, WeightsError: 4, ExportError: 5}

app = App(
    name="ssd300",
    help="SSD300, the Single Shot MultiBox Detector, by the rules of the paper.",
    usage="ssd300 COMMAND [OPTIONS]",
    suppress_keyboard_interrupt=False,  # `main` handles it
    help_format="rich",  # nothing here is Markdown, and reading it as such takes a fifth of the time
    help_epilogue=ending(FIRST_COMMANDS, "`ssd300 COMMAND --help` has the options of a command, with examples"),
    help_formatter=Page(),
    default_parameter=Parameter(show_default=in_words),
    group_arguments=ARGUMENTS,
    group_parameters=PLAIN,
    group_commands=Group("Other options", sort_key=len(VERBS)),
)
GROUPS = {name: Group(name, sort_key=place) for place, name in enumerate(GROUPS_OF_VERBS)}
for place, (name, verb) in enumerate(VERBS.items()):
    module = "import_" if name == "import" else name  # words of Python get an underscore
    app.command(
        f"ssd300.cli.{module}:{name}{'_' if name in ('eval', 'import', 'next') else ''}",
        name=name,
        help=verb.help,
        help_epilogue=ending(verb.examples, docs_page(verb.page)),
        usage=f"ssd300 {name} {verb.usage}",
        group=GROUPS[verb.group],
        sort_key=place,
    )
app.register_install_completion_command()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb and return the exit code. With `--debug` anywhere among the words, an error shows its traceback."""
    set_before_torch()
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = _usual([STDIN if word == "-" else word for word in words if word != "--debug"])
    try:
        with _terminable():
            _run(words)
    except KeyboardInterrupt as came:
        _print_signal(came, "interrupted")
        return INTERRUPTED
    except _Terminated as came:
        _print_signal(came, "terminated")
        return TERMINATED
    except ReportedElsewhereError:
        _leave_time_to_tell()
        return FAILED
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
    """`help COMMAND` and `version` as the options that they mean."""
    if words[:1] == ["help"]:
        return [*words[1:], "--help"]
    return ["--version"] if words in (["version"], ["-v"], ["-V"]) else words


def _run(words: list[str]) -> None:
    """Run the verb. If words are wrong, it only checks the others, and raises all that is wrong."""
    from ssd300.cli.mistakes import raised, typed
    from ssd300.cli.parsing import wrong_words

    wrong = wrong_words(app, words, list(VERBS))
    errors, mended = wrong.errors, wrong.mended
    if mended is not None and (not errors or mended[0] in COLLECT_MISTAKES):
        with typed(words, errors, wrong.options):
            app(mended, exit_on_error=False, print_error=False, result_action="return_value")
    if errors:
        if not is_main_process():  # which has the same words, and tells the same
            _leave_time_to_tell()
        raise raised(errors)


class _Terminated(BaseException):
    """Raised by SIGTERM, so that what is running cleans up as after Ctrl-C."""


@contextmanager
def _terminable() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may change what a signal does
        return
    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, _terminate)}
    if is_early(signal.SIGINT):
        before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Terminated


def _explained(error: Exception) -> SSDError:
    """The error as one with three parts: such as a full disk, a missing extra, or a fault of this program."""
    if isinstance(error, SSDError):
        return error
    if isinstance(error, OSError):
        from tempfile import gettempdir

        from ssd300.system.files import FULL

        what, fix = error.strerror or str(error), "Check the path, its permissions and the space on the disk."
        if error.filename is None and error.errno in FULL:  # a write does not name its file
            where = f"what the command prints, one of its files, or a temporary one in {gettempdir()}"
            return RunError(what, where=where, fix="Make room on the disk, or name another output.")
        return RunError(what, where=error.filename, fix=fix)
    if isinstance(error, ImportError):
        return RunError(str(error), fix="Install what is missing.")
    reason = (str(error).splitlines() or [""])[0]
    return RunError(
        f"unexpected: {reason or type(error).__name__}",
        fix="This is a fault of ssd300. Run the same command with --debug, and report what it prints.",
    )


def _leave_time_to_tell() -> None:
    """Wait; a signal ends this without a word."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    time.sleep(REPORTING_S)


def _print_signal(came: BaseException, word: str) -> None:
    """Of several processes, which all get it, the main one tells."""
    if is_main_process():
        _print(last_words(came, word))


def _print(text: str) -> None:
    from ssd300.system.wording import fitted

    sys.stderr.write(fitted(f"ssd300: {text}", sys.stderr) + "\n")


def _print_parts(error: SSDError, words: Sequence[str]) -> None:
    """What, where, and what to do; options as they are typed among the words."""
    from ssd300.cli.options import as_typed
    from ssd300.system.wording import fitted

    _print(f"error: {as_typed(error.what, words)}")
    for name, part in (("where", error.where), ("to do", error.fix)):
        if part:
            line = f"  {name}: {as_typed(part, words) if name == 'to do' else part}"
            sys.stderr.write(f"{fitted(line, sys.stderr)}\n")
