"""`ssd300 download`: published weights and PASCAL VOC, checked against their published checksums."""

import sys
from pathlib import Path
from typing import Any

from ssd300.cli.options import Json, print_json, say
from ssd300.errors import UsageError


def download(*names: str, root: Path | None = None, from_files: Path | None = None, json_: Json = False) -> None:
    """Download published weights or PASCAL VOC, resumable and checked. Without a name, list what can be downloaded.

    Parameters
    ----------
    names
        Weights: coco (the detector), vgg16, vgg16_features. Data: voc, voc07, voc12.
    root
        Where to: needed for data; weights go into the cache, where --weights NAME finds them.
    from_files
        Take the files from this folder instead of the network.
    json_
        Print one JSON object and nothing else.
    """
    from ssd300.data.formats.voc_archives import ARCHIVES
    from ssd300.weights.named import NAMED, cache_folder

    for name in names:
        if name not in (*NAMED, *ARCHIVES):
            raise UsageError(f"there is no '{name}' to download", fix=f"Name one of {', '.join((*NAMED, *ARCHIVES))}.")
        if name in ARCHIVES and root is None:
            raise UsageError(f"{name} needs --root", fix="Name the folder that VOCdevkit shall be in.")
    if not names:
        _list(json_=json_)
        return
    from ssd300.system.download import fetch

    fetched: list[dict[str, str]] = []
    for name in names:
        for remote in ARCHIVES[name] if name in ARCHIVES else (NAMED[name].file,):
            path = fetch(remote, root or cache_folder(), from_files=from_files)
            fetched.append({"name": name, "path": str(path), "checksum": remote.checksum})
            if name in ARCHIVES:
                _unpack(path, path.parent)
    if json_:
        print_json({"files": fetched})
        return
    for file in fetched:
        sys.stdout.write(f"{file['path']}: {file['checksum']} is right\n")


def _unpack(archive: Path, root: Path) -> None:
    from ssd300.data.formats.voc_archives import unpack

    say([f"unpacking {archive.name} into {root}"])
    say([f"{unpack(archive, root):,} files added"])


def _list(*, json_: bool) -> None:
    from ssd300.data.formats.voc_archives import ARCHIVES, LICENCE
    from ssd300.weights.named import NAMED

    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "what": "detector" if known.is_detector else "backbone, for --init",
            "origin": known.origin,
            "data": known.data,
            "licence": known.licence,
            "published": known.published,
            "files": [{"name": known.file.name, "checksum": known.file.checksum, "size_mib": known.file.size_mib,
                       "addresses": known.file.addresses}],
        }
        for name, known in NAMED.items()
    ] + [
        {
            "name": name,
            "what": "data",
            "licence": LICENCE,
            "files": [{"name": file.name, "checksum": file.checksum, "addresses": file.addresses} for file in archives],
        }
        for name, archives in ARCHIVES.items()
    ]  # fmt: skip
    if json_:
        print_json({"known": rows})
        return
    for row in rows:
        sys.stdout.write(f"{row['name']}: {row['what']}\n")
        for key in ("origin", "data", "published", "licence"):
            if row.get(key):
                sys.stdout.write(f"  {key}: {row[key]}\n")
        for file in row["files"]:
            size = f", {file['size_mib']:.0f} MiB" if file.get("size_mib") else ""
            sys.stdout.write(f"  {file['name']}: {file['checksum']}{size}\n    {file['addresses'][0]}\n")
