"""Parts of detection in bulk: Parquet and JSON lines, in blocks, with what is wrong named by file and row."""

import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from data.predictions.test_read import assert_same_rows, read
from ssd300.data import load_dataset
from ssd300.data.predictions.parts import find_parts
from ssd300.data.predictions.read import read_predictions
from ssd300.data.predictions.rows import PredictionRows
from ssd300.errors import DataError
from ssd300.system.stores import open_store


@pytest.fixture
def data(coloured):
    return load_dataset(coloured)


def found(label="red", score=0.5, corners=(1.5, 2.0, 3.0, 4.0)):
    box = dict(zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True))
    return {"label": label, "label_id": 1, "score": score, "box": box}


def row(image, *detections, error=None, size=(160, 120)):
    width, height = (None, None) if error else size
    return {"id": image, "width": width, "height": height, "detections": list(detections), "error": error, "seconds": 1}


def write(folder, *parts, form="parquet"):
    """Each part a list of rows; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    corner = [(name, pa.float64()) for name in ("xmin", "ymin", "xmax", "ymax")]
    detection = pa.struct(
        [("label", pa.string()), ("label_id", pa.int32()), ("score", pa.float64()), ("box", pa.struct(corner))]
    )
    schema = pa.schema(
        [("id", pa.string()), ("width", pa.int32()), ("height", pa.int32()), ("detections", pa.list_(detection)),
         ("error", pa.string()), ("seconds", pa.float64())]
    )  # fmt: skip
    for number, rows in enumerate(parts):
        path = folder / f"part-{number}.{form}"
        if form == "parquet":
            parquet.write_table(pa.Table.from_pylist(rows, schema), path)
        else:
            path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    return folder


PARTS = (
    [row("p1.jpg", found(), found("blue", 0.25)), row("p0.jpg")],
    [row("x/p3.jpg", error="cut off"), row("p2.jpg", found(score=0.01))],
)


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_a_job_its_parts_and_one_file_are_the_same_rows(data, tmp_path, form):
    write(tmp_path / "job/parts", *PARTS, form=form)
    (tmp_path / "job/plan").mkdir()
    (tmp_path / "job/plan/chunk.jsonl").write_text('{"ids": []}\n')
    wanted = read(write(tmp_path / "one", [one for part in PARTS for one in part], form="jsonl"), data)
    for path in (tmp_path / "job", tmp_path / "job/parts"):
        stored = read(path, data)
        assert stored.format == form
        assert_same_rows(stored.table, wanted.table)
        assert stored.table.scores.tolist() == [0.5, 0.25, 0.01]  # the order of the parts
        assert any("1 image has an error" in note and "x/p3" not in note and "cut off" in note for note in stored.notes)
    assert len(read(tmp_path / f"job/parts/part-0.{form}", data).table) == 2


@pytest.fixture
def address(tmp_path):
    """An address in memory, with a function that copies a folder there."""
    place = f"memory://{tmp_path.name}"

    def put(folder):
        store = open_store(place)
        for file in sorted(one for one in folder.rglob("*") if one.is_file()):
            store.write(file.relative_to(folder).as_posix(), file.read_bytes())
        return place

    return put


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_at_an_address_a_job_its_parts_and_one_file_are_the_same_rows(data, tmp_path, address, form, monkeypatch):
    monkeypatch.setattr("ssd300.data.predictions.at_address.AT_ONCE", 100)
    write(tmp_path / "job/parts", *PARTS, form=form)
    (tmp_path / "job/plan").mkdir()
    (tmp_path / "job/plan/00000000.jsonl").write_text('{"ids": []}\n')
    wanted, place = read(tmp_path / "job", data), address(tmp_path / "job")
    for name in ("", "/", "/parts"):
        stored = read(place + name, data)
        assert stored.format == form
        assert_same_rows(stored.table, wanted.table)
        assert [note.replace(f"{place}/", f"{tmp_path / 'job'}/") for note in stored.notes] == list(wanted.notes)
    assert len(read(f"{place}/parts/part-0.{form}", data).table) == 2
    there, here = find_parts(place), find_parts(tmp_path / "job")
    assert there.most_detections == here.most_detections


def test_what_is_wrong_at_an_address_is_named_by_the_address(data, tmp_path, address):
    place = address(write(tmp_path / "job/parts", [row("p1.jpg", found("green"))]))
    with pytest.raises(DataError, match=r"the class 'green'") as raised:
        read(f"{place}/part-0.parquet", data)
    assert raised.value.where == f"{place}/part-0.parquet, row 1, detection 1"
    open_store(place).write("cut.parquet", b"PAR1")
    with pytest.raises(DataError, match="cannot be read as Parquet") as raised:
        read(f"{place}/cut.parquet", data)
    assert raised.value.where == f"{place}/cut.parquet"
    with pytest.raises(DataError, match="no such file"):
        read(f"{place}/none.parquet", data)
    with pytest.raises(DataError, match="there are no detections in Parquet or JSON lines"):
        read(f"{place}/nothing", data)
    open_store(place).write("other.jsonl", b"{}")
    with pytest.raises(DataError, match=r"predictions twice, cut\.parquet and other\.jsonl"):
        read(place, data)


def test_blocks_are_whole_images(data, tmp_path, monkeypatch):
    monkeypatch.setattr("ssd300.data.predictions.jsonl.BLOCK", 1)
    monkeypatch.setattr("ssd300.data.predictions.parquet.MOST_ROWS", 1)
    for form in ("parquet", "jsonl"):
        parts = find_parts(write(tmp_path / form, *PARTS, form=form))
        rows = PredictionRows(data.annotations, data.classes)
        blocks = [len(block) for block in parts.blocks(rows)]
        assert [count for count in blocks if count] == [2, 1]
        assert (rows.remarks.detections, rows.remarks.most_per_image, rows.remarks.failed) == (3, 2, 1)


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row("p9.jpg"), "'p9.jpg' is not in the data"),
        (row("p1.jpg"), "'p1.jpg' is at .*part-0.* already"),
        (row("p2.jpg", found("green")), "detection 1.*'green' is not one of blue, red"),
        (row("p2.jpg", found(), found(score=float("nan"))), "detection 2.*not finite"),
        (row("p2.jpg", size=(120, 160)), "for 120 x 160 pixels"),
        (row("", found()), "do not name their image"),
    ],
)
def test_a_bad_row_is_named_or_skipped(data, tmp_path, form, bad, message):
    folder = write(tmp_path, [row("p1.jpg", found())], [row("p0.jpg"), bad], form=form)
    with pytest.raises(DataError, match=rf"part-1\.{form}(, row |:)2.*{message}"):
        read(folder, data)
    stored = read_predictions(folder, data.annotations, data.classes, on_bad="skip")
    assert len(stored.table) == 1 + max(len(bad["detections"]) - 1, 0)
    assert any("1 row skipped" in note for note in stored.notes)


def test_other_columns_a_cut_off_file_and_two_formats(data, tmp_path):
    parquet.write_table(pa.table({"url": ["a"], "n": [1]}), tmp_path / "other.parquet")
    with pytest.raises(DataError, match="columns are url, n"):
        read(tmp_path / "other.parquet", data)
    folder = write(tmp_path / "cut", *PARTS)
    whole = (folder / "part-1.parquet").read_bytes()
    (folder / "part-1.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"part-1\.parquet: the file cannot be read as Parquet"):
        read(folder, data)
    with pytest.raises(DataError, match=r"predictions twice, part-0\.parquet and part-0\.jsonl"):
        read(write(write(tmp_path / "both", *PARTS), *PARTS, form="jsonl"), data)
