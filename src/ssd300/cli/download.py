"""`ssd300 download`: published weights, PASCAL VOC and ONNX Runtime Web, checked against their checksums."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from ssd300.cli.options import Json, print_json, say

Folder = Annotated[Path, Parameter(metavar="FOLDER")]


def download(
    *names: Annotated[str, Parameter(name="NAME")],
    root: Folder | None = None,
    from_files: Folder | None = None,
    json_: Json = False,
) -> None:
    """Download published weights or VOC; without a name, list them.

    Parameters
    ----------
    names
        Weights: coco (a detector), vgg16, vgg16_features. Data: voc, voc07, voc12. For `export --format web`:
        web-runtime.
    root
        The folder to download to; data needs it. Default: for the others the cache, where --weights, --init and export
        find them.
    from_files
        Take the files from this folder. Default: from the network.
    json_
        Print one JSON object and nothing else.
    """
    from ssd300.weights.catalog import download_all, known_downloads

    if not names:
        known = known_downloads()
        if json_:
            print_json({"known": known})
        else:
            _print_known(known)
        return
    files = download_all(names, root, from_files=from_files, report=lambda line: say([line]))
    if json_:
        print_json({"files": files})
        return
    for file in files:
        sys.stdout.write(f"{file['path']}: {file['checksum']} is right\n")


def _print_known(rows: Iterable[Mapping[str, Any]]) -> None:
    for row in rows:
        sys.stdout.write(f"{row['name']}: {row['what']}\n")
        for key in ("origin", "data", "published", "licence"):
            if row.get(key):
                sys.stdout.write(f"  {key}: {row[key]}\n")
        for file in row["files"]:
            size = f", {file['size_mib']:.0f} MiB" if file.get("size_mib") else ""
            sys.stdout.write(f"  {file['name']}: {file['checksum']}{size}\n    {file['addresses'][0]}\n")
