"""ONNX Runtime Web, which runs exported files in a browser: its npm package, of which a page needs two files a device.

The SHA-256 is of the file whose SHA-512 the npm registry publishes, ab4cbe26… in hexadecimal digits.
"""

import tarfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from ssd300.errors import DownloadError, UsageError
from ssd300.system.download import RemoteFile, fetch

NAME = "web-runtime"  # for `ssd300 download`
LICENSE = "MIT; Copyright (c) Microsoft Corporation"
_VERSION = "1.30.0"
PACKAGE = RemoteFile(
    name=f"onnxruntime-web-{_VERSION}.tgz",
    addresses=(f"https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-{_VERSION}.tgz",),
    sha256="d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71",
    size_mib=31.573,
)


class Runtime(NamedTuple):
    """What runs a model on a device: a module with its loader inside, and the WebAssembly that this loads.

    The script is named .js, which every host of static pages sends as JavaScript; in the package it is .mjs.
    """

    script: str
    binary: str


CPU = Runtime("ort.wasm.bundle.min.js", "ort-wasm-simd-threaded.wasm")
# Of the two builds with WebGPU the one that needs JSPI: the other one has 27 MB, more than some hosts take for a file.
WEBGPU = Runtime("ort.jspi.bundle.min.js", "ort-wasm-simd-threaded.jspi.wasm")


def check_downloaded(folder: Path) -> None:
    """Raises UsageError if the package is not in the folder of downloads. Its checksum is left for later."""
    if not (folder / PACKAGE.name).is_file():
        raise UsageError(
            f"the page needs ONNX Runtime Web ({PACKAGE.size_mib:.0f} MiB, MIT), which is not here yet",
            where=folder,
            fix=f"Run `ssd300 download {NAME}`.",
        )


def web_runtime(folder: Path, runtimes: Collection[Runtime]) -> Mapping[str, bytes]:
    """The files of runtimes, from the package in the folder of downloads, by the names that they have in a site.

    Raises:
        UsageError: it was not downloaded.
        DownloadError: it is not the published one.
    """
    check_downloaded(folder)
    package = fetch(PACKAGE, folder)
    wanted = {f"package/dist/{Path(script).with_suffix('.mjs')}": script for script, _ in runtimes}
    wanted |= {f"package/dist/{binary}": binary for _, binary in runtimes}
    found = {}
    with tarfile.open(package) as archive:
        for member in archive:
            if member.name in wanted and (content := archive.extractfile(member)) is not None:
                found[wanted[member.name]] = content.read()
            if len(found) == len(wanted):
                return found
    raise DownloadError(f"{', '.join(wanted.values())} are not in it", where=package, fix="Remove it, and try again.")
