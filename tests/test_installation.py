"""What the extras install, and what the documents say of it."""

import re
import tomllib
from pathlib import Path

import pytest

from ssd300.errors import APP

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
DOCUMENTS = [ROOT / "README.md", ROOT / "LICENSES.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_extra_app_is_what_the_hints_say():
    assert EXTRAS["app"] == [f"ssd300[{','.join(APP)}]"]


def test_every_dependency_has_a_license_in_the_list():
    listed = (ROOT / "LICENSES.md").read_text(encoding="utf-8")
    wanted = [*PROJECT["dependencies"], *(item for extra, items in EXTRAS.items() if extra != "dev" for item in items)]
    names = {re.split(r"[^\w-]", item)[0] for item in wanted} - {"ssd300"}
    assert not {name for name in names if name not in listed}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_extras_in_documents_exist_and_are_quoted_for_every_shell(document):
    text = document.read_text(encoding="utf-8")
    named = [extra for extras in re.findall(r"\.\[([\w,]+)\]", text) for extra in extras.split(",")]
    assert set(named) <= set(EXTRAS)
    assert "'.[" not in text  # cmd on Windows passes single quotes on
