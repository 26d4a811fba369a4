import hashlib
import io
import tarfile
from dataclasses import replace

import pytest

from ssd300.cli import main
from ssd300.errors import DownloadError, UsageError
from ssd300.system import web_runtime
from ssd300.system.cache_folder import CACHE_VARIABLE

CONTENT = {
    "package/dist/ort.wasm.bundle.min.mjs": b"export {};", "package/dist/ort-wasm-simd-threaded.wasm": b"\0asm",
    "package/dist/ort.jspi.bundle.min.mjs": b"export {1};",
    "package/dist/ort-wasm-simd-threaded.jspi.wasm": b"\0asm1",
}  # fmt: skip
OF_CPU = {"ort.wasm.bundle.min.js": b"export {};", "ort-wasm-simd-threaded.wasm": b"\0asm"}
OF_WEBGPU = {"ort.jspi.bundle.min.js": b"export {1};", "ort-wasm-simd-threaded.jspi.wasm": b"\0asm1"}


def npm_package(files) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in {"package/package.json": b"{}", **files}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@pytest.fixture
def published(monkeypatch, tmp_path):
    """A small package in place of the real one; the cache is a folder of the test. Gives what puts it into a folder."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))

    def publish(folder, files=CONTENT):
        content = npm_package(files)
        sha256 = hashlib.sha256(content).hexdigest()
        package = replace(web_runtime.PACKAGE, sha256=sha256, addresses=("http://127.0.0.1:9/none",))
        monkeypatch.setattr(web_runtime, "PACKAGE", package)
        folder.mkdir(exist_ok=True)
        (folder / package.name).write_bytes(content)

    return publish


def test_it_is_taken_from_files_and_the_page_finds_it_in_the_cache(published, tmp_path, capsys):
    published(tmp_path / "usb")
    assert main(["download", "web-runtime", "--from-files", str(tmp_path / "usb")]) == 0
    assert "is right" in capsys.readouterr().out
    cpu, webgpu = web_runtime.CPU, web_runtime.WEBGPU
    assert web_runtime.web_runtime(tmp_path / "cache", [cpu]) == OF_CPU
    assert web_runtime.web_runtime(tmp_path / "cache", [cpu, webgpu]) == OF_CPU | OF_WEBGPU


def test_a_page_is_not_exported_before_it_is_downloaded(light_run, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    out = tmp_path / "site"
    assert main(["export", "-w", str(light_run), "--format", "web", "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert "`ssd300 download web-runtime`" in error
    assert not out.exists()


def test_another_file_is_refused(published, tmp_path, capsys):
    published(tmp_path / "usb")
    (tmp_path / "usb" / web_runtime.PACKAGE.name).write_bytes(b"another one")
    assert main(["download", "web-runtime", "--from-files", str(tmp_path / "usb")]) == 1
    assert "not the published one" in capsys.readouterr().err
    published(tmp_path / "cache")
    (tmp_path / "cache" / web_runtime.PACKAGE.name).write_bytes(b"another one")
    with pytest.raises(DownloadError, match="not the published one"):
        web_runtime.web_runtime(tmp_path / "cache", [web_runtime.CPU])


def test_a_package_without_the_files_is_refused(published, tmp_path):
    published(tmp_path / "cache", files={})
    with pytest.raises(DownloadError, match="are not in it"):
        web_runtime.web_runtime(tmp_path / "cache", [web_runtime.CPU])


def test_a_folder_without_it_names_the_command(tmp_path):
    with pytest.raises(UsageError, match="download web-runtime"):
        web_runtime.check_downloaded(tmp_path)
