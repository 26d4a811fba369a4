"""Where COCO annotations and their images are, in the layouts that tools write: a JSON file per split."""

from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path, PureWindowsPath

from ssd300.data.formats.file_index import LABEL_FOLDERS, folders_in, nested
from ssd300.data.splits import role_of

ROBOFLOW = "_annotations.coco.json"
PREFIX = "instances_"
OTHER_TASKS = ("captions_", "person_keypoints_", "stuff_", "panoptic_", "image_info_")  # COCO's, of the same images
IMAGE_FOLDERS = ("images", "data", "JPEGImages")  # COCO's, FiftyOne's and Paddle's, beside the annotations


def find_coco(path: Path) -> Path | None:
    """The first annotation file at `path`."""
    return next(iter(coco_files(path).values()), None)


def coco_files(path: Path) -> dict[str, Path]:
    """The annotation files at `path`, a file or a folder, by the name of their split. None found gives {}."""
    if path.is_file():
        return _by_split([path], path.parent) if looks_like_coco(path) else {}
    return next((found for folder in nested(path) if (found := _files_in(folder))), {})


def _files_in(path: Path) -> dict[str, Path]:
    folders = folders_in(path)
    labels = [child for child in folders if _for_labels(child)]
    below = [child for folder in folders for child in folders_in(folder) if _for_labels(child)]
    for places in (labels, [path], [*folders, *below]):
        found = [file for place in places for file in sorted(place.glob("*.json")) if looks_like_coco(file)]
        found = [file for file in found if file.name.startswith(PREFIX)] or found  # not captions, not keypoints
        if found:
            return _by_split(found, path)
    return {}


def looks_like_coco(file: Path) -> bool:
    if file.suffix != ".json":
        return False
    try:
        with file.open("rb") as stream:
            if not stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
                return False
            stream.seek(0)
            data = stream.read()
            return b'"categories"' in data and b'"images"' in data  # Label Studio's notes.json has no images
    except OSError:
        return False


def _for_labels(folder: Path) -> bool:
    return folder.name.casefold() in LABEL_FOLDERS


def _by_split(files: Sequence[Path], root: Path) -> dict[str, Path]:
    """The files by the part of their path that tells the splits apart: the folder where each has one of its own, else
    the name, else all of it. Beside Roboflow's own file others are not read.
    """
    roboflow = {file.parent for file in files if file.name == ROBOFLOW}
    files = [file for file in files if file.name == ROBOFLOW or file.parent not in roboflow]
    stems = _without_shared_words([file.stem.removeprefix(PREFIX) for file in files])
    names = [_own_folder(file, root) or stem for file, stem in zip(files, stems, strict=True)]
    for others in (stems, [file.relative_to(root).with_suffix("").as_posix() for file in files]):
        counts = Counter(names)
        names = [name if counts[name] == 1 else other for name, other in zip(names, others, strict=True)]
    return dict(zip(names, files, strict=True))


def _own_folder(file: Path, root: Path) -> str:
    """The folder of a split, above a folder for annotations; "" for a file that has none."""
    folder = file.parent.parent if _for_labels(file.parent) and file.parent != root else file.parent
    return folder.name if folder != root or file.name == ROBOFLOW else ""


def _without_shared_words(stems: Sequence[str]) -> list[str]:
    """`train` and `val` of `drone_train` and `drone_val`: without the words before it if a role is all that is left."""
    words = [stem.replace("-", "_").split("_") for stem in stems]
    shared = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*words, strict=False)))
    rest = ["_".join(row[shared:]) for row in words]
    return rest if len(stems) > 1 and all(map(role_of, rest)) else list(stems)


def leads_out(name: str) -> bool:
    path = PureWindowsPath(name)
    return bool(path.anchor) or ".." in path.parts


def image_roots(file: Path, split: str) -> list[Path]:
    """Where COCO, Roboflow and others store the images of an annotation file."""
    home, above = file.parent, file.parent.parent
    return [
        home, *(home / name for name in IMAGE_FOLDERS), home / split, above / split, above / "images" / split,
        *(above / name for name in IMAGE_FOLDERS), above,
    ]  # fmt: skip
