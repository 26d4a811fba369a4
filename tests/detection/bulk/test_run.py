"""Jobs with the engine `local`: one row per image, whatever stops a job, whatever the images are."""

import json
import tarfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet
import pytest

from bulk_jobs import SELECTION, jpeg, rows_of, without_seconds, write_images
from mean_color import MeanColor
from ssd300.detection.bulk import worker
from ssd300.detection.bulk.run import BulkOptions, Model, Outcome, detect_in_bulk
from ssd300.detection.bulk.work import Work
from ssd300.errors import DataError, UsageError
from ssd300.system.stores import open_store


def work_at(out: Path | str, **more) -> Work:
    usual = {
        "form": "parquet",
        "selection": SELECTION,
        "suppress": frozenset(),
        "batch_size": 4,
        "base": str(Path.cwd()),
    }
    return Work(out=str(out), **(usual | more))


def do(
    sources: list[Path], model: Model, out: Path | str, *, notes=None, column=None, overwrite=False, **more
) -> Outcome:
    options = BulkOptions(chunk_images=4, overwrite=overwrite)
    note = (lambda _line: None) if notes is None else notes.append
    return detect_in_bulk([str(one) for one in sources], model, work_at(out, **more), options, column=column, note=note)


def test_each_image_has_one_row_and_a_broken_one_has_its_error(model, tmp_path):
    images = write_images(tmp_path / "images", 10, broken=(3,))
    outcome = do([images], model, tmp_path / "out")
    counts = outcome.counts
    assert (counts.planned, counts.rows, counts.missing, counts.twice, counts.errors) == (10, 10, 0, 0, 1)
    rows = rows_of(tmp_path / "out")
    assert [row["id"] for row in rows] == [str(images / f"{number:05d}.jpg") for number in range(10)]
    assert (rows[3]["width"], rows[3]["detections"]) == (None, [])
    assert "not an image" in rows[3]["error"]
    assert (rows[0]["width"], rows[0]["height"], rows[0]["error"]) == (32, 24, None)
    (found,) = rows[0]["detections"]
    assert (found["label"], found["label_id"]) == ("red", 1)
    assert found["box"] == {"xmin": 8.0, "ymin": 6.0, "xmax": 16.0, "ymax": 12.0}
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["finished"]
    assert manifest["counts"]["rows"] == 10
    assert sorted(path.name for path in (tmp_path / "out/parts").iterdir()) == [f"{n:08d}.parquet" for n in range(3)]


def test_a_second_start_does_what_is_missing_and_what_the_input_has_more(model, tmp_path):
    images, out = write_images(tmp_path / "images", 10), tmp_path / "out"
    do([images], model, out)
    before = rows_of(out)
    (out / "parts/00000001.parquet").unlink()  # as after a kill
    (out / "parts/.00000001.parquet.77.partial").write_bytes(b"half")
    write_images(images, 3, first=10)
    model.network.seen = 0
    outcome = do([images], model, out)
    assert model.network.seen == outcome.new == 4 + 3
    assert (outcome.counts.planned, outcome.counts.missing, outcome.counts.twice) == (13, 0, 0)
    assert without_seconds(rows_of(out)[:10]) == without_seconds(before)
    assert not list(out.rglob("*.partial"))
    assert do([images], model, out).new == 0


def test_a_job_that_stops_anywhere_goes_on(model, tmp_path, monkeypatch):
    images, out = write_images(tmp_path / "images", 10), tmp_path / "out"
    do([images], model, tmp_path / "whole")
    real, written = worker.encoded, []

    def stop(rows, form):
        if len(written) == 1:
            written.append("stopped")
            raise KeyboardInterrupt
        written.append(form)
        return real(rows, form)

    monkeypatch.setattr(worker, "encoded", stop)
    with pytest.raises(KeyboardInterrupt):
        do([images], model, out)
    assert do([images], model, out).new == 6
    assert without_seconds(rows_of(out)) == without_seconds(rows_of(tmp_path / "whole"))


def test_rows_with_an_error_are_tried_again_and_the_others_are_kept(model, tmp_path):
    images, out = write_images(tmp_path / "images", 10, broken=(3, 8)), tmp_path / "out"
    do([images], model, out)
    first = rows_of(out)
    write_images(images, 1, first=3)
    model.network.seen = 0
    outcome = do([images], model, out, retry=True)
    assert (outcome.new, model.network.seen, outcome.counts.errors) == (2, 1, 1)
    rows = rows_of(out)
    assert rows[3]["error"] is None
    assert rows[8]["error"]
    assert [row for n, row in enumerate(rows) if n not in (3, 8)] == [
        row for n, row in enumerate(first) if n not in (3, 8)
    ]


def test_other_weights_settings_or_input_are_refused_by_name(model, tmp_path):
    images, out = write_images(tmp_path / "images", 2), tmp_path / "out"
    do([images], model, out)
    with pytest.raises(UsageError, match=r"other settings \(settings: top_k 200 then, 7 now\)"):
        do([images], model, out, selection=replace(SELECTION, top_k=7))
    with pytest.raises(UsageError, match="other input"):
        do([images / "00000.jpg"], model, out)
    Path(model.weights).write_bytes(b"other weights")
    with pytest.raises(UsageError, match="other weights and settings"):
        do([images], model, out, suppress=frozenset(["red"]))
    before = rows_of(out)
    assert do([images], model, out, suppress=frozenset(["red"]), overwrite=True).counts.rows == 2
    assert [row["detections"] for row in rows_of(out)] == [[], []]
    assert before[0]["detections"]


def test_a_job_that_found_no_image_can_be_repaired(model, tmp_path):
    images = write_images(tmp_path / "images", 2)
    with pytest.raises(DataError, match="no such file"):
        do([tmp_path / "imagse"], model, tmp_path / "out")
    assert do([images], model, tmp_path / "out").counts.rows == 2


def test_a_folder_with_something_else_is_refused(model, tmp_path):
    images = write_images(tmp_path / "images", 2)
    with pytest.raises(UsageError, match="not empty"):
        do([images], model, images)


def test_parts_can_be_lines_of_json(model, tmp_path):
    images = write_images(tmp_path / "images", 5, broken=(1,))
    do([images], model, tmp_path / "parquet")
    do([images], model, tmp_path / "jsonl", form="jsonl")
    parts = sorted((tmp_path / "jsonl/parts").iterdir())
    rows = [json.loads(line) for part in parts for line in part.read_text().splitlines()]
    assert without_seconds(rows) == without_seconds(rows_of(tmp_path / "parquet"))


def write_tar(path: Path, count: int, *, broken: tuple[int, ...] = ()) -> Path:
    with tarfile.open(path, "w") as archive:
        for number in range(count):
            for ending, content in ((".jpg", b"none" if number in broken else jpeg(number)), (".cls", b"1")):
                info = tarfile.TarInfo(f"a/{number:03d}{ending}")
                info.size = len(content)
                archive.addfile(info, BytesIO(content))
    return path


def test_a_tar_shard_is_one_chunk(model, tmp_path):
    shard = write_tar(tmp_path / "s-000.tar", 6, broken=(2,))
    outcome = do([shard], model, tmp_path / "out")
    rows = rows_of(tmp_path / "out")
    assert [row["id"] for row in rows] == [f"{shard}/a/{number:03d}.jpg" for number in range(6)]
    assert [row["error"] is None for row in rows] == [True, True, False, True, True, True]
    assert (outcome.counts.planned, outcome.counts.missing, outcome.counts.twice, outcome.others) == (6, 0, 0, 6)
    assert do([shard], model, tmp_path / "out", retry=True).new == 1
    write_tar(shard, 7)
    with pytest.raises(DataError, match="has changed since it was planned"):
        do([shard], model, tmp_path / "out")


def test_a_tar_shard_that_is_cut_has_its_images_and_a_row_for_the_rest(model, tmp_path):
    shard = write_tar(tmp_path / "s.tar", 6)
    shard.write_bytes(shard.read_bytes()[:5000])
    do([shard], model, tmp_path / "out")
    rows = rows_of(tmp_path / "out")
    assert [row["id"] for row in rows if row["error"] is None] == [
        f"{shard}/a/{n:03d}.jpg" for n in range(len(rows) - 1)
    ]
    assert rows[-1]["id"] == str(shard)
    assert "damaged" in rows[-1]["error"]


def test_rows_of_parquet_are_images_by_bytes_or_path(model, tmp_path):
    images = write_images(tmp_path / "images", 9)
    contents = [path.read_bytes() for path in sorted(images.iterdir())]
    contents[4] = None
    whole = {"image": [{"bytes": one, "path": None} for one in contents], "image_id": [f"n{n}" for n in range(9)]}
    parquet.write_table(pyarrow.table(whole), tmp_path / "a.parquet", row_group_size=3)
    parquet.write_table(pyarrow.table({"photo": contents}), tmp_path / "b.parquet")
    parquet.write_table(pyarrow.table({"path": [f"images/{n:05d}.jpg" for n in range(9)]}), tmp_path / "c.parquet")
    for name, column, ids in (
        ("a", None, [f"n{n}" for n in range(9)]),
        ("b", "photo", [f"{tmp_path}/b.parquet/{n}" for n in range(9)]),
        ("c", None, [f"images/{n:05d}.jpg" for n in range(9)]),
    ):
        counts = do([tmp_path / f"{name}.parquet"], model, tmp_path / name, column=column).counts
        rows = rows_of(tmp_path / name)
        assert [row["id"] for row in rows] == ids
        assert (counts.rows, counts.missing, counts.twice, counts.errors) == (9, 0, 0, 0 if name == "c" else 1)
        assert rows[0]["detections"] == rows_of(tmp_path / "a")[0]["detections"]
        assert name == "c" or "no image" in rows[4]["error"]
    with pytest.raises(DataError, match="--column; there are photo"):
        do([tmp_path / "b.parquet"], model, tmp_path / "d")


def test_input_and_output_can_be_addresses(model, tmp_path):
    place = f"memory://{tmp_path.name}"
    store = open_store(f"{place}/in")
    for number in range(5):
        store.write(f"below/{number}.jpg", jpeg(number))
    store.write("list.txt", b"# two\nbelow/0.jpg\nbelow/gone.jpg\n")
    assert do([f"{place}/in"], model, f"{place}/out").counts.rows == 6 - 1
    assert do([f"{place}/in/below/*.jpg"], model, f"{place}/glob").counts.rows == 5
    assert do([f"{place}/in/list.txt"], model, f"{place}/list").counts.errors == 1
    assert do([f"{place}/in"], model, f"{place}/out").new == 0


def test_what_is_named_twice_or_is_no_image_is_told(model, tmp_path):
    images, notes = write_images(tmp_path / "images", 3), []
    (images / "notes.docx").write_bytes(b"words")
    assert do([images, images / "00001.jpg"], model, images / "out", notes=notes).counts.rows == 3
    assert any("named more than once" in line for line in notes)
    assert any("notes.docx" in line for line in notes)
    notes.clear()
    do([images, images / "00001.jpg"], model, images / "out", notes=notes)
    assert not any(".parquet" in line for line in notes)


def test_one_image_that_breaks_the_code_is_one_row(model, tmp_path):
    images = write_images(tmp_path / "images", 6)

    def select(predictions, selection):
        if any(abs(mean - worst) < 1e-9 for mean in predictions):
            raise ZeroDivisionError("unforeseen")
        return MeanColor.select(model.network, predictions, selection)

    from ssd300.images.read import read_image

    worst = float(read_image(images / "00002.jpg").mean()) / 255
    model.network.select = select
    assert do([images], model, tmp_path / "out").counts.errors == 1
    assert rows_of(tmp_path / "out")[2]["error"] == "ZeroDivisionError: unforeseen"
