"""The files of PASCAL VOC folders: where annotations and images are, and the lists of splits. Opens the lists alone."""

from collections.abc import Sequence
from pathlib import Path

from ssd300.errors import DataError
from ssd300.images.read import SUFFIXES


def find_voc(path: Path) -> Path | None:
    """The first folder of annotations that `path` is or holds."""
    return next(iter(voc_roots(path)), None) if path.is_dir() else None


def voc_roots(path: Path) -> list[Path]:
    """The folders with `Annotations` at or directly below `path`, or below its VOCdevkit. None found gives []."""
    if (path / "Annotations").is_dir():
        return [path]
    roots = sorted(child for child in path.iterdir() if (child / "Annotations").is_dir())
    return roots or (voc_roots(path / "VOCdevkit") if (path / "VOCdevkit").is_dir() else [])


def voc_splits(paths: Sequence[Path]) -> list[str]:
    """Of trainval, train, val and test those that some folder has; trainval stands for its two parts."""
    there = {name for path in paths for root in voc_roots(path) for name in available_splits(root)}
    trained = ("trainval",) if "trainval" in there else ("train", "val")
    return [name for name in (*trained, "test") if name in there]


def annotation_path(root: Path, image_id: str) -> Path:
    return root / "Annotations" / f"{image_id}.xml"


def images_without_annotation(root: Path) -> list[Path]:
    ids = {path.stem for path in (root / "Annotations").glob("*.xml")}
    images = (path for path in sorted((root / "JPEGImages").glob("*")) if path.suffix.lower() in SUFFIXES)
    return [path for path in images if path.stem not in ids]


def read_split(root: Path, split: str) -> list[str]:
    """Ids of `ImageSets/Main/<split>.txt`; of the list of a class, where -1, 0 or 1 follows every id, all ids.

    Raises:
        DataError: the list is absent, an id is in it twice, or an id leads out of the folder.
    """
    path = root / "ImageSets" / "Main" / f"{split}.txt"
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise DataError(
            f"there is no list of the split '{split}'",
            where=path,
            fix=f"Splits here: {', '.join(available_splits(root)) or 'none'}. Name one with --split.",
        ) from error
    rows = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    flagged = all(line.rsplit(maxsplit=1)[1:] in (["-1"], ["0"], ["1"]) for _, line in rows)
    ids: dict[str, int] = {}
    for number, line in rows:
        name = line.rsplit(maxsplit=1)[0] if flagged else line
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise DataError(
                f"the id '{name}' leads out of the folder", where=f"{path}:{number}", fix="Correct the list."
            )
        if name in ids:
            raise DataError(
                f"the id '{name}' is listed twice, first in line {ids[name]}",
                where=f"{path}:{number}",
                fix="Remove one.",
            )
        ids[name] = number
    return list(ids)


def available_splits(root: Path) -> list[str]:
    return sorted(path.stem for path in (root / "ImageSets" / "Main").glob("*.txt"))


def find_image(root: Path, image_id: str) -> Path | None:
    """The image of an id in `JPEGImages`, by the usual endings in either case."""
    for suffix in SUFFIXES:
        for written in (suffix, suffix.upper()):
            if (path := root / "JPEGImages" / f"{image_id}{written}").is_file():
                return path
    return None
