"""What the help of a verb says beside its options: the types of cli/verbs.py; and the commands to begin with."""

from typing import NamedTuple

GROUPS = START, DATA, TRAIN, EVALUATE, DETECT, WEIGHTS = (
    "Start", "Data", "Train", "Evaluate", "Detect and deploy", "Weights and machine",
)  # fmt: skip


class Example(NamedTuple):
    """`command` is what is typed; a long one goes on in a second line, as a shell reads it."""

    what: str
    command: str


class Verb(NamedTuple):
    """`summary` is the first line of the verb's docstring. `usage` follows its name. `page` is a file of docs/."""

    group: str
    summary: str
    usage: str
    examples: tuple[Example, Example]
    page: str
    details: str = ""

    @property
    def help(self) -> str:
        return f"{self.summary}\n\n{self.details}" if self.details else self.summary


FIRST_COMMANDS = (
    Example("See it work, with nothing but this package", "ssd300 demo"),
    Example("Detect with published weights", "ssd300 detect photo.jpg --weights coco"),
    Example("Train on your own images", "ssd300 train DATA --out runs/mine"),
)
