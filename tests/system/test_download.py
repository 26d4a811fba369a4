"""Transfers from a server on loopback; no other machine is asked."""

import time

import pytest

from file_server import CONTENT, remote
from ssd300.errors import DownloadError
from ssd300.system import download
from ssd300.system.download import RemoteFile, fetch


@pytest.mark.parametrize("way", ["plain", "breaks", "busy", "no-length", "never-resumes"])
def test_the_file_arrives_whole_and_is_asked_for_once(file_server, tmp_path, way):
    file = remote(file_server.address(way))
    assert fetch(file, tmp_path).read_bytes() == CONTENT
    requests = len(file_server.asked)
    assert fetch(file, tmp_path) == tmp_path / "file.bin"
    assert len(file_server.asked) == requests
    assert [path.name for path in tmp_path.iterdir()] == ["file.bin"]


def test_what_broke_off_is_resumed_and_not_fetched_again(file_server, tmp_path):
    fetch(remote(file_server.address("breaks")), tmp_path)
    assert file_server.asked == [
        ("breaks", None), ("breaks", "bytes=200000-"), ("breaks", "bytes=400000-"), ("breaks", "bytes=600000-"),
    ]  # fmt: skip


def test_a_killed_download_is_resumed_by_the_next(file_server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:999_000])
    assert fetch(remote(file_server.address("plain")), tmp_path).read_bytes() == CONTENT
    assert file_server.asked == [("plain", "bytes=999000-")]


@pytest.mark.parametrize("left", [CONTENT, CONTENT + b"more"])
def test_a_transfer_that_ended_before_its_check_is_checked(file_server, tmp_path, left):
    (tmp_path / "file.bin.part").write_bytes(left)
    file = remote(file_server.address("plain"), file_server.address("plain"))
    assert fetch(file, tmp_path).read_bytes() == CONTENT


def test_a_silent_server_is_left_after_a_while_and_the_transfer_resumed(file_server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT_S", 0.3)
    began = time.monotonic()
    assert fetch(remote(file_server.address("stalls")), tmp_path).read_bytes() == CONTENT
    assert time.monotonic() - began < 10
    assert file_server.asked[1][1] is not None  # from where it stood


def test_mirrors_are_tried_in_turn(file_server, tmp_path):
    file = remote(file_server.address("gone"), file_server.address("lies"), file_server.address("plain"))
    assert fetch(file, tmp_path).read_bytes() == CONTENT
    assert [way for way, _ in file_server.asked] == ["gone", "lies", "plain"]


def test_a_file_with_another_checksum_is_removed_and_reported(file_server, tmp_path):
    with pytest.raises(DownloadError, match=r"lies/file: the downloaded file has another checksum .* and was removed"):
        fetch(remote(file_server.address("lies")), tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file.bin").write_bytes(b"other")
    with pytest.raises(DownloadError, match="not the published one"):
        fetch(remote(file_server.address("plain")), tmp_path)
    assert (tmp_path / "file.bin").read_bytes() == b"other"  # it may be the user's


def test_without_a_network_the_error_says_which_file_to_put_where(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "PAUSE_S", 0.0)
    with pytest.raises(DownloadError) as caught:
        fetch(remote("http://127.0.0.1:1/file"), tmp_path / "cache")
    assert "file.bin could not be downloaded" in caught.value.what
    assert str(tmp_path / "cache") in (caught.value.fix or "")


def test_a_disk_without_room_is_reported_before_a_byte_comes(file_server, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _folder: usage)
    with pytest.raises(DownloadError, match="1,000,000 bytes do not fit"):
        fetch(remote(file_server.address("plain")), tmp_path)


def test_files_from_a_folder_are_checked_and_copied(tmp_path):
    stick = tmp_path / "stick"
    stick.mkdir()
    file = remote("http://127.0.0.1:1/file")
    with pytest.raises(DownloadError, match=r"file\.bin is not there"):
        fetch(file, tmp_path / "cache", from_files=stick)
    (stick / "file.bin").write_bytes(b"other")
    with pytest.raises(DownloadError, match="not the published one"):
        fetch(file, tmp_path / "cache", from_files=stick)
    (stick / "file.bin").write_bytes(CONTENT)
    assert fetch(file, tmp_path / "cache", from_files=stick).read_bytes() == CONTENT
    assert (stick / "file.bin").exists()


@pytest.mark.parametrize("change", [{"addresses": ()}, {"sha256": None}, {"addresses": ("file:///etc/passwd",)}])
def test_a_file_without_address_or_checksum_cannot_be_named(change):
    with pytest.raises(ValueError, match="address"):
        RemoteFile(**({"name": "a", "addresses": ("http://a/b",), "sha256": "00"} | change))
