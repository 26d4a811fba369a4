import errno
import os
from pathlib import Path

import pytest

from ssd300.errors import RunError, UsageError
from ssd300.system.files import (
    appending,
    check_file_free,
    check_output_free,
    free_beside,
    remove_stale_temporaries,
    spelled_like,
    whole_folder,
    write_atomically,
    write_json,
    write_text,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fill_half(out):
    with whole_folder(out) as folder:
        (folder / "half").write_text("x")
        raise RuntimeError


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep/file.txt"
    write_text(path, "old")

    def fail(temporary):
        temporary.write_text("ne")
        raise OSError("disk full")

    with pytest.raises(RunError, match="disk full"):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert names(path.parent) == ["file.txt"]
    write_text(path, "new")
    assert path.read_text() == "new"


def test_values_that_are_no_json_leave_the_file_as_it_was(tmp_path):
    write_json(tmp_path / "a.json", {"a": 1})
    with pytest.raises(ValueError):
        write_json(tmp_path / "a.json", {"a": float("nan")})
    assert (tmp_path / "a.json").read_text() == '{\n  "a": 1\n}\n'


@pytest.mark.parametrize("there", [False, True])
def test_a_full_disk_is_one_error_that_names_the_file_of_the_folder(tmp_path, there):
    """A write does not say which file it was for; a file of `write_text` has its place in the temporary folder."""
    out = tmp_path / "out"
    if there:
        out.mkdir()

    def full(_path):
        raise OSError(errno.ENOSPC, "No space left on device")

    def full_copy(folder):
        raise OSError(errno.ENOSPC, "No space left on device", "source.jpg", None, str(folder / "copy.jpg"))

    for fill, where in (
        (full, out),
        (full_copy, out / "copy.jpg"),
        (lambda folder: write_atomically(folder / "a/b.txt", full), out / "a/b.txt"),
    ):
        refused = pytest.raises(RunError, match=r"cannot be written \(No space left on device")
        with refused as caught, whole_folder(out) as folder:
            fill(folder)
        assert caught.value.where == str(where)
        assert list(tmp_path.rglob("*")) == ([out] if there else [])
    with pytest.raises(FileNotFoundError), whole_folder(out):
        (tmp_path / "missing").read_text()  # of an input: not an error of the folder


def test_lines_that_cannot_be_added_are_an_error_that_names_the_file(tmp_path):
    refused = pytest.raises(RunError, match=r"rows\.csv: the file cannot be written \(No space left")
    with refused, appending(tmp_path / "rows.csv"):
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("there", [False, True])
def test_what_a_killed_process_left_of_a_folder_is_removed_by_the_next(tmp_path, there):
    out = tmp_path / "out[1]"
    home = out if there else tmp_path
    (home / ".out[1].99999.partial/deep").mkdir(parents=True)
    others = [home / ".out1.99999.partial", home / ".out[1].v2.99999.partial"]  # of folders that are being written
    for one in others:
        one.mkdir()
    with whole_folder(out, overwrite=there) as folder:
        (folder / "a").write_text("x")
    assert (out / "a").is_file()
    assert not (home / ".out[1].99999.partial").exists()
    assert all(one.is_dir() for one in others)


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_appears_when_the_block_ends_well(tmp_path, there):
    out = tmp_path / "out"
    if there:
        out.mkdir()
    with pytest.raises(RuntimeError):
        fill_half(out)
    assert list(tmp_path.rglob("*")) == ([out] if there else [])
    with whole_folder(out) as folder:
        (folder / "a").write_text("x")
    assert [path.name for path in out.iterdir()] == ["a"]
    with pytest.raises(UsageError, match="not empty"), whole_folder(out):
        pass
    with whole_folder(out, overwrite=True) as folder:
        (folder / "b").write_text("y")
    assert sorted(path.name for path in out.iterdir()) == ["a", "b"]


def test_the_current_folder_can_be_filled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with whole_folder(Path()) as folder:
        (folder / "a").write_text("x")
    assert names(tmp_path) == ["a"]


def test_a_file_in_the_way_and_what_a_killed_run_left(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="a file where a folder"), whole_folder(tmp_path / "file"):
        pass
    (tmp_path / ".state.pt.123.partial").write_text("half")
    remove_stale_temporaries(tmp_path)
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("name", "free"),
    [("mine", "mine-2"), ("run-7", "run-8"), ("a.onnx", "a-2.onnx"), ("v1.5", "v1.5-2"), ("my-run", "my-run-2")],
)
def test_the_free_name_beside_a_folder_or_file_is_the_next_number(tmp_path, name, free):
    path = tmp_path / name
    path.touch() if path.suffix == ".onnx" else path.mkdir()
    assert free_beside(path) == tmp_path / free
    (tmp_path / free).mkdir()
    assert free_beside(path) not in (path, tmp_path / free)


def test_a_folder_that_is_not_empty_is_refused_with_the_free_name_first(tmp_path):
    (tmp_path / "out").mkdir()
    check_output_free(tmp_path / "out", overwrite=False)
    (tmp_path / "out/file").touch()
    check_output_free(tmp_path / "out", overwrite=True)
    with pytest.raises(UsageError, match=r"out-2.*--overwrite"):
        check_output_free(tmp_path / "out", overwrite=False)
    with pytest.raises(UsageError, match=r"out-2.*Add --resume"):
        check_output_free(tmp_path / "out", overwrite=False, instead="Add --resume.")


def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    for refuse in (lambda: check_output_free(tmp_path / "file/a/b", overwrite=False),
                   lambda: check_file_free(tmp_path / "file/b.onnx", "--html", overwrite=False)):  # fmt: skip
        with pytest.raises(UsageError, match="no folder can be made in it"):
            refuse()
    locked = tmp_path / "locked"
    locked.mkdir()
    can = os.access
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place) != locked and can(place, mode))  # root may write
    for out in (locked, locked / "a/b"):
        with pytest.raises(UsageError, match=r"locked.*nothing can be written here.*--out"):
            check_output_free(out, overwrite=True)
        with pytest.raises(UsageError, match=r"locked.*nothing can be written here.*--html"):
            check_file_free(out / "c.html", "--html", overwrite=False)
    check_file_free(tmp_path / "new/c.html", "--html", overwrite=False)


def test_a_path_that_is_not_there_gets_the_names_beside_it(tmp_path):
    (tmp_path / "dog.jpg").touch()
    assert spelled_like(tmp_path / "dgo.jpg", "Check it.") == f"Did you mean {tmp_path / 'dog.jpg'}?"
    assert spelled_like(tmp_path / "q", "Check it.") == "Check it."
    assert "no folder" in spelled_like(tmp_path / "none/dog.jpg", "Check it.")
