"""The description of YOLO data: which classes and splits there are.

It is a data.yaml, darknet's obj.data, or a list of classes beside images and labels.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ssd300.data.formats.file_index import LABEL_FOLDERS, folders_in, nested, walk
from ssd300.data.formats.text import read_text
from ssd300.data.formats.yolo_folder import AGAIN, CLASS_FILES, YoloFolder, is_no_label, without_dots
from ssd300.data.splits import role_of
from ssd300.errors import DataError
from ssd300.images.header import is_image_name

FILES = ("data.yaml", "data.yml", "dataset.yaml", "obj.data")  # the first of them that is there
_NO_SPLITS = frozenset(("path", "names", "nc", "download", "roboflow", "kpt_shape", "flip_idx", "backup", "classes"))


def find_yolo(path: Path) -> Path | None:
    """The description that `path` is, or that the folder holds; None if there is none."""
    if path.is_file():
        return path if _is_yaml(path) or _is_darknet(path) else None
    return next((file for folder in nested(path) if (file := _find_in(folder)) is not None), None)


def _find_in(folder: Path) -> Path | None:
    if files := _descriptions(folder):
        return files[0]
    listed = class_files(folder)
    return listed[0] if listed and _has_labels(folder) else None


def _descriptions(folder: Path) -> list[Path]:
    """Its files that name classes and splits: one of a usual name alone where there is one."""
    files = [file for name in FILES if (file := folder / name).is_file() and (_is_yaml(file) or _is_darknet(file))]
    others = sorted(child for child in folder.glob("*") if child.suffix in (".yaml", ".yml", ".data"))
    return files[:1] or [file for file in others if _is_yaml(file) or _is_darknet(file)]


def other_descriptions(file: Path) -> list[Path]:
    """Files beside a description that name classes and splits too, and are not read."""
    others = sorted(child for child in file.parent.glob("*") if child.suffix in (".yaml", ".yml", ".data"))
    return [child for child in others if child != file and (_is_yaml(child) or _is_darknet(child))]


def class_files(path: Path) -> list[Path]:
    """The lists of classes of data without a description: in the folder, in that of its labels, or one per split."""
    labels, splits = _label_folders(path), [child for child in folders_in(path) if role_of(child.name)]
    for places in ([path], labels, [*splits, *(child for split in splits for child in _label_folders(split))]):
        if found := [place / name for place in places for name in CLASS_FILES if (place / name).is_file()]:
            return found
    return []


def describe(file: Path, named: Path) -> YoloFolder:
    """What the file says that `find_yolo` found at `named`. Raises DataError where it is not as YOLO has it."""
    if file.name in CLASS_FILES:
        return _describe_classes(file, named)
    if named != file and len(files := _descriptions(file.parent)) > 1:
        raise DataError(
            f"there are {len(files)} descriptions: {', '.join(one.name for one in files)}",
            where=file.parent,
            fix="Name one of them.",
        )
    if _is_darknet(file):
        return _describe_darknet(file)
    content = load_yaml(file)
    names = content["names"]
    if isinstance(names, dict):
        if sorted(names) != sorted(str(number) for number in range(len(names))):
            raise DataError("the names are not numbered 0, 1, 2…", where=file, fix=AGAIN)
        names = [names[str(number)] for number in range(len(names))]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise DataError("'names' is not a list of classes", where=file, fix=AGAIN)
    if content.get("nc", str(len(names))) != str(len(names)):
        raise DataError(f"nc is {content['nc']} where there are {len(names)} names", where=file, fix=AGAIN)
    root = file.parent / str(content.get("path") or "")
    return YoloFolder(
        file=file,
        root=without_dots(root) if root.is_dir() else file.parent,  # written on another machine
        names=tuple(name.strip() for name in names),
        places=_places(content, file),
        keypoints=_keypoints(content, file),
    )


class _Texts(yaml.BaseLoader):
    """Values as text. A key that is there twice is an error, where YAML would take the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := [key for number, key in enumerate(keys) if key in keys[:number]]:
            raise yaml.YAMLError(f"the key '{twice[0]}' is there twice, in or after line {node.start_mark.line + 1}")
        return super().construct_mapping(node, deep)


def load_yaml(file: Path) -> Any:
    """The content, every value as it is written: YAML would read a class `yes` as true and `001` as 1."""
    try:
        return yaml.load(read_text(file), Loader=_Texts)  # safe: makes text, lists and mappings
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DataError(f"the file is not readable YAML ({error})", where=file, fix=AGAIN) from error


def _is_yaml(file: Path) -> bool:
    """Whether it names classes and splits. A file that cannot be read is one if it seems so, as its error helps."""
    if file.suffix not in (".yaml", ".yml"):
        return False
    try:
        content = load_yaml(file)
    except DataError:
        return file.name in FILES
    return isinstance(content, dict) and "names" in content and bool(_places(content, file))


def _places(content: Mapping[str, Any], file: Path) -> dict[str, tuple[str, ...]]:
    """The entries that are splits: those that are called so, and those that name a folder or list."""
    splits = {}
    for key, value in content.items():
        places = tuple(value) if isinstance(value, list) else (value,)
        if key in _NO_SPLITS or not all(isinstance(place, str) and place for place in places):
            continue
        if role_of(key) or all((file.parent / str(content.get("path") or "") / place).exists() for place in places):
            splits[key] = places
    return splits


def _keypoints(content: Mapping[str, Any], file: Path) -> int | None:
    shape = content.get("kpt_shape")
    if shape is None:
        return None
    try:
        points, numbers = map(int, shape)
    except (TypeError, ValueError) as error:
        raise DataError("'kpt_shape' is not [points, numbers of a point]", where=file, fix=AGAIN) from error
    return points * numbers


def _is_darknet(file: Path) -> bool:
    return file.suffix == ".data" and {"names", "train"} <= _darknet(file).keys()


def _darknet(file: Path) -> dict[str, str]:
    try:
        lines = [line.split("=", 1) for line in read_text(file).splitlines() if "=" in line]
    except DataError:
        return {}
    return {key.strip(): value.strip() for key, value in lines}


def _describe_classes(file: Path, named: Path) -> YoloFolder:
    """What a list of classes says, and those beside it, which must agree with it."""
    root, files = next((folder, files) for folder in nested(named) if file in (files := class_files(folder)))
    names = _class_names(file)
    if others := [other for other in files if _class_names(other) != names]:
        raise DataError("two lists of classes differ", where=f"{file} and {others[0]}", fix="Remove the wrong one.")
    lists = [path for path in sorted(root.glob("*.txt")) if role_of(path.stem) and _lists_images(path)]
    return YoloFolder(file=file, root=root, names=names, places={path.stem: (path.name,) for path in lists})


def _lists_images(file: Path) -> bool:
    """Whether the first line is the path of an image."""
    try:
        first = next((line.strip() for line in read_text(file).splitlines() if line.strip()), "")
    except DataError:
        return False
    return is_image_name(first)


def _describe_darknet(file: Path) -> YoloFolder:
    content = _darknet(file)
    listed = YoloFolder(file=file, root=file.parent, names=(), places={})._place(content["names"])
    if listed is None:
        raise DataError(f"there is no '{content['names']}'", where=file, fix=AGAIN)
    places = {key: (value,) for key, value in content.items() if key not in _NO_SPLITS and role_of(key)}
    return YoloFolder(file=file, root=file.parent, names=_class_names(listed), places=places)


def _class_names(file: Path) -> tuple[str, ...]:
    names = tuple(line.strip() for line in read_text(file).rstrip().splitlines())
    if "" in names:
        what = "the line is empty, so the numbers of the classes after it are not clear"
        raise DataError(what, where=f"{file}:{names.index('') + 1}", fix="Remove it, or write the class.")
    if not names:
        raise DataError("the file lists no class", where=file, fix=AGAIN)
    return names


def _has_labels(folder: Path) -> bool:
    """Whether a text file below it has the name of an image below it."""
    files = list(walk(folder))
    images = {path.stem for path in files if is_image_name(path)}
    return any(path.suffix == ".txt" and path.stem in images and not is_no_label(path) for path in files)


def _label_folders(path: Path) -> list[Path]:
    return [child for child in folders_in(path) if child.name.casefold() in LABEL_FOLDERS]
