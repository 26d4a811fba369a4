"""The words of a command line, parsed; what is wrong with them, all of it.

The parser stops at the first wrong word. So that word is mended, and the words are parsed again, for what else is wrong
with them. A mended command line only serves to find mistakes: it never runs.
"""

import inspect
import itertools
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from cyclopts import (
    App,
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
    ValidationError,
)

from ssd300.cli.mistakes import STAND_IN
from ssd300.cli.options import ALIASES
from ssd300.cli.suggestions import instead_of, option_for, verbs_for
from ssd300.cli.weights_words import is_run_or_weights, missing_weights, with_options
from ssd300.errors import SSDError, UsageError, did_you_mean

MOST_WRONG_WORDS = MOST_CHOICES = 20  # of a command, and of an option; longer lists are cut
OUT = {"train": "runs/mine", "export": "model.onnx"}  # such as these are the names of what a verb writes
# What a value of each type is called, and one that is right.
KINDS: dict[Any, tuple[str, str]] = {
    int: ("a whole number", "1"),
    float: ("a number", "0.5"),
    bool: ("yes or no", "yes"),
}


@dataclass(frozen=True)
class Wrong:
    """A mistake, and the words without it: None where what follows cannot be judged any more. No error where an
    earlier one has said it.

    `sure` is false where words may be left over that belonged to it, so that they are no good as DATA or SOURCE. The
    mended words have a value of ours for the `option`.
    """

    error: SSDError | None
    mended: list[str] | None
    sure: bool = True
    option: str | None = None


@dataclass(frozen=True)
class WrongWords:
    """What is wrong with the words, and the mended words, with which a verb can check the rest; None if it cannot. The
    values of `options` in them are ours.
    """

    errors: list[SSDError]
    mended: list[str] | None
    options: frozenset[str]


def wrong_words(app: App, words: Sequence[str], verbs: Sequence[str]) -> WrongWords:
    """Parse the words, mend what is wrong, and parse them again, until nothing is."""
    errors: list[SSDError] = []
    options: set[str] = set()
    sure = True
    mended: list[str] | None = list(words)
    while mended is not None and len(errors) < MOST_WRONG_WORDS:
        try:
            app.parse_args(mended, exit_on_error=False, print_error=False)
            break
        except CycloptsError as error:
            wrong = _explained(error, mended, words, verbs)
            errors += [] if wrong.error is None else [wrong.error]
            options |= set() if wrong.option is None else {wrong.option}
            mended, sure = wrong.mended, sure and wrong.sure
    return WrongWords(errors, mended if sure else None, frozenset(options))


def _explained(error: CycloptsError, words: list[str], typed: Sequence[str], verbs: Sequence[str]) -> Wrong:
    verb = error.command_chain[0] if error.command_chain else ""
    if isinstance(error, UnknownCommandError):
        return Wrong(_unknown_verb(words, verbs), None)
    if isinstance(error, UnknownOptionError):
        return _unknown_option(error, words, verb)
    if isinstance(error, CoercionError):
        return _wrong_value(error, words, verb)
    if isinstance(error, MissingArgumentError):
        return _missing(error, words, typed, verb)
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        return _too_much(error, words, verb)
    if isinstance(error, ValidationError) and isinstance(error.__cause__, SSDError) and error.argument is not None:
        token = error.argument.tokens[0]
        return Wrong(error.__cause__, _with_value(words, token.keyword, token.value, STAND_IN))
    if isinstance(error, RepeatArgumentError) and error.token.keyword:
        name = error.token.keyword
        return Wrong(UsageError(f"{name} is given twice", fix="Give it once."), _without_option(words, name))
    return Wrong(UsageError(str(error), fix=_see(verb)), None)


def _unknown_verb(words: Sequence[str], verbs: Sequence[str]) -> UsageError:
    word, rest = words[0], words[1:]
    what = f"there is no command '{word}'"
    if word.startswith("-"):
        return UsageError(
            f"{word} is not an option of ssd300 itself", fix="The command comes first: see `ssd300 --help`."
        )
    if Path(word).exists():
        verb = "check" if Path(word).is_dir() else "detect"
        return UsageError(f"{what}: the command comes first", fix=f"Such as `{shlex.join(['ssd300', verb, *words])}`.")
    if meant := verbs_for(word, verbs):
        commands = " or ".join(f"`{shlex.join(['ssd300', verb, *rest])}`" for verb in meant)
        return UsageError(what, fix=f"Did you mean {commands}?")
    return UsageError(what, fix="The usual ones are train, eval and detect; `ssd300 --help` lists all.")


def _unknown_option(error: UnknownOptionError, words: list[str], verb: str) -> Wrong:
    word = error.token.keyword or error.token.value
    name, _, value = word.partition("=")
    arguments = [argument for argument in error.argument_collection if argument.parse]
    options = [one for argument in arguments for one in argument.names if one.startswith("-")]
    positional = {str(argument.name).lstrip("-").upper() for argument in arguments if _is_positional(argument)}
    ours = None if name in ALIASES else option_for(name, options, positional)
    what = f"{verb} has no option {name}"
    place = words.index(word) if word in words else None
    if Path(word).exists():
        fix = f"For the file of this name, write ./{word}."
        return Wrong(UsageError(what, fix=fix), _replaced(words, place, [f"./{word}"]))
    if ours is None:
        return Wrong(UsageError(what, fix=instead_of(name) or _see(verb)), _without_value(words, place), sure=False)
    if ours in positional:
        fix = f"Write {ours} without an option, right after the command: `ssd300 {verb} {value or ours}`."
        return Wrong(UsageError(what, fix=fix), _replaced(words, place, [value] if value else []))
    fix = f"Did you mean {ours}?"
    given = [one.partition("=")[0] for one in words]
    same = next((argument.names for argument in arguments if ours.split()[0] in argument.names), ())
    if " " in ours or any(one in given for one in same):
        return Wrong(UsageError(what, fix=fix), _without_value(words, place), sure=False)
    return Wrong(UsageError(what, fix=fix), _replaced(words, place, [f"{ours}={value}" if value else ours]))


def _wrong_value(error: CoercionError, words: list[str], verb: str) -> Wrong:
    value = "" if error.token is None else error.token.value
    keyword = None if error.token is None else error.token.keyword
    kind = _plain_type(error.target_type)
    name = keyword or (str(error.argument.name).lstrip("-").upper() if error.argument else "a value")
    if get_origin(kind) is Literal:
        choices = [str(choice) for choice in get_args(kind)]
        more = len(choices) - MOST_CHOICES
        shown = ", ".join(choices[:MOST_CHOICES]) + (f" and {more} more" if more > 0 else "")
        what = f"{name} is {value}; it must be one of {shown}"
        fix = did_you_mean(value, choices, _see(verb))
        takes_all_words = error.argument is not None and error.argument.token_count()[1]
        if takes_all_words and Path(value).exists():
            fix = f"Write {value} before {name}, which takes all words that follow it."
    else:
        what = f"{name} is {value}; it must be {KINDS.get(kind, ('another value', ''))[0]}"
        fix = _number_meant(kind, value) or _see(verb)
    if not value:
        what = f"{name} needs a value"
    mended = _with_value(words, keyword, value, _valid(kind))
    return Wrong(UsageError(what, fix=fix), mended, option=None if error.argument is None else error.argument.name)


def _missing(error: MissingArgumentError, words: list[str], typed: Sequence[str], verb: str) -> Wrong:
    argument = error.argument
    if argument is None:
        return Wrong(UsageError(str(error), fix=_see(verb)), None)
    stand_in = _valid(_plain_type(argument.hint))
    name = error.keyword or next((one for one in argument.names if one in words), None)
    if name is not None and name in words:
        place = words.index(name)
        error_ = UsageError(f"{name} needs a value", fix=f"Write it after {name}: see `ssd300 {verb} --help`.")
        return Wrong(error_, [*words[: place + 1], stand_in, *words[place + 1 :]])
    has_option = str(argument.name).startswith("-")
    mended = with_options(words, [str(argument.name), stand_in] if has_option else [stand_in])
    if "--weights" in argument.names:
        positional = _is_positional(argument)
        what = f"{verb} needs {'weights' if positional else '--weights'}"
        known = _without_stray(typed, error) if words == list(typed) else None
        return Wrong(missing_weights(known, what, option=not positional), mended)
    if _is_positional(argument):
        *before, last = _positional_names(error)
        order = ", in this order" if before else ""
        what = f"{verb} needs {' and '.join(filter(None, (', '.join(before), last)))}{order}"
        return Wrong(UsageError(what, fix=_usage(error)), mended)
    example = f" {OUT.get(verb, 'FOLDER')}" if argument.name == "--out" else ""
    choices = get_args(argument.hint) if get_origin(argument.hint) is Literal else ()
    what = f"{verb} needs {argument.name}" + (f": one of {', '.join(map(str, choices))}" if choices else "")
    return Wrong(UsageError(what, fix=f"Add {argument.name}{example}: see `ssd300 {verb} --help`."), mended)


def _too_much(error: UnusedCliTokensError, words: list[str], verb: str) -> Wrong:
    """More words than the verb has parameters. Of weights without their option the first error has said it."""
    extra = error.unused_tokens or []
    mended = _without_last(words, extra)
    if _positional_names(error):
        what = f"{verb} takes fewer words: '{' '.join(extra)}' is too much"
        return Wrong(UsageError(what, fix=_usage(error)), mended)
    if STAND_IN in words and any(map(is_run_or_weights, extra)):
        return Wrong(None, mended)
    what = f"{verb} takes no words without an option: '{' '.join(extra)}' is too much"
    return Wrong(UsageError(what, fix=_see(verb)), mended)


def _without_stray(words: Sequence[str], error: CycloptsError) -> list[str]:
    """The words without those behind a verb that takes none there, but for weights."""
    if _positional_names(error):
        return list(words)
    stray = itertools.takewhile(lambda word: not word.startswith("-"), words[1:])
    return _without_last(words, [word for word in stray if not is_run_or_weights(word)])


def _usage(error: CycloptsError) -> str:
    """The order of the words, by the verb's own parameters."""
    verb = " ".join(error.command_chain or ())
    return f"Type `{' '.join(['ssd300', verb, *_positional_names(error)])}`."


def _positional_names(error: CycloptsError) -> list[str]:
    parameters = inspect.signature(error.target).parameters.values() if error.target is not None else ()
    return [one.name.rstrip("_").upper() for one in parameters if one.kind is not one.KEYWORD_ONLY]


def _is_positional(argument: Any) -> bool:
    return bool(argument.field_info.is_positional)


def _plain_type(hint: Any) -> Any:
    """The type of one word: of an option that can be left out, or that takes several words."""
    while get_origin(hint) not in (None, Literal):
        hint = next((part for part in get_args(hint) if part not in (NoneType, ...)), None)
    return hint


def _valid(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return str(get_args(kind)[0])
    return KINDS.get(kind, ("", STAND_IN))[1]


def _number_meant(kind: Any, value: str) -> str | None:
    """What to write for '20%' where a share is wanted, or for '1e3' where a whole number is."""
    try:
        if kind is float and value.endswith("%"):
            return f"Write {float(value[:-1]) / 100:g}."
        return f"Write {int(float(value))}." if kind is int and float(value).is_integer() else None
    except (ValueError, OverflowError):
        return None


def _see(verb: str) -> str:
    return f"See `ssd300 {verb} --help`."


def _replaced(words: list[str], place: int | None, new: list[str]) -> list[str] | None:
    return None if place is None else [*words[:place], *new, *words[place + 1 :]]


def _without_value(words: list[str], place: int | None) -> list[str] | None:
    """The words without the option at `place`, and without the word behind it, if that may be its value."""
    if place is None:
        return None
    after = place + 1
    has_value = "=" not in words[place] and after < len(words) and not words[after].startswith("-")
    return words[:place] + words[after + has_value :]


def _with_value(words: list[str], keyword: str | None, value: str, new: str) -> list[str] | None:
    """The words with another value of the option `keyword`."""
    if keyword is None:
        return None
    if (joined := f"{keyword}={value}") in words:
        return _replaced(words, words.index(joined), [f"{keyword}={new}"])
    if keyword not in words or value not in words[words.index(keyword) :]:
        return None
    return _replaced(words, words.index(value, words.index(keyword)), [new])


def _without_last(words: Sequence[str], extra: Sequence[str]) -> list[str]:
    left = list(reversed(words))
    for word in reversed(extra):
        left.remove(word)
    return left[::-1]


def _without_option(words: list[str], name: str) -> list[str] | None:
    """The words without the last `name` and the value that follows it."""
    if name not in words:
        return None
    last = len(words) - 1 - words[::-1].index(name)
    return [*words[:last], *words[last + 2 :]]
