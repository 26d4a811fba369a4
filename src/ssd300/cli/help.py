"""How `--help` looks: groups of options with values as they are typed, then examples and the page of docs."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import Group

from ssd300.cli.verb import Example

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions
    from rich.text import Text

HEADING, NAME, MINOR = "bold", "cyan", "dim"
MARGIN, GAP = 2, 2  # columns before a name, and between the longest name and its text
NAMES, VERB_NAMES = 25, 12  # columns for the names of options, and of verbs; a longer one has a line of its own
WIDEST = 120
TYPED = {"STR": "TEXT", "INT": "N", "FLOAT": "NUMBER"}  # what is typed for a value of each type

# The first options of a group, in one order for all verbs; the other ones follow as they are declared.
FIRST_OPTIONS = (
    "--weights", "--predictions", "--out", "--metric", "--preset", "--model", "--backbone", "--image-size", "--init",
    "--freeze", "--steps", "--epochs", "--batch-size", "--holdout", "--resume", "--dry-run", "--device", "--seed",
    "--split", "--eval-split", "--classes", "--only", "--format", "--on-bad-label", "--on-bad-image",
    "--lr", "--schedule", "--eval-every",
)  # fmt: skip


def _groups(*names: str) -> list[Group]:
    return [Group(name, sort_key=place) for place, name in enumerate(names, start=1)]


(
    ARGUMENTS,
    USUAL,
    PLAIN,
    DATA,
    SELECTION,
    RULES,
    VIDEOS,
    NETWORK,
    LEARNING,
    RECIPE,
    RUN,
    LIMITS,
    SPEED,
    JOBS,
    ASSUMED,
    OUTPUT,
) = _groups(
    "Arguments",
    "Usual options",
    "Options",
    "Data",
    "Which detections are used",
    "Rules of the metrics",
    "Videos and cameras",
    "Network and loss",
    "Learning",
    "Choices beyond the paper",
    "Evaluating, saving, logging",
    "Limits and network",
    "Speed",
    "Millions of images",
    "Assumptions",
    "Output",
)


def in_words(value: object) -> str:
    """A default as it is typed, "" for one that is not shown, such as no value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " ".join(map(in_words, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def docs_page(name: str) -> str:
    """Where a page of docs/ lies: in the installed package, or in the checkout; without either only its name."""
    package = Path(__file__).parents[1]
    places = (package / "docs" / name, package.parents[1] / "docs" / name)
    page = next((place for place in places if place.is_file()), Path("docs") / name)
    in_checkout = page == Path("docs").absolute() / name
    return f"docs/{name}" if in_checkout else str(page)


def ending(examples: Iterable[Example], more: str) -> str:
    """The end of a help page, in Rich's markup: examples, and where to read on."""
    lines = ["[bold]Examples[/]"]
    for example in examples:
        lines += [f"  [dim]{_plain_markup(example.what)}:[/]"]
        lines += [f"    {_plain_markup(line)}" for line in example.command.splitlines()]
    return "\n".join([*lines, "", f"[bold]More:[/] {_plain_markup(more)}"])


def _plain_markup(text: str) -> str:
    return text.replace("[", "\\[")


class Page:  # a HelpFormatter of cyclopts
    """Prints the parts of a help page; the names of all groups have one width. Made for `App(help_formatter=...)`."""

    def render_usage(self, console: "Console", _options: "ConsoleOptions", usage: Any) -> None:
        from rich.text import Text

        console.print(Text.assemble(("Usage: ", HEADING), str(usage).strip()), highlight=False)

    def render_description(self, console: "Console", _options: "ConsoleOptions", description: Any) -> None:
        from rich.text import Text

        text = getattr(description, "primary_renderable", None)
        for paragraph in "" if text is None else text.plain.split("\n\n"):
            console.print()
            for line in _wrapped(console, Text(" ".join(paragraph.split())), 0):
                console.print(line, highlight=False, soft_wrap=True)

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: "HelpPanel") -> None:  # noqa: ARG002  # cyclopts calls it so
        from rich.text import Text

        if not panel.entries:
            return
        console.print()
        console.print(Text(str(panel.title), HEADING))
        names = VERB_NAMES if panel.format == "command" else NAMES
        for entry in sorted(panel.entries, key=_place):
            self._print_entry(console, entry, names, arguments=panel.title == ARGUMENTS.name)

    def _print_entry(self, console: "Console", entry: "HelpEntry", names: int, *, arguments: bool) -> None:
        from rich.text import Text

        label, indent = _label(entry, argument=arguments), MARGIN + names + GAP
        lines = [Text(" " * indent) + line for line in _wrapped(console, _described(entry), indent)]
        head = Text(f"{'':{MARGIN}}{label}", NAME)
        if len(label) > names or not lines:
            lines = [head, *lines]
        else:
            lines[0] = Text.assemble(head, lines[0][len(head) :])
        for line in lines:
            console.print(line, highlight=False, soft_wrap=True)


def _place(entry: "HelpEntry") -> int:
    name = entry.positive_names[0] if entry.positive_names else ""
    return FIRST_OPTIONS.index(name) if name in FIRST_OPTIONS else len(FIRST_OPTIONS)


def _label(entry: "HelpEntry", *, argument: bool) -> str:
    """What is typed: `--out, -o PATH`, `--ema / --no-ema`, `DATA...`."""
    value = entry.metavar or ""
    for name, typed in TYPED.items():
        value = value.replace(name, typed)
    if argument and entry.positional_label:
        return entry.positional_label + ("..." if value.endswith("...") else "")
    names = ", ".join(entry.positive_names + entry.positive_shorts)
    return " / ".join(filter(None, [f"{names} {value}".strip(), ", ".join(entry.negative_names)]))


def _described(entry: "HelpEntry") -> "Text":
    """The text of an option, then what can be typed and what it is by default."""
    from rich.text import Text

    words, _, default = _plain(entry.description).partition(" Default: ")
    facts = [f"one of: {', '.join(entry.choices)}"] if entry.choices else []
    if default := entry.default or default.removesuffix("."):
        facts.append(f"default: {default}")
    if entry.required:
        facts.append("required")
    return Text.assemble(words, *((f" [{fact}]", MINOR) for fact in facts))


def _plain(description: Any) -> str:
    """The text of a description on one line: it is wrapped anew."""
    text = getattr(description, "primary_renderable", None)
    return "" if text is None else " ".join(text.plain.split())


def _wrapped(console: "Console", text: "Text", indent: int) -> "list[Text]":
    lines = text.wrap(console, max(20, min(console.width, WIDEST) - indent))
    for line in lines:
        line.rstrip()
    return list(lines)
