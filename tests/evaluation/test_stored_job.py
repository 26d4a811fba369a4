"""Jobs of detection in bulk as stored predictions: only whole ones are scored; rows of other splits are left out."""

import json
from pathlib import Path, PureWindowsPath

import pytest

from bulk_jobs import write_images
from mean_color import MeanColor
from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.data.predictions.origin import Origin, OtherSplits
from ssd300.data.predictions.read import read_predictions
from ssd300.detection.bulk.run import BulkOptions, Model, detect_in_bulk
from ssd300.detection.bulk.work import Work
from ssd300.errors import DataError
from ssd300.evaluation import in_blocks, stored
from ssd300.system.stores import open_store
from ssd300.types import Selection


def job_of(*sources: Path | str, out: Path | str, form: str = "parquet", **selection) -> None:
    weights = Path(sources[0]).parent / "made-up.safetensors"
    weights.write_bytes(b"weights")
    limits = {"min_score": 0.01, "max_overlap": 0.5, "top_k": 200} | selection
    work = Work(
        out=str(out), base=str(Path.cwd()), form=form, selection=Selection(**limits), suppress=frozenset(),
        batch_size=2,
    )  # fmt: skip
    model = Model(weights=str(weights), network=MeanColor(), load=MeanColor, device="cpu")
    detect_in_bulk(list(map(str, sources)), model, work, BulkOptions(chunk_images=2))


@pytest.fixture
def job(coloured, tmp_path) -> Path:
    """A job on the images of all splits: p0 to p3 are trainval, p4 is test."""
    job_of(coloured / "JPEGImages", out=tmp_path / "job")
    return tmp_path / "job"


def set_manifest(job: Path, **more) -> None:
    file = job / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | more))


def test_rows_of_other_splits_are_left_out_and_counted(coloured, job, capsys):
    words = ["eval", str(coloured), "--predictions", str(job)]
    assert main(words) == 0
    shown = capsys.readouterr()
    assert "4 rows are of images in other splits of the data, and left out: trainval 4" in shown.err
    assert "on 1 image\n" in shown.out
    assert "no detection" not in shown.err
    assert main([*words, "--split", "trainval"]) == 0
    assert "1 row is of an image in other splits of the data, and left out: test 1" in capsys.readouterr().err


def test_an_image_that_no_split_has_is_an_error(coloured, tmp_path, capsys):
    write_images(coloured / "JPEGImages", 1, first=77)
    job_of(coloured / "JPEGImages", out=tmp_path / "job")
    words = ["eval", str(coloured), "--predictions", str(tmp_path / "job")]
    assert main(words) == 3
    assert "00077.jpg' is not in the data" in capsys.readouterr().err
    assert main([*words, "--on-bad-prediction", "skip"]) == 0
    error = capsys.readouterr().err
    assert "1 row skipped" in error
    assert "trainval 4" in error


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
@pytest.mark.parametrize("in_parts", [False, True], ids=["whole", "blocks"])
def test_an_unfinished_job_is_not_scored(form, in_parts, coloured, tmp_path, capsys, monkeypatch):
    job_of(coloured / "JPEGImages", out=tmp_path / "job", form=form)
    if in_parts:
        monkeypatch.setattr(stored, "SMALL", 0)
    monkeypatch.setattr(in_blocks, "SHARE", 0)
    job = tmp_path / "job"
    words = ["eval", str(coloured), "--predictions", str(job)]
    (job / f"parts/00000002.{form}").unlink()  # the one image of the test split
    for finished, what in ((False, "the job is not finished"), (True, "parts of the job are missing")):
        set_manifest(job, finished=finished)
        for place in (job, job / "parts"):
            assert main([*words[:-1], str(place)]) == 3
            error = capsys.readouterr().err
            assert f"{what}: 4 of 5 images have a row" in error
            assert "Run its command again" in error
        assert main([*words, "--on-bad-prediction", "skip"]) == 0
        error = capsys.readouterr().err
        assert f"SCORED ALL THE SAME, though {what}: 4 of 5 images have a row" in error
        assert main([*words, "--split", "trainval", "--on-bad-prediction", "skip"]) == 0
        assert "no row" not in capsys.readouterr().err


def test_a_job_without_parts_or_with_shorter_ones_is_told(coloured, job, capsys):
    words = ["eval", str(coloured), "--predictions", str(job)]
    first, second = job / "parts/00000000.parquet", job / "parts/00000001.parquet"
    whole = second.read_bytes()
    second.write_bytes((job / "parts/00000002.parquet").read_bytes())  # one row, and that twice
    assert main(words) == 3
    assert "is at" in capsys.readouterr().err
    assert main([*words, "--on-bad-prediction", "skip"]) == 0
    assert "1 row skipped" in capsys.readouterr().err
    second.write_bytes(whole)
    set_manifest(job, counts={"rows": 6})
    assert main(words) == 3
    assert "the job was finished with 6 rows, and its parts have 5" in capsys.readouterr().err
    for part in (first.parent).iterdir():
        part.unlink()
    for more in ([], ["--on-bad-prediction", "skip"]):
        assert main([*words, *more]) == 3
        assert "the job has no part yet" in capsys.readouterr().err


def test_a_job_with_a_damaged_tar_is_told(coloured, job, capsys):
    set_manifest(job, counts={"rows": 5, "damaged": 1})
    words = ["eval", str(coloured), "--predictions", str(job)]
    assert main(words) == 3
    assert "1 tar file of the job is damaged, and images in it have no row" in capsys.readouterr().err
    assert main([*words, "--on-bad-prediction", "skip"]) == 0


def test_a_job_at_an_address_is_checked_too(coloured, job, tmp_path, capsys):
    store = open_store(f"memory://{tmp_path.name}/job")
    for path in job.rglob("*.*"):
        if path.is_file():
            store.write(path.relative_to(job).as_posix(), path.read_bytes())
    words = ["eval", str(coloured), "--predictions", f"memory://{tmp_path.name}/job"]
    assert main(words) == 0
    store.remove("parts/00000001.parquet")
    for place in (words[-1], f"{words[-1]}/parts/"):
        assert main([*words[:-1], place]) == 3
        assert "3 of 5 images have a row" in capsys.readouterr().err


def test_images_without_a_row_are_told_apart_from_images_without_detections(coloured, tmp_path):
    data = load_dataset(coloured)
    rows = [{"image": f"p{n}", "detections": []} for n in (0, 1)]
    rows[0]["detections"] = [{"label": "red", "score": 0.01, "box": {"xmin": 1, "ymin": 1, "xmax": 9, "ymax": 9}}]
    file = tmp_path / "detections.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    notes = read_predictions(file, data.annotations, data.classes).notes
    assert notes == (
        "2 of 4 images have no row in the predictions, and count as without detections",
        "1 of 4 images have a row and no detection",
    )


def write_scores(file: Path, counts: list[int]) -> Path:
    found = {"label": "red", "score": 0.502, "box": {"xmin": 1, "ymin": 1, "xmax": 9, "ymax": 9}}
    rows = [{"image": f"p{number}", "detections": [found] * count} for number, count in enumerate(counts)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.mark.parametrize(
    ("counts", "origin", "note"),
    [
        ([1, 2, 3, 4], Origin(), "store them, as `ssd300 detect --min-score 0.01` does"),
        ([1, 5, 5, 5], Origin(), "3 images have 5 detections, the most: others may have been cut by their number or"),
        ([1, 5, 5, 5], Origin(lowest_min_score=0.5, top_k=200), "as `ssd300 detect --min-score 0.01` does"),
        (
            [1, 2, 5, 5],
            Origin(lowest_min_score=0.01, top_k=5),
            "the best 5 of each image were kept, and 2 images have so many; a higher `ssd300 detect --top-k` stores",
        ),
        ([1, 2, 3, 4], Origin(lowest_min_score=0.01, top_k=5), "though all above 0.01 were kept"),
    ],
)
def test_what_cut_the_scores_is_told_as_far_as_it_is_known(coloured, tmp_path, counts, origin, note):
    data = load_dataset(coloured)
    file = write_scores(tmp_path / "detections.jsonl", counts)
    (last,) = read_predictions(file, data.annotations, data.classes, origin=origin).notes
    assert last.startswith("no score is below 0.502")
    assert note in last


def test_the_manifest_tells_what_cut_the_scores(coloured, tmp_path, capsys):
    job_of(coloured / "JPEGImages", out=tmp_path / "job", top_k=1)
    assert main(["eval", str(coloured), "--predictions", str(tmp_path / "job"), "--split", "trainval"]) == 0
    assert "the best 1 of each image were kept" in capsys.readouterr().err


def test_rows_that_are_all_of_another_split_are_an_error(coloured, job, capsys):
    words = ["eval", str(coloured), "--predictions", str(job / "parts/00000000.parquet")]
    assert main(words) == 3
    error = capsys.readouterr().err
    assert "no row is of an image in this split; rows in other splits: trainval 2" in error
    assert "Name the split with --split." in error
    assert main([*words, "--on-bad-prediction", "skip"]) == 0
    assert "1 of 1 images have no row in the predictions" in capsys.readouterr().err


def test_shards_of_other_splits_are_left_out(coloured, tmp_path, capsys):
    shards = tmp_path / "shards"
    assert main(["shard", str(coloured), "--out", str(shards)]) == 0
    job_of(shards, out=tmp_path / "job")
    capsys.readouterr()
    assert main(["eval", str(shards), "--predictions", str(tmp_path / "job")]) == 0
    assert "4 rows are of images in other splits of the data, and left out: trainval 4" in capsys.readouterr().err


def test_the_image_that_shares_more_of_the_path_counts():
    others = OtherSplits([("/d/images/train/1.jpg", "train"), ("images/val/1.jpg", "val"), ("2", "val")])
    assert others.split_of(PureWindowsPath("images/val/1.png")) == (2, "val")
    assert others.split_of(PureWindowsPath("c:\\d\\images\\train\\1.jpg")) == (3, "train")
    assert others.split_of(PureWindowsPath("x/2.jpg")) == (0, "val")
    assert others.split_of(PureWindowsPath("x/3.jpg")) is None


def test_the_same_file_name_in_several_splits_is_told_apart_by_its_folder(tmp_path):
    yolo = tmp_path / "yolo"
    for number, split in enumerate(("train", "test")):
        write_images(yolo / "images" / split, 2)
        (yolo / "labels" / split).mkdir(parents=True)
        for image in range(2):
            (yolo / "labels" / split / f"{image:05d}.txt").write_text(f"{number} 0.5 0.5 0.5 0.5\n")
    (yolo / "data.yaml").write_text("train: images/train\ntest: images/test\nnames: [blue, red]\n")
    job_of(yolo / "images", out=tmp_path / "job")
    assert main(["eval", str(yolo), "--predictions", str(tmp_path / "job"), "--json"]) == 0
    with pytest.raises(DataError, match="is at"):  # without the other splits a row takes the place of another
        stored.evaluate_stored(tmp_path / "job", load_dataset(yolo, purpose="test"))
