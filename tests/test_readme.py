"""The README's promises: its commands exist and work, its links and its tree are true."""

import re
import shlex
from pathlib import Path

import pytest

from ssd300.cli import main
from ssd300.cli.app import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST_HOUR = (ROOT / "docs/first_hour.md").read_text(encoding="utf-8")
CUSTOM_DATA = (ROOT / "docs/custom-data.md").read_text(encoding="utf-8")
TEXTS = README + FIRST_HOUR + CUSTOM_DATA
SHELL = [line for block in re.findall(r"```sh\n(.*?)```", TEXTS, re.DOTALL) for line in block.split("\n")]
COMMANDS = [
    part.strip()
    for line in [*SHELL, *re.findall(r"`(ssd300 [^`]+)`", TEXTS)]
    for part in line.split("&&")
    if part.strip().startswith("ssd300 ")
]


@pytest.mark.parametrize("command", sorted(set(COMMANDS)))
def test_every_command_is_understood(command):
    function, _bound, _ignored = app.parse_args(shlex.split(command)[1:], exit_on_error=False, print_error=False)
    assert callable(function)


def test_lines_for_a_shell_have_no_comment_behind_them():
    """zsh, as it comes, passes a `#` that is pasted on to the command."""
    assert not [line for line in SHELL if "#" in line]


@pytest.mark.parametrize("link", sorted({link for link in re.findall(r"\]\(([^)]+)\)", TEXTS) if "#" in link}))
def test_every_link_to_a_heading_leads_to_it(link):
    name, heading = link.split("#")
    text = (ROOT / "docs" / Path(name).name if name != "../README.md" else ROOT / "README.md").read_text("utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    assert heading in [re.sub(r"[^\w -]", "", line).lower().replace(" ", "-") for line in headings]


@pytest.mark.parametrize("link", sorted({link for link in re.findall(r"\]\(([^)#]+)", README) if "://" not in link}))
def test_every_link_leads_somewhere(link):
    assert (ROOT / link).exists()


def test_the_tree_is_that_of_the_package():
    tree = README.split("\nsrc/ssd300/ ")[1].split("```")[0]
    named = {word for line in tree.splitlines() for word in line.split() if re.fullmatch(r"\w+(/|\.py)", word)}
    package = ROOT / "src/ssd300"
    there = {f"{path.name}/" for path in package.iterdir() if (path / "__init__.py").is_file()}
    there |= {path.name for path in package.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert named == there


@pytest.mark.slow
def test_the_three_lines_for_ones_own_images(coloured, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    own = README.split("## Train on your own images")[1].split("```sh\n")[1].split("```")[0]
    for line in filter(None, own.splitlines()):
        words = shlex.split(line.replace("path/to/dataset", str(coloured)))[1:]
        words = [str(coloured / "JPEGImages/p4.jpg") if word == "image.jpg" else word for word in words]
        extra = ["--steps", "2", "--batch-size", "2", "--workers", "0"] if words[0] == "train" else []
        assert main([*words, *extra]) == 0, capsys.readouterr().err
    assert (tmp_path / "detections/p4.jpg").is_file()
    assert "VOC 2007 rule (11 points), IoU 0.5" in capsys.readouterr().out
