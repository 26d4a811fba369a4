"""The class list of YOLO data with a class more, or another name: in a list of lines, or in a data.yaml as a text."""

import json
from collections.abc import Sequence
from pathlib import Path

import yaml

from ssd300.data.formats.text import read_text
from ssd300.data.formats.yolo_description import load_yaml
from ssd300.errors import DataError
from ssd300.system.files import write_text

YAML = (".yaml", ".yml")


def add_name(file: Path, names: Sequence[str], name: str) -> None:
    """Add a class behind the others. Raises DataError if the file is not laid out so that this is safe."""
    if file.suffix not in YAML:
        write_text(file, "".join(f"{one}\n" for one in [*names, name]))
        return
    text = read_text(file)
    root = yaml.compose(text)
    node = _value(root, "names", file)
    last = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
    first = node.value[0][0] if isinstance(node, yaml.MappingNode) else node.value[0]
    word = json.dumps(name, ensure_ascii=False)
    entry = f"{len(names)}: {word}" if isinstance(node, yaml.MappingNode) else word
    if node.flow_style:
        added = f", {entry}"
    else:
        line = text.splitlines()[first.start_mark.line]
        dash = "" if isinstance(node, yaml.MappingNode) else "- "
        added = f"\n{line[: len(line) - len(line.lstrip())]}{dash}{entry}"
    place = last.end_mark.index
    text = text[:place] + added + text[place:]
    _write_checked(file, _with_count(text, len(names) + 1), [*names, name])


def rename(file: Path, names: Sequence[str], old: str, new: str) -> None:
    """Give a class another name. Raises DataError as `add_name`."""
    renamed = [new if name == old else name for name in names]
    if file.suffix not in YAML:
        write_text(file, "".join(f"{name}\n" for name in renamed))
        return
    text = read_text(file)
    node = _value(yaml.compose(text), "names", file)
    items = [value for _, value in node.value] if isinstance(node, yaml.MappingNode) else node.value
    item = items[list(names).index(old)]
    word = json.dumps(new, ensure_ascii=False)
    _write_checked(file, text[: item.start_mark.index] + word + text[item.end_mark.index :], renamed)


def _value(root: yaml.Node | None, key: str, file: Path) -> yaml.CollectionNode:
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    node = next((value for name, value in pairs if name.value == key), None)
    if not isinstance(node, yaml.MappingNode | yaml.SequenceNode) or not node.value:
        raise DataError("its list of names cannot be changed here", where=file, fix="Change it in an editor.")
    return node


def _with_count(text: str, count: int) -> str:
    """The text with another `nc`, if it has one."""
    root = yaml.compose(text)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    node = next((value for name, value in pairs if name.value == "nc"), None)
    if node is None:
        return text
    return text[: node.start_mark.index] + str(count) + text[node.end_mark.index :]


def _write_checked(file: Path, text: str, names: Sequence[str]) -> None:
    """Write the text if YAML reads these names from it; the file is not touched otherwise."""
    trial = file.with_name(f".{file.name}.trial")
    try:
        trial.write_text(text, encoding="utf-8")
        found = load_yaml(trial)["names"]
    finally:
        trial.unlink(missing_ok=True)
    listed = [found[str(number)] for number in range(len(found))] if isinstance(found, dict) else found
    if [name.strip() for name in listed] != [name.strip() for name in names]:
        raise DataError("its list of names cannot be changed here", where=file, fix="Change it in an editor.")
    write_text(file, text)
