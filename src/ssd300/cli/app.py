"""The command `ssd300`: its verbs by name, and what each kind of error becomes on the way out."""

import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from ssd300.errors import DataError, SSDError, UsageError, WeightsError

INTERRUPTED = 130
USAGE = 2
EXIT_CODES: dict[type[SSDError], int] = {UsageError: USAGE, DataError: 3, WeightsError: 4}
FAILED = 1

VERBS = ("demo", "prepare", "train", "eval", "detect", "info", "env")

app = App(name="ssd300", help="SSD300, the Single Shot MultiBox Detector, exactly as in the paper.")
for verb in VERBS:
    app.command(f"ssd300.cli.{verb}:{verb}_" if verb == "eval" else f"ssd300.cli.{verb}:{verb}", name=verb)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb and answer the exit code. `--debug` anywhere shows the traceback of an error."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        _say(str(error))
        return USAGE
    except SSDError as error:
        if debug:
            raise
        _say_parts(error)
        return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), FAILED)
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of stdout has gone; what is still buffered must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"ssd300: {text}\n")


def _say_parts(error: SSDError) -> None:
    _say(f"error: {error.what}")
    for name, part in (("where", error.where), ("to do", error.fix)):
        if part:
            sys.stderr.write(f"  {name}: {part}\n")
