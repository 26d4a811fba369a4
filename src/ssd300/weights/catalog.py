"""What `ssd300 download` knows by name: published weights, the archives of PASCAL VOC, and what web pages run on."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ssd300.data.formats import voc_archives
from ssd300.errors import UsageError, did_you_mean
from ssd300.system import web_runtime
from ssd300.system.cache_folder import cache_folder
from ssd300.system.download import RemoteFile, fetch
from ssd300.weights import named


def known_downloads() -> list[dict[str, Any]]:
    """A row of JSON values per name: what it is, its origin and license, its files and their checksums."""
    weights = [
        {
            "name": name,
            "what": "detector" if known.is_detector else "backbone, for --init",
            "origin": known.origin,
            "data": known.data,
            "licence": known.license,
            "published": known.published,
            "files": [_file_row(known.file)],
        }
        for name, known in named.NAMED.items()
    ]
    data = [
        {"name": name, "what": "data", "licence": voc_archives.LICENCE, "files": [_file_row(file) for file in archives]}
        for name, archives in voc_archives.ARCHIVES.items()
    ]
    runtime = {
        "name": web_runtime.NAME,
        "what": "ONNX Runtime Web, for `ssd300 export --format web`",
        "licence": web_runtime.LICENSE,
        "files": [_file_row(web_runtime.PACKAGE)],
    }
    return [*weights, *data, runtime]


def _file_row(file: RemoteFile) -> dict[str, Any]:
    size = {} if file.size_mib is None else {"size_mib": file.size_mib}
    return {"name": file.name, "checksum": file.checksum, **size, "addresses": file.addresses}


def download_all(
    names: Sequence[str], root: Path | None, *, from_files: Path | None, report: Callable[[str], None]
) -> list[dict[str, str]]:
    """Download the files of each name, unpack archives of data, and return {"name", "path", "checksum"} per file.

    Others than data go to the cache unless `root` is given; data needs it. `from_files` is as in `fetch`. `report` gets
    lines of progress.

    Raises:
        UsageError: an unknown name, or data without `root`; nothing was downloaded then.
        DownloadError: a file cannot be downloaded.
        DataError: an archive is damaged.
    """
    known = (*named.NAMED, *voc_archives.ARCHIVES, web_runtime.NAME)
    for name in names:
        if name not in known:
            raise UsageError(
                f"there is no '{name}' to download", fix=did_you_mean(name, known, f"Name one of {', '.join(known)}.")
            )
        if name in voc_archives.ARCHIVES and root is None:
            raise UsageError(f"{name} needs --root", fix="Name the folder that VOCdevkit shall be in.")
    rows = []
    for name in names:
        is_data = name in voc_archives.ARCHIVES
        for remote in _files_of(name):
            path = fetch(remote, root or cache_folder(), from_files=from_files)
            rows.append({"name": name, "path": str(path), "checksum": remote.checksum})
            if is_data:
                report(f"unpacking {path.name} into {path.parent}")
                report(f"{voc_archives.unpack(path, path.parent):,} files added")
    return rows


def _files_of(name: str) -> Sequence[RemoteFile]:
    if name in voc_archives.ARCHIVES:
        return voc_archives.ARCHIVES[name]
    return (web_runtime.PACKAGE if name == web_runtime.NAME else named.NAMED[name].file,)
