"""A job that goes on: inputs that were renamed, replaced, removed or added, and files of the job that are damaged."""

import io
import json
import os
import tarfile
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet
import pytest

from bulk_jobs import SELECTION, jpeg, rows_of, without_seconds, write_images
from mean_color import MeanColor
from ssd300.detection.bulk import plan, worker
from ssd300.detection.bulk.run import BulkOptions, Model, Outcome, detect_in_bulk
from ssd300.detection.bulk.work import Work
from ssd300.errors import DataError, UsageError
from ssd300.system.stores import open_store


def do(sources, model, out, *, notes=None, column=None, retry=False, form="parquet", **options) -> Outcome:
    work = Work(
        out=str(out), base=str(Path.cwd()), form=form, selection=SELECTION, suppress=frozenset(), batch_size=4,
        retry=retry,
    )  # fmt: skip
    note = (lambda _line: None) if notes is None else notes.append
    options = BulkOptions(**({"chunk_images": 4} | options))
    return detect_in_bulk(list(map(str, sources)), model, work, options, column=column, note=note)


def tar_of(count: int) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for number in range(count):
            info = tarfile.TarInfo(f"{number:03d}.jpg")
            info.size = len(jpeg(number))
            archive.addfile(info, io.BytesIO(jpeg(number)))
    return file.getvalue()


@pytest.mark.parametrize("spelling", ["p2", "p2/", "./p2", "../work/p2", "{full}"])
def test_other_spellings_of_the_input_go_on(spelling, model, tmp_path, monkeypatch):
    images = write_images(tmp_path / "work/p2", 6)
    monkeypatch.chdir(tmp_path / "work")
    do(["p2"], model, "out")
    write_images(images, 1, first=6)
    outcome = do([spelling.format(full=images)], model, "out")
    assert (outcome.new, outcome.counts.planned, outcome.counts.missing, outcome.counts.twice) == (1, 7, 0, 0)
    assert [row["id"] for row in rows_of(Path("out"))][:6] == [f"p2/{number:05d}.jpg" for number in range(6)]


def test_a_job_goes_on_from_another_folder(model, tmp_path, monkeypatch):
    images = write_images(tmp_path / "work/p2", 6)
    (tmp_path / "work/below").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    do(["p2"], model, "out")
    (tmp_path / "work/out/parts/00000001.parquet").unlink()
    write_images(images, 1, first=6)
    monkeypatch.chdir("below")
    outcome = do(["../p2"], model, "../out")
    assert (outcome.new, outcome.counts.rows, outcome.counts.errors, outcome.counts.twice) == (3, 7, 0, 0)
    assert not list(Path().iterdir())
    os.chdir("..")
    assert do(["p2"], model, "out").new == 0


def test_other_spellings_of_an_address_go_on(model, tmp_path):
    place = f"memory://{tmp_path.name}"
    for number in range(3):
        open_store(f"{place}/in").write(f"{number}.jpg", jpeg(number))
    do([f"{place}/in"], model, f"{place}/out")
    for other in (f"{place}/in/", f"memory://{tmp_path.name}//in"):
        outcome = do([other], model, f"{place}/out")
        assert (outcome.new, outcome.counts.planned, outcome.counts.missing, outcome.counts.twice) == (0, 3, 0, 0)


def test_paths_on_standard_input_belong_to_their_folder(model, tmp_path, monkeypatch):
    write_images(tmp_path / "p2", 1)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO("p2/00000.jpg"))
    do(["-"], model, tmp_path / "out")
    monkeypatch.chdir("p2")
    monkeypatch.setattr("sys.stdin", io.StringIO("00000.jpg"))
    with pytest.raises(UsageError, match="other input"):
        do(["-"], model, tmp_path / "out")


def test_a_cut_tar_that_was_replaced_is_done_again_as_a_whole(model, tmp_path):
    shard, good, out = tmp_path / "s.tar", tmp_path / "t.tar", tmp_path / "out"
    whole = tar_of(6)
    shard.write_bytes(whole[:5000])
    good.write_bytes(tar_of(3))
    first = do([shard, good], model, out)
    assert first.counts.damaged == 1
    assert first.counts.first_damaged.startswith(f"{shard}: the tar file is damaged (")
    shard.write_bytes(whole)
    with pytest.raises(
        DataError, match=r"has changed since it was planned.* Add --retry-errors to detect on all of it"
    ):
        do([shard, good], model, out)
    notes = []
    again = do([shard, good], model, out, retry=True, notes=notes)
    assert f"1 file has changed since the plan, and is done again as a whole: {shard}" in notes
    counts = again.counts
    assert (again.new, counts.planned, counts.rows, counts.missing, counts.twice) == (6, 9, 9, 0, 0)
    assert (counts.errors, counts.damaged) == (0, 0)
    assert sorted(path.name for path in (out / "parts").iterdir()) == ["00000001.parquet", "00000002.parquet"]
    assert do([shard, good], model, out).counts == counts
    good.write_bytes(tar_of(30))  # of another size: tar pads small ones alike
    with pytest.raises(DataError, match="start another job"):
        do([shard, good], model, out, retry=True)


def test_a_tar_without_rows_may_change_before_it_is_done(model, tmp_path):
    shard, out = tmp_path / "s.tar", tmp_path / "out"
    shard.write_bytes(tar_of(3))
    do([shard], model, out)
    (out / "parts/00000000.parquet").unlink()
    shard.write_bytes(tar_of(9))
    counts = do([shard], model, out).counts
    assert (counts.planned, counts.rows, counts.missing, counts.twice) == (9, 9, 0, 0)


def test_a_replaced_parquet_file_with_errors_is_done_again_as_a_whole(model, tmp_path):
    file, out = tmp_path / "a.parquet", tmp_path / "out"
    parquet.write_table(pyarrow.table({"image": [jpeg(n) for n in range(9)] + [b"none"]}), file)
    assert do([file], model, out).counts.errors == 1
    parquet.write_table(pyarrow.table({"image": [jpeg(n) for n in range(11)]}), file)
    again = do([file], model, out, retry=True)
    counts = again.counts
    assert (again.new, counts.planned, counts.rows, counts.missing, counts.twice, counts.errors) == (
        11,
        11,
        11,
        0,
        0,
        0,
    )


def test_rows_of_a_file_that_a_kill_left_unplanned_are_planned(model, tmp_path, monkeypatch):
    file, out = tmp_path / "a.parquet", tmp_path / "out"
    parquet.write_table(pyarrow.table({"image": [jpeg(n) for n in range(10)]}), file)
    monkeypatch.setattr(plan, "CHUNKS_PER_FILE", 1)
    real = plan.Plan._write

    def killed(self, chunks):
        if self.entries:
            raise KeyboardInterrupt
        real(self, chunks)

    with monkeypatch.context() as patched:
        patched.setattr(plan.Plan, "_write", killed)
        with pytest.raises(KeyboardInterrupt):
            do([file], model, out)
    counts = do([file], model, out).counts
    assert (counts.planned, counts.rows, counts.missing, counts.twice) == (10, 10, 0, 0)


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_a_damaged_part_is_named_and_done_again_once_it_is_deleted(form, model, tmp_path):
    images, out = write_images(tmp_path / "images", 10, broken=(5,)), tmp_path / "out"
    do([images], model, out, form=form)
    part = out / f"parts/00000001.{form}"
    content = part.read_bytes()
    for damaged in (content[:-20], b"", b"\x00" * 100, b"[]\n", content.replace(b'"error"', b'"errar"')[:-9]):
        part.write_bytes(damaged)
        if damaged == b"" and form == "jsonl":
            assert do([images], model, out, form=form).counts.missing == 4
            continue
        with pytest.raises(DataError, match="the part file is damaged") as raised:
            do([images], model, out, form=form)
        assert raised.value.where == str(part)
        assert raised.value.fix.startswith("Delete it, and run the command of the job again")
    part.unlink()
    outcome = do([images], model, out, form=form)
    assert (outcome.new, outcome.counts.rows, outcome.counts.missing, outcome.counts.errors) == (4, 10, 0, 1)


def test_a_damaged_plan_is_named(model, tmp_path):
    images, out = write_images(tmp_path / "images", 2), tmp_path / "out"
    do([images], model, out)
    file = out / "plan/00000000.jsonl"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(DataError, match="the plan of the job is damaged") as raised:
        do([images], model, out)
    assert raised.value.where == f"{file}:1"


def test_images_that_are_gone_are_counted(model, tmp_path):
    images, out, notes = write_images(tmp_path / "images", 6), tmp_path / "out", []
    do([images], model, out)
    for number in (1, 4):
        (images / f"{number:05d}.jpg").unlink()
    assert do([images], model, out, notes=notes).counts.rows == 6
    line = f"2 planned images or files are not in the input any more; their rows stay: {images}/00001.jpg and others"
    assert line in notes


def test_a_mistake_leaves_nothing_and_removes_nothing(model, tmp_path):
    images, out = write_images(tmp_path / "images", 2), tmp_path / "out"
    empty = write_images(tmp_path / "empty", 0)
    for wrong in (tmp_path / "imagse", empty):
        with pytest.raises(DataError):
            do([wrong], model, out)
        assert not out.exists()
    (tmp_path / "a.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match="archive"):
        do([images, tmp_path / "a.zip"], model, out)
    assert not out.exists()
    do([images], model, out)
    before = rows_of(out)
    for wrong in ([tmp_path / "imagse"], [images, tmp_path / "imagse"], [empty]):
        with pytest.raises(DataError):
            do(wrong, model, out, overwrite=True)
        assert rows_of(out) == before
    assert do([images], model, out).new == 0
    assert without_seconds(rows_of(out)) == without_seconds(before)


def test_what_differs_is_told_by_name(model, tmp_path):
    images, out = write_images(tmp_path / "images", 2), tmp_path / "out"
    do([images], model, out)
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"other weights")
    with pytest.raises(UsageError, match=r"weights\.safetensors \(SHA-256 \w{12}\.\.\.\) then, \S*other\.safetensors"):
        do([images], Model(weights=str(other), network=MeanColor(), load=MeanColor, device="cpu"), out)
    with pytest.raises(UsageError, match=rf"sources {images} then, {tmp_path}/more now"):
        do([write_images(tmp_path / "more", 1)], model, out)


def test_options_that_change_nothing_are_told(model, tmp_path):
    images, out, notes = write_images(tmp_path / "images", 2), tmp_path / "out", []
    do([images], model, out, notes=notes, column="photo")
    assert "--column photo is not used: no Parquet file is in the input" in notes
    do([images], model, out, notes=notes, column="photo", chunk_images=2)
    assert any("not planned yet come in chunks of 2, the others stay in chunks of 4" in line for line in notes)
    assert json.loads((out / "manifest.json").read_text())["chunk_images"] == 4


def test_what_a_folder_search_leaves_out_is_told(model, tmp_path):
    images, notes = write_images(tmp_path / "images", 2), []
    write_images(images / "below/deeper", 1, first=2)
    write_images(tmp_path / "elsewhere", 1)
    (images / "gone.jpg").symlink_to(tmp_path / "nothing.jpg")
    (images / "linked").symlink_to(tmp_path / "elsewhere")
    (images / "found.jpg").symlink_to(images / "00000.jpg")
    os.mkfifo(images / "pipe.jpg")
    write_images(images / ".hidden", 1)
    assert do([images], model, tmp_path / "out", notes=notes).counts.rows == 4
    assert f"{images}: 3 entries of the folder are left out; the first: gone.jpg, a link to nothing" in notes
    assert [row["id"].removeprefix(f"{images}/") for row in rows_of(tmp_path / "out")] == [
        "00000.jpg", "00001.jpg", "below/deeper/00002.jpg", "found.jpg",
    ]  # fmt: skip


def test_an_interrupt_says_how_much_is_done(model, tmp_path, monkeypatch):
    images, out, notes = write_images(tmp_path / "images", 10), tmp_path / "out", []
    real_encoded, parts = worker.encoded, []

    def stop(rows, form):
        if parts:
            raise KeyboardInterrupt
        parts.append(len(rows))
        return real_encoded(rows, form)

    with monkeypatch.context() as patched:
        patched.setattr(worker, "encoded", stop)
        with pytest.raises(KeyboardInterrupt):
            do([images], model, out, notes=notes)
    assert notes == ["4 of 10 images are done; the same command goes on with the others"]
    notes.clear()
    do([images], model, out, notes=notes)
    assert notes == ["resuming: 4 of 10 images are done"]
