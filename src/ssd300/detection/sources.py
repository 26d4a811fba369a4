"""What to detect on: files, folders, archives, patterns, lists of paths, addresses, videos and cameras."""

import glob
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from ssd300.detection.archives import contents, is_archive
from ssd300.detection.contents import Content, Note
from ssd300.detection.folder_files import (
    ALL_BELOW,
    CHILDREN_SEEN,
    all_below,
    described,
    file_head,
    folders_with_images,
    is_hidden_folder,
    is_litter,
    is_readable,
)
from ssd300.detection.path_lists import listed_paths, piped
from ssd300.detection.video_names import CAMERA, VIDEO_SUFFIXES, is_live
from ssd300.errors import DataError, UsageError
from ssd300.images.kinds import is_image_head
from ssd300.system.files import spelled_like
from ssd300.system.stores import is_remote
from ssd300.system.web import is_address
from ssd300.system.wording import plural, some

STDIN = ("-", "/dev/stdin")
LIST_SUFFIX = ".txt"
PARQUET_SUFFIXES, PARQUET_MARK = (".parquet", ".pq"), b"PAR1"
CAMERA_WORDS = ("webcam", "camera", "cam", "camera:", "/dev/video0")
Source = Path | str | Content  # a str is an address, a camera or a stream


def find_sources(sources: Sequence[str], note: Note = lambda _line: None) -> list[Source]:
    """Images and videos in the order of the sources, those of a folder, archive or pattern sorted by path; duplicates
    stay.

    Paths in a list file are relative to it, those on standard input to the working folder; there one image may stand
    in their place. A list holds paths only: an address in it is read as one. `note` takes a line on the files that are
    no images.

    Raises:
        UsageError: there is no source, or it is an address of a store.
        DataError: a source does not exist, or holds no image.
    """
    if not sources:
        raise UsageError(
            "no image was named",
            fix="Name images, videos, folders, archives, patterns, a list (.txt), addresses, camera:0, or - for stdin.",
        )
    return [found for source in sources for found in _explained(source, note)]


def _explained(source: str, note: Note) -> Sequence[Source]:
    try:
        return _found(source, note)
    except OSError as error:  # no permission for its folder, or a name that is longer than any file's
        raise DataError(f"it cannot be opened ({error.strerror})", where=source, fix="Check the path.") from error


def _found(source: str, note: Note) -> Sequence[Source]:
    path = Path(source)
    if is_address(source) or is_live(source):
        return [source]
    if source in STDIN:
        return piped(note)
    if path.is_dir():
        return _readable(sorted(path.iterdir()), note, str(path), all_below(path)) or _raise(_no_images(path))
    if path.exists():
        return _of_file(path, note)
    if glob.has_magic(source):
        matched = [Path(name) for name in sorted(glob.glob(source, recursive=True))]  # noqa: PTH207  # which takes no absolute pattern
        below = "" if "**" in source else str(Path(source).parent / ALL_BELOW)
        return _readable(matched, note, source, below) or _raise(
            DataError("no image matches the pattern", where=source, fix=_pattern_advice(source))
        )
    if is_remote(source):
        what, fix = "addresses of a store are read by jobs", "Add --save parquet, which makes it a job."
        raise UsageError(what, where=source, fix=fix)
    raise DataError("there is no such image", where=path, fix=_advice(source))


def _of_file(path: Path, note: Note) -> Sequence[Source]:
    """A named file is an image or a video, unless its content says that it holds several: a list or an archive."""
    head = file_head(path)
    if path.suffix.lower() == LIST_SUFFIX and not is_image_head(head):
        return listed_paths(path.read_bytes(), path.parent, str(path), note)
    if path.suffix.lower() in PARQUET_SUFFIXES and head.startswith(PARQUET_MARK):
        what, fix = "Parquet files of images are read by jobs", "Add --save parquet, which makes it a job."
        raise UsageError(what, where=path, fix=fix)
    if not is_archive(path, head):
        return [path]
    return _of_archive(path, note)


def _of_archive(path: Path, note: Note) -> Sequence[Source]:
    """The images in an archive. Videos in it cannot be read, as only files can; they are skipped and reported."""
    videos: list[str] = []

    def is_image(name: str, head: Callable[[], bytes]) -> bool:
        if not is_readable(name, head):
            return False
        if name.lower().endswith(VIDEO_SUFFIXES):
            videos.append(name)
        return not name.lower().endswith(VIDEO_SUFFIXES)

    images, others = contents(path, is_image)
    counted = f"{plural(len(videos), 'video')} ({described(videos)})"
    if not images and videos:
        what = f"the archive has no images; it holds {counted}, and videos in archives are not read"
        raise DataError(what, where=path, fix="Unpack it, and name the videos or their folder.")
    if not images:
        raise DataError("the archive has no images", where=path, fix="Name another one.")
    _tell([name for name in others if name not in videos and not is_litter(name)], note, str(path))
    if videos:
        note(f"{path}: {counted} left out: videos in archives are not read. Unpack the archive, and name them.")
    return images


def _readable(paths: Iterable[Path], note: Note, where: str, below: str) -> list[Source]:
    """The images and videos among the files of a folder or pattern; the other files are reported.

    `below` is the pattern of all files in the folders there; "" where `paths` are of such a pattern.
    """
    found: list[Source] = []
    others: list[Path] = []
    folders: list[Path] = []
    for path in paths:
        if path.is_dir():
            folders += [] if is_hidden_folder(path.name) else [path]
        elif is_readable(path.name, partial(file_head, path)):
            found.append(path)
        elif not is_litter(path.name):
            others.append(path)
    if found:
        _tell(others, note, where)
    if found and folders and below:
        names = some([folder.name for folder in folders])
        verb = "folder is not searched" if len(folders) == 1 else "folders are not searched"
        note(f"{where}: {len(folders):,} {verb}: {names}; '{below}' finds images in folders below")
    return found


def _tell(others: Sequence[Path | str], note: Note, where: str) -> None:
    if others:
        verb = "file is not an image" if len(others) == 1 else "files are not images"
        note(f"{where}: {len(others):,} {verb}: {described(others)}")


def _raise(error: DataError) -> list[Source]:
    raise error


def _advice(source: str) -> str:
    if source.isdigit() or source.casefold() in CAMERA_WORDS:
        return f"Name the camera {CAMERA}{source if source.isdigit() else 0}."
    if source.startswith("www."):
        return f"Name the address https://{source}."
    return spelled_like(Path(source), "Check the path.")


def _pattern_advice(pattern: str) -> str:
    return (
        "Check the pattern; 'a/**/*.jpg' also finds images in the folders below a."
        if "**" not in pattern
        else ("Check the pattern, and that it has quotes around it.")
    )


def _no_images(folder: Path) -> DataError:
    """The error of a folder without images, with what it holds, and the folders in it that have some."""
    children = list(islice(sorted(folder.iterdir()), CHILDREN_SEEN))
    seen = f"it holds {described(children)}" if children else "it is empty"
    below = folders_with_images(folder)
    voc = folder / "JPEGImages"
    if voc in below or len(below) == 1:
        fix = f"Name its images: {voc if voc in below else below[0]}."
    elif below:
        names = some([str(one.relative_to(folder)) for one in below])
        fix = (
            f"{len(below):,} folders in it have images: {names}. Name those, or '{all_below(folder)}' for all of them."
        )
    elif archives := [child for child in children if child.is_file() and is_archive(child, file_head(child))]:
        fix = f"For the images in an archive name it, such as {archives[0]}; --save parquet reads all of the folder."
    else:
        fix = "Name the folder that they are in."
    return DataError(f"the folder has no images; {seen}", where=folder, fix=fix)
