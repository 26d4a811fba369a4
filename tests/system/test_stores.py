"""Stores: a folder and an address of fsspec behave alike."""

from pathlib import Path

import pytest

from ssd300.errors import DataError, UsageError
from ssd300.system.stores import Store, as_place, is_remote, one_spelling, open_store


@pytest.fixture(params=["folder", "address"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return open_store(tmp_path / "place" if request.param == "folder" else f"memory://{tmp_path.name}/place")


def test_what_is_written_can_be_read_whole_and_in_parts(store: Store) -> None:
    store.write("below/a.bin", b"0123456789")
    store.write("below/a.bin", b"abcdefghij")
    assert store.read("below/a.bin") == b"abcdefghij"
    assert (store.read("below/a.bin", 3, 4), store.read("below/a.bin", 8, 40)) == (b"defg", b"ij")
    assert store.size("below/a.bin") == 10


def test_names_are_sorted_of_all_levels_and_without_hidden_files(store: Store) -> None:
    assert store.names() == []
    for name in ("b.tar", "a/c.tar", ".hidden.tar", "d.json"):
        store.write(name, b"x")
    assert store.names(".tar") == ["a/c.tar", "b.tar"]
    store.remove("b.tar")
    store.remove("b.tar")
    assert store.names() == ["a/c.tar", "d.json"]


def test_a_missing_file_is_named(store: Store) -> None:
    for ask in (store.read, store.size):
        with pytest.raises(DataError, match="there is no such file") as raised:
            ask("no.bin")
        assert raised.value.where == store.place("no.bin")


def test_an_unknown_kind_of_address_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="nowhere"):
        open_store("nowhere://bucket/folder")


def test_paths_and_addresses_are_told_apart() -> None:
    assert is_remote("s3://bucket/a")
    assert not is_remote("folder/a")
    assert not is_remote(Path("s3:/bucket/a"))


def test_files_are_put_and_fetched(store: Store, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"content")
    store.put("below/a.bin", tmp_path / "source")
    store.fetch("below/a.bin", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == store.read("below/a.bin") == b"content"
    with pytest.raises(DataError, match="there is no such file"):
        store.fetch("no.bin", tmp_path / "target")


@pytest.mark.parametrize("place", ["s3://bucket/a", "memory://a", "file:///data/a", "folder/a", "/data/a", "C:/data"])
def test_an_address_that_became_a_path_is_found_again(place: str) -> None:
    assert as_place(Path(place)) == place
    assert as_place(place) == place


@pytest.mark.parametrize(
    ("place", "base", "one"),
    [
        ("a/b.jpg", "/x", "/x/a/b.jpg"),
        ("./a//b/", "/x", "/x/a/b"),
        ("../a", "/x/y", "/x/a"),
        ("/a/../b/./c", "/x", "/b/c"),
        ("/a/.b/c", "/x", "/a/.b/c"),
        ("//a", "/x", "//a"),  # which POSIX leaves to the system
        ("/a/", "/x", "/a"),
        ("/", "/x", "/"),
        ("s3://b//photos/", "/x", "s3://b/photos"),
        ("file:///a//b/", "", "file:///a/b"),
        ("https://h/a//b/?u=http://c//d/", "", "https://h/a//b/?u=http://c//d/"),
    ],
)
def test_a_place_has_one_spelling(place, base, one):
    assert one_spelling(place, base) == one
    assert one_spelling(one, base) is one


def test_a_relative_path_starts_from_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert one_spelling("a/./b") == one_spelling("a/b") == str(tmp_path / "a/b")
