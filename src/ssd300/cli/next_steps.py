"""What comes next: the commands that a verb prints last, with the user's own paths, ready to be copied."""

import shlex
import sys
from collections.abc import Sequence


def command(*words: object) -> str:
    """The words after `ssd300` as one line, quoted for the shell: `command("train", folder, "--out", run)`."""
    return shlex.join(["ssd300", *map(str, words)])


def next_steps(commands: Sequence[tuple[str, str]]) -> None:
    """Print each command after a few words on what it does, on stdout; nothing for none. Not for `--json`.

    `commands` are pairs (command, words). The command comes last on its line and without a comment behind it: zsh
    would pass a `#` that is typed or pasted on to the command.
    """
    if not commands:
        return
    width = max(len(words) for _command, words in commands)
    sys.stdout.write("\nnext:\n")
    sys.stdout.writelines(f"  {words:{width}}  {line}\n" for line, words in commands)
