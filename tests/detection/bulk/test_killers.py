"""Images that kill the process that reads them: a row with an error each, at the second start."""

import json
import multiprocessing
import os
import tarfile
from functools import partial
from io import BytesIO
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet
import pytest
from PIL import Image

from bulk_jobs import jpeg, rows_of, without_seconds
from mean_color import MeanColor, do, load_with_a_reader_that_kills, refuse
from ssd300.errors import RunError, WeightsError

COUNT = 8  # the first six in one chunk
KILLERS = (1, 5)
WHY = "it killed the process that read it. Leave it out, or try it again with more memory and --retry-errors."


def black() -> bytes:
    file = BytesIO()
    Image.new("RGB", (32, 24)).save(file, "JPEG")
    return file.getvalue()


CONTENTS = [black() if number in KILLERS else jpeg(number) for number in range(COUNT)]


def folder_of(root: Path) -> Path:
    (root / "images").mkdir()
    for number, content in enumerate(CONTENTS):
        (root / f"images/{number}.jpg").write_bytes(content)
    return root / "images"


def tar_of(root: Path) -> Path:
    with tarfile.open(root / "s.tar", "w") as archive:
        for number, content in enumerate(CONTENTS):
            info = tarfile.TarInfo(f"{number}.jpg")
            info.size = len(content)
            archive.addfile(info, BytesIO(content))
    return root / "s.tar"


def parquet_of(root: Path) -> Path:
    parquet.write_table(pyarrow.table({"image": CONTENTS}), root / "s.parquet", row_group_size=3)
    return root / "s.parquet"


def killed(*arguments, **more) -> int:
    """The exit code of a process that does the job."""
    process = multiprocessing.get_context("spawn").Process(target=do, args=arguments, kwargs=more)
    process.start()
    process.join()
    return process.exitcode


@pytest.mark.slow  # 5 s each: nine processes are started
@pytest.mark.parametrize("source_of", [folder_of, tar_of, parquet_of])
def test_images_that_kill_are_rows_at_the_second_start(source_of, tmp_path):
    source, out, weights = source_of(tmp_path), tmp_path / "out", tmp_path / "w.safetensors"
    do(source, tmp_path / "usual", weights, network=MeanColor)
    assert killed(source, out, weights) == 9
    assert [path.name for path in (out / "begun").iterdir()] == ["00000000.json"]
    counts = do(source, out, weights).counts
    assert (counts.planned, counts.rows, counts.missing, counts.twice, counts.errors) == (COUNT, COUNT, 0, 0, 2)
    assert sorted(path.name for path in out.iterdir()) == ["manifest.json", "parts", "plan"]
    rows, usual = rows_of(out), rows_of(tmp_path / "usual")
    assert [rows[number]["error"] for number in KILLERS] == [WHY, WHY]
    assert [row["id"] for row in rows] == [row["id"] for row in usual]
    well = [number for number in range(COUNT) if number not in KILLERS]
    assert without_seconds([rows[n] for n in well]) == without_seconds([usual[n] for n in well])


def marked(out: Path, deaths: dict[int, int], place: int | None) -> None:
    (out / "begun").mkdir(parents=True)
    (out / "begun/00000000.json").write_text(json.dumps({"deaths": deaths, "place": place}))
    (out / "parts/00000000.parquet").unlink()


def test_an_image_at_which_processes_ended_twice_is_not_read_again(tmp_path):
    source, out, weights = folder_of(tmp_path), tmp_path / "out", tmp_path / "w.safetensors"
    do(source, out, weights, network=MeanColor, load=MeanColor)
    marked(out, {3: 1, 2: 1}, 3)
    do(source, out, weights, network=MeanColor, load=MeanColor)
    assert [row["id"] for row in rows_of(out) if row["error"]] == [str(source / "3.jpg")]


def test_what_lies_behind_a_place_of_a_shard_that_kills_is_lost_by_name(tmp_path):
    source, out, weights = parquet_of(tmp_path), tmp_path / "out", tmp_path / "w.safetensors"
    do(source, out, weights, network=MeanColor, load=MeanColor)
    marked(out, {4: 2}, 4)
    counts = do(source, out, weights, network=MeanColor, load=MeanColor).counts
    assert (counts.rows, counts.missing, counts.twice) == (COUNT, 0, 0)
    assert [row["error"] for row in rows_of(out)] == [None] * 4 + [WHY] * 2 + [None] * 2


@pytest.mark.slow  # 4 s
def test_a_shard_whose_reading_kills_has_the_rows_before_it(tmp_path):
    source, out, weights = tar_of(tmp_path), tmp_path / "out", tmp_path / "w.safetensors"
    do(source, out, weights, network=MeanColor, load=MeanColor)
    marked(out, {}, None)
    do(source, out, weights, network=MeanColor, load=load_with_a_reader_that_kills)
    rows = rows_of(out)
    assert [(row["id"], row["error"]) for row in rows] == [
        *((f"{source}/{number}.jpg", None) for number in range(4)),
        (str(source), WHY),
    ]


@pytest.mark.parametrize(
    ("load", "error"),
    [
        pytest.param(partial(os._exit, 9), RunError("the process that reads images ended"), marks=pytest.mark.slow),
        (refuse, WeightsError("the weights are gone")),
    ],
)
def test_weights_that_cannot_be_loaded_stop_the_job(load, error, tmp_path):
    source, out, weights = folder_of(tmp_path), tmp_path / "out", tmp_path / "w.safetensors"
    do(source, out, weights, network=MeanColor, load=MeanColor)
    marked(out, {}, None)
    with pytest.raises(type(error), match=str(error)):
        do(source, out, weights, load=load)
