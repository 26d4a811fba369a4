"""pytorch-SSD300's scripts at the root: each runs a verb, under the names of its own options.

Messages name those options too, in the spelling that was typed, and the scripts in place of the verbs.
"""

import argparse
import difflib
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NoReturn

from ssd300.cli.app import USAGE, app, main

SCRIPTS: Mapping[str, str] = {  # by their verbs
    "prepare": "create_data_list.py", "train": "train.py", "eval": "eval.py", "detect": "detect.py",
}  # fmt: skip
COMMAND = r"\bssd300 (?P<verb>[a-z]+)(?P<rest>[^`\n]*)"  # as messages have it, to the end of its quotes or line

# A field of a configuration, which is named without hyphens: "error: steps is 0", "other options: steps: 2 -> 3".
FIELD = r"(?:(?<=error: )|(?<=options: )|(?<=, ))(?P<field>[a-z_]+)(?= is |: \S+ -> )"


class Script:
    """The options of a script, beside which it takes all others of its verb.

    `verb` is the verb that it runs, `named` what its help calls what is typed without an option.
    """

    def __init__(self, verb: str, description: str | None, *, named: str = "") -> None:
        self.verb = verb
        self.words: dict[str, tuple[str, ...]] = {}  # the spellings of each option of the verb, the script's own first
        self._spoken: dict[str, tuple[str, ...]] = {}
        self._actions: list[argparse.Action] = []
        self._parser = _Parser(
            description=description,
            usage=f"%(prog)s {named} [options]".replace("  ", " "),
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
            allow_abbrev=False,
        )

    def option(self, name: str, word: str = "", *, same_as: str = "", **more: Any) -> None:
        """Add `--a_b`, also as `--a-b` and as the verb's `word`; messages have it for the verb's `same_as` too.

        The other arguments are those of `add_argument`.
        """
        names = tuple(dict.fromkeys(each for each in (name, name.replace("_", "-"), word) if each))
        self._actions.append(self._parser.add_argument(*names, **more))
        if word:
            self.words[word] = names
        if same_as:
            self._spoken[same_as] = names

    def parse(self) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
        """The value of each option, those that were typed, and the words that are left to the verb."""
        words = sys.argv[1:]
        args, others = self._parser.parse_known_args(words)
        self._refuse_misspelled(others)
        for action in self._actions:
            action.default = argparse.SUPPRESS
        typed = vars(self._parser.parse_known_args(words)[0])
        if others and others[0] == words[0] and not words[0].startswith("-") and "data_folder" in vars(args):
            args.data_folder = typed["data_folder"] = others.pop(0)  # as the verbs have it
        return vars(args), typed, others

    def _refuse_misspelled(self, words: Sequence[str]) -> None:
        """Exit at an option that is nearly one of the script's; the verb would guess among its own."""
        own = [name for action in self._actions for name in action.option_strings]
        for word in words:
            name = word.split("=")[0]
            near = difflib.get_close_matches(name, own, n=1, cutoff=0.85)
            if name.startswith("--") and near and name.replace("_", "-") not in self._verbs_options():
                self._parser.error(f"there is no option {name}. Did you mean {near[0]}?")

    def _verbs_options(self) -> set[str]:
        return {name for argument in app[self.verb].assemble_argument_collection() for name in argument.names}

    def run(self, words: Sequence[str]) -> int:
        """Run the verb and return its exit code. JSON is printed as it is, and all else in the script's words."""
        out = sys.stdout if "--json" in words else _Reworded(sys.stdout, self.reword)
        with redirect_stderr(_Reworded(sys.stderr, self.reword)), redirect_stdout(out):
            return main([self.verb, *words])

    def reword(self, text: str) -> str:
        """A message of a verb with the script's options and with the scripts as commands."""
        typed = {word.split("=")[0] for word in sys.argv[1:]}
        names = {
            word: next((name for name in (*spellings, word) if name in typed), spellings[0])
            for word, spellings in (self.words | self._spoken).items()
        }

        def instead(match: re.Match[str]) -> str:
            if (verb := match["verb"]) is not None:
                return _as_script(verb, match["rest"]) if verb in SCRIPTS else match[0]
            option = match["option"] or "--" + match["field"].replace("_", "-")
            return names.get(option, match[0])

        return re.sub(rf"{COMMAND}|(?P<option>--[a-z][\w-]*)|{FIELD}", instead, text)


class _Parser(argparse.ArgumentParser):
    """Its errors have the parts of those of the verbs."""

    def error(self, message: str) -> NoReturn:
        what = re.sub(r"^argument (--\w+)[^:]*", r"\1", message)  # without its other spellings
        sys.stderr.write(f"ssd300: error: {what}\n  to do: See `{_script(self.prog)} --help`.\n")
        sys.exit(USAGE)


class _Reworded:
    """A stream that rewords what is written; all else is that of the stream behind it."""

    def __init__(self, stream: Any, reword: Callable[[str], str]) -> None:
        self._stream, self._reword = stream, reword

    def write(self, text: str) -> int:
        self._stream.write(self._reword(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _script(name: str) -> str:
    """The command of a script in the folder of the one that runs, as that one was typed."""
    return shlex.join(["python", str(Path(sys.argv[0]).with_name(name))])


def _as_script(verb: str, rest: str) -> str:
    """A command of a verb as one of its script; `rest` are the words after the verb."""
    named = rest[1:2] not in ("", "-")  # the data comes first, and is an option of two scripts
    if verb in ("eval", "detect"):
        rest = rest.replace(" --weights ", " --checkpoint ")
    if verb == "prepare":
        rest = rest.replace(" --out ", " --output_folder ")
    return _script(SCRIPTS[verb]) + (" --data_folder" if named and verb in ("train", "eval") else "") + rest
