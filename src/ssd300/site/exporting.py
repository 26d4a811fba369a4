"""A site: the exported file, the page, ONNX Runtime Web, and what the page must know of them.

The exported file is that of `export`, compared with the weights as every other one. It leaves non-maximum suppression
to the page, which has sliders for it.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ssd300.detection.detector import DISPLAY
from ssd300.errors import UsageError
from ssd300.export import export
from ssd300.export.parity import LIMITS
from ssd300.images.rgb import BEHIND_ALPHA
from ssd300.runtime import Manifest, load_exported
from ssd300.runtime.manifest import Precision
from ssd300.serve.described import model_facts
from ssd300.site.page_files import LICENSES, PAGE, SERVICE_WORKER, page_files
from ssd300.system.cache_folder import cache_folder
from ssd300.system.files import check_output_free, write_atomically
from ssd300.system.web_runtime import CPU, WEBGPU, check_downloaded, web_runtime

MODEL = "model.onnx"
HEAVY = 30_000_000  # bytes, compressed: more is much for a phone
THIRD_PARTY = "ThirdPartyNotices.txt"  # of ONNX Runtime's Python package, which has the same parts


def check_site(out: Path, precision: Precision, *, overwrite: bool) -> None:
    """Raises UsageError if the folder is not free, the file is to be bf16, or ONNX Runtime Web was not downloaded."""
    check_output_free(out, overwrite=overwrite)
    if precision == "bf16":
        raise UsageError("browsers cannot run files in bf16", fix="Use --precision fp32, or int8 for a smaller file.")
    check_downloaded(cache_folder())


def export_site(weights: str | Path, out: Path, *, precision: Precision, **how: Any) -> dict[str, Any]:
    """Write the site into the folder `out`; return the record of the exported file, with the `site`'s bytes.

    The bytes are those that every browser loads; one with a GPU loads those of `webgpu` too.
    `how` are other arguments of `export`. Files of the same names are replaced, others are left.

    Raises:
        UsageError: ONNX Runtime Web was not downloaded.
        DownloadError: it is damaged.
        ExportError, UsageError, RunError, WeightsError, DataError: as `export`. There is no page then.
    """
    has_webgpu = precision == "fp32"  # WebGPU has no integer convolutions
    runtime = web_runtime(cache_folder(), (CPU, WEBGPU) if has_webgpu else (CPU,))
    report = export(weights, out / MODEL, format="onnx", precision=precision, nms=False, **how)
    manifest = load_exported(out / MODEL).card
    model = (out / MODEL).read_bytes()
    files: dict[str, bytes] = {
        **page_files(),
        **{f"static/{name}": content for name, content in runtime.items()},
        "static/model.json": _json(
            {
                **_description(manifest),
                "bytes": len(model) + len(runtime[CPU.binary]),  # loaded before it runs
                "webgpu": {**WEBGPU._asdict(), "score_limit": LIMITS[precision].score} if has_webgpu else None,
            }
        ),
        "manifest.json": _json(_app(manifest)),
    }
    files[LICENSES] += _license_of_weights(manifest)
    kept_offline = {MODEL: model, **files}
    of_webgpu = [f"static/{name}" for name in WEBGPU if name in runtime]
    files["static/files.js"] = _offline_script(kept_offline, of_webgpu).encode()
    files[THIRD_PARTY] = _third_party_notices()
    for name in sorted(files, key=lambda name: name == PAGE):  # the page last: it is there once all else is
        _write(out / name, files[name])
    needed = _sizes(content for name, content in kept_offline.items() if name not in of_webgpu)
    extra = _sizes(kept_offline[name] for name in of_webgpu)
    if needed["compressed_bytes"] > HEAVY:
        mega = needed["compressed_bytes"] / 1e6
        report["notes"].append(f"a first visit loads {mega:.0f} MB; --precision int8 or a smaller model makes it less")
    return {**report, "site": {**needed, "webgpu": extra if has_webgpu else None}}


def _sizes(contents: Iterable[bytes]) -> dict[str, int]:
    each = [(len(content), len(zlib.compress(content))) for content in contents]
    return {"bytes": sum(size for size, _ in each), "compressed_bytes": sum(size for _, size in each)}


def _description(manifest: Manifest) -> dict[str, Any]:
    """What the page must know of the model."""
    return {
        **model_facts(manifest),
        "resize": manifest.resize,
        "behind_alpha": BEHIND_ALPHA,
        "per_class": DISPLAY.per_class,
        "file": f"../{MODEL}",
        "runtime": CPU.binary,
    }


def _app(manifest: Manifest) -> dict[str, Any]:
    """The web app manifest, for those who put the page on their home screen."""
    return {
        "name": f"ssd300: {', '.join(manifest.classes)}"[:100],
        "short_name": "ssd300",
        "start_url": "./",
        "display": "standalone",
        "icons": [{"src": "static/icon.svg", "type": "image/svg+xml", "sizes": "any"}],
    }


def _offline_script(files: Mapping[str, bytes], of_webgpu: Sequence[str]) -> str:
    """What the service worker keeps: each file by its address in the site, with its checksum, and a version of them.

    `of_webgpu` are those of them that a browser without WebGPU never loads.
    """
    checksums = {
        "./" if name == PAGE else name: f"sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}"
        for name, content in files.items()
        if name != SERVICE_WORKER  # browsers keep it themselves
    }
    whole = hashlib.sha256(json.dumps(checksums).encode()).hexdigest()[:16]
    described = json.dumps({"version": whole, "files": checksums, "webgpu": of_webgpu}, indent=1)
    return f"// Written by ssd300 {version('ssd300')}, for service_worker.js.\nself.SITE = {described};\n"


def _json(value: Any) -> bytes:
    return f"{json.dumps(value, ensure_ascii=False, allow_nan=False)}\n".encode()


def _license_of_weights(manifest: Manifest) -> bytes:
    return f"\nThe license of the weights in {MODEL}: {manifest.source.get('licence') or 'not stated'}.\n".encode()


def _third_party_notices() -> bytes:
    """Those of ONNX Runtime's Python package, which is made of the same parts. It is installed: the export ran it."""
    package = find_spec("onnxruntime")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).with_name(THIRD_PARTY).read_bytes()


def _write(path: Path, content: bytes) -> None:
    write_atomically(path, lambda temporary: _fill(temporary, content), sync=False)


def _fill(path: Path, content: bytes) -> None:
    path.write_bytes(content)
