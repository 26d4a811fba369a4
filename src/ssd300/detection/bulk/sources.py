"""What a job detects on: folders, patterns, lists and files, here or at addresses; shards of images among them."""

import glob
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePath

from ssd300.detection.archives import is_archive
from ssd300.detection.bulk.chunks import Shard
from ssd300.detection.bulk.folder_walk import files_below
from ssd300.detection.bulk.new_inputs import Input
from ssd300.detection.bulk.parquet_input import parquet_shard
from ssd300.detection.bulk.stored_file import split_place
from ssd300.detection.folder_files import described, file_head, is_hidden_folder, is_litter, is_readable
from ssd300.detection.path_lists import existing_path, list_text, piped
from ssd300.detection.sources import LIST_SUFFIX, PARQUET_SUFFIXES, STDIN
from ssd300.detection.video_names import VIDEO_SUFFIXES, is_live
from ssd300.errors import DataError, UsageError
from ssd300.images.kinds import is_image_head
from ssd300.system.files import absolute, spelled_like
from ssd300.system.stores import SCHEME, is_remote, one_spelling, open_store
from ssd300.system.web import is_address
from ssd300.system.wording import counted, some

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
Note = Callable[[str], None]


def find_inputs(sources: Sequence[str], note: Note, *, column: str | None = None, out: str = "") -> Iterator[Input]:
    """The images and shards of the sources, in their order; of a folder all below it, sorted. `note` takes a line on
    the files that are neither, and on what a folder's search left out. Files in `out` are none of the input. `column`
    is as in `parquet_shard`; `note` also takes a line if it is given and no Parquet file is there.

    Raises:
        DataError: a source is not there, or has no image, or is of a kind that a job does not read.
        UsageError: no source is named, or its kind of address cannot be opened.
    """
    if not sources:
        raise UsageError("no image was named", fix="Name folders, patterns, lists (.txt), Parquet or tar files.")
    uses_column = column is None
    for source in sources:
        found = 0
        for one in _of_source(source, note, out):
            found += 1
            uses_column |= one.lower().endswith(PARQUET_SUFFIXES)
            yield _input(one, column)
        if not found:
            raise DataError("it has no images", where=source, fix="Name a folder, pattern, list or shard of images.")
    if not uses_column:
        note(f"--column {column} is not used: no Parquet file is in the input")


def check_sources(sources: Sequence[str]) -> None:
    """Nothing is listed.

    Raises:
        DataError: a source is a video or camera, or is on this machine and not there.
        UsageError: its kind of address cannot be opened.
    """
    for source in sources:
        if is_live(source) or source.lower().endswith(VIDEO_SUFFIXES):
            fix = "Detect on it without --engine ray and --save parquet."
            raise DataError("videos and cameras are not read here", where=source, fix=fix)
        if is_remote(source) and not is_address(source):
            open_store(source)
        path = Path(source)
        if not (source in STDIN or is_remote(source) or glob.has_magic(source) or path.exists()):
            raise DataError("there is no such file", where=source, fix=spelled_like(path, "Check the path."))


def in_full(sources: Sequence[str]) -> list[str]:
    """The sources, each in one spelling."""
    return [one if one in STDIN else one_spelling(one) for one in sources]


def _of_source(source: str, note: Note, out: str) -> Iterator[str]:
    check_sources([source])
    if source in STDIN:
        return _piped(note)
    return _at_address(source, note, out) if is_remote(source) else _of_path(source, note, out)


def _piped(note: Note) -> Iterator[str]:
    for one in piped(note):
        if not isinstance(one, Path):
            raise DataError("an image on standard input is not read here", fix="Pipe paths, one per line.")
        yield str(one)


def _of_path(source: str, note: Note, out: str) -> Iterator[str]:
    path = Path(source)
    if path.is_dir():
        names, left_out = files_below(path)
        if left_out:
            what = counted(len(left_out), "{entry of the folder is|entries of the folder are} left out")
            note(f"{source}: {what}; the first: {left_out[0]}")
        yield from _chosen((str(path / name) for name in names), note, source, out)
    elif path.suffix.lower() == LIST_SUFFIX and path.is_file() and not is_image_head(file_head(path)):
        yield from _listed(path.read_bytes(), source, lambda line: str(existing_path(path.parent, line)))
    elif path.exists():
        yield source
    elif glob.has_magic(source):
        matched = sorted(glob.glob(source, recursive=True))  # noqa: PTH207  # which takes no absolute pattern
        yield from _chosen((name for name in matched if not Path(name).is_dir()), note, source, out)


def _at_address(source: str, note: Note, out: str) -> Iterator[str]:
    lower = source.split("?")[0].lower()
    if lower.endswith(LIST_SUFFIX):
        store, name = split_place(source)
        root = source.rpartition("/")[0]
        yield from _listed(store.read(name), source, lambda line: f"{root}/{line.strip()}")
    elif is_readable(PurePath(lower).name, bytes) or lower.endswith((*TAR_SUFFIXES, *PARQUET_SUFFIXES)):
        yield from _matched(source) if glob.has_magic(source) else [source]
    elif glob.has_magic(source):
        yield from _chosen(iter(_matched(source)), note, source, out)
    else:
        store = open_store(source)
        yield from _chosen((store.place(name) for name in store.names() if not _hidden(name)), note, source, out)


def _matched(pattern: str) -> list[str]:
    import fsspec

    files, path = fsspec.core.url_to_fs(pattern)
    return sorted(str(files.unstrip_protocol(one)) for one in files.glob(path))


def _listed(content: bytes, where: str, path_of: Callable[[str], str]) -> Iterator[str]:
    """The paths and addresses of a list, one per line. Lines that begin with # are comments."""
    text = list_text(content)
    if text is None or "\0" in text:
        raise DataError("the list is not text", where=where, fix="Give one path or address per line.")
    for line in filter(str.strip, re.split(r"\r\n|\r|\n", text)):
        if SCHEME in line:
            yield line.strip()
        elif not line.lstrip().startswith("#"):
            yield path_of(line)


def _hidden(name: str) -> bool:
    return any(is_hidden_folder(part) for part in name.split("/")[:-1])


def _chosen(places: Iterator[str], note: Note, where: str, out: str) -> Iterator[str]:
    """The images and shards among files; the others are counted in one line."""
    others: list[str] = []
    inside = f"{out.rstrip('/')}/" if is_remote(out) else f"{absolute(Path(out))}/"
    for place in places:
        if out and (place if is_remote(place) else absolute(Path(place))).startswith(inside):
            continue
        name = place.rpartition("/")[2]
        lower = name.lower()
        head = bytes if is_remote(place) else partial(file_head, Path(place))
        is_image = not lower.endswith(VIDEO_SUFFIXES) and is_readable(name, head)
        if is_image or lower.endswith((*TAR_SUFFIXES, *PARQUET_SUFFIXES)):
            yield place
        elif not is_litter(name):
            others.append(name)
    if others:
        note(f"{where}: {len(others):,} other files are left out ({described(others)}): {some(others)}")


def _input(place: str, column: str | None) -> Input:
    """An image, or the shard that a file is, by its ending; a file of this machine without one by its content."""
    lower = place.lower()
    if lower.endswith(PARQUET_SUFFIXES):
        return parquet_shard(place, column)
    is_tar = lower.endswith(TAR_SUFFIXES)
    if lower.endswith(".zip") or (not is_tar and "." not in PurePath(lower).name and _is_archive(place)):
        raise DataError("this kind of archive is not read here", where=place, fix="Unpack it, or pack a .tar of it.")
    if not is_tar:
        return place
    store, name = split_place(place)
    return Shard(kind="tar", file=place, size=store.size(name))


def _is_archive(place: str) -> bool:
    return not is_remote(place) and Path(place).is_file() and is_archive(Path(place), file_head(Path(place)))
