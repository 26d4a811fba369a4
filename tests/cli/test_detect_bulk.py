"""`ssd300 detect` as a job: what it refuses, before long work begins, and its exit codes."""

import importlib.util
import json
import signal
import socket
import tarfile

import pyarrow.parquet as parquet
import pytest
import torch

from bulk_jobs import rows_of, write_images
from mean_color import MeanColor
from ssd300.cli import main
from ssd300.detection.bulk import worker


@pytest.fixture
def words(coloured, light_run, tmp_path):
    return ["detect", str(coloured / "JPEGImages"), "-w", str(light_run), "--out", str(tmp_path / "out")]


ON_RAY = ("--engine", "ray")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--actors", "2"), "--actors: for jobs on millions of images"),
        (("--save", "parquet", "--actors", "2"), "--actors: for --engine ray. Add --engine ray"),
        (("--save", "parquet", "--ray-address", "auto"), "--ray-address: for --engine ray"),
        ((*ON_RAY, "--actors", "0"), "--actors is 0; it must be 1 or more"),
        ((*ON_RAY, "--actors", "two"), "--actors"),
        ((*ON_RAY, "--chunk-images", "0"), "--chunk-images is 0; it must be 1 or more"),
        ((*ON_RAY, "--ray-address", "here"), "no address of a Ray cluster"),
        ((*ON_RAY, "--ray-address", "ray://head:10001"), "auto on a node of the cluster, or HOST:PORT"),
        ((*ON_RAY, "--ray-address", "http://head:8265"), "no address of a Ray cluster"),
        ((*ON_RAY, "--save", "image"), "--save image is not for a job"),
        ((*ON_RAY, "--save", "parquet", "jsonl"), "a job writes one format"),
        ((*ON_RAY, "--engine", "spark"), "--engine"),
        (("--save", "jsonl", "--chunk-images", "16"), "Add --save parquet (a job of this process writes Parquet)"),
    ],
)
def test_wrong_options_are_refused(options, message, words, tmp_path, capsys):
    assert main([*words, *options]) == 2
    assert message in " ".join(capsys.readouterr().err.split()).replace(" to do:", ".")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused(words, tmp_path, capsys):
    assert main([*words, *ON_RAY, "--device", "cuda"]) == 2
    assert "cuda" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_ray_that_is_not_installed_is_named_at_once(words, tmp_path, capsys, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "ray" else real(name, *more))
    assert main([*words, *ON_RAY]) == 2
    assert '".[ray]"' in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_address_where_nobody_answers_is_told_before_the_plan(words, tmp_path, capsys):
    with socket.socket() as bound:  # and does not listen
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        assert main([*words, *ON_RAY, "--ray-address", address]) == 1
    error = capsys.readouterr().err
    assert "no Ray cluster answers" in error
    assert "ray start --head" in error
    assert not (tmp_path / "out").exists()


@pytest.fixture
def job(light_run, tmp_path, monkeypatch):
    """Runs a job with a network that is quick, and returns the exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ssd300.cli.detect_bulk.load", lambda *_, **__: MeanColor())

    def run(*words) -> int:
        return main(["detect", *map(str, words), "-w", str(light_run), "--save", "parquet", "--chunk-images", "4"])

    return run


def test_a_job_whose_images_all_have_a_row_ends_with_0(job, tmp_path, capsys):
    write_images(tmp_path / "images", 6, broken=(1, 2))
    for _ in range(2):
        assert job("images", "--out", "out") == 0
        assert "6 rows, missing 0, twice 0, 2 with an error" in capsys.readouterr().out
    assert json.loads((tmp_path / "out/manifest.json").read_text())["counts"]["errors"] == 2


def test_a_job_that_lacks_rows_ends_with_1_and_names_the_part(job, tmp_path, capsys):
    write_images(tmp_path / "images", 6)
    job("images", "--out", "out")
    part = tmp_path / "out/parts/00000001.parquet"
    parquet.write_table(parquet.read_table(part).slice(0, 1), part)
    assert job("images", "--out", "out") == 1
    error = capsys.readouterr().err
    assert "1 image has no row" in error
    assert "Delete out/parts/00000001.parquet, which has too few rows" in error
    part.unlink()
    assert job("images", "--out", "out") == 0
    assert len(rows_of(tmp_path / "out")) == 6


def test_a_job_with_other_settings_ends_with_2(job, tmp_path):
    write_images(tmp_path / "images", 1)
    job("images", "--out", "out")
    assert job("images", "--out", "out", "--top-k", "7") == 2
    assert job("images", "--out", "out/manifest.json") == 2


def test_a_job_that_lost_images_of_a_tar_or_read_none_ends_with_3(job, tmp_path, capsys):
    write_images(tmp_path / "images", 6)
    with tarfile.open("s.tar", "w") as archive:
        archive.add("images")
    whole = (tmp_path / "s.tar").read_bytes()
    (tmp_path / "s.tar").write_bytes(whole[:6000])
    assert job("s.tar", "--out", "cut") == 3
    shown = capsys.readouterr()
    assert "missing 0, twice 0, 1 with an error" in shown.out
    assert "1 tar file is damaged: the images behind the damage are not in the job. The first: s.tar" in shown.err
    assert "tries these images again" not in shown.err
    assert json.loads((tmp_path / "cut/manifest.json").read_text())["counts"]["damaged"] == 1
    (tmp_path / "s.tar").write_bytes(whole)
    assert job("s.tar", "--out", "cut") == 3
    assert "Add --retry-errors" in capsys.readouterr().err
    assert job("s.tar", "--out", "cut", "--retry-errors") == 0
    assert job("s.tar", "--out", "cut") == 0
    write_images(tmp_path / "broken", 2, broken=(0, 1))
    assert job("broken", "--out", "none") == 3
    assert job("imagse", "--out", "typo") == 3
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_job_with_its_code_and_says_what_is_done(number, code, job, tmp_path, capsys, monkeypatch):
    write_images(tmp_path / "images", 10)
    real, parts = worker.encoded, []

    def stop(rows, form):
        if parts:
            signal.raise_signal(number)
        parts.append(form)
        return real(rows, form)

    monkeypatch.setattr(worker, "encoded", stop)
    assert job("images", "--out", "out", "--overwrite") == code
    error = capsys.readouterr().err
    assert "4 of 10 images are done; the same command, without --overwrite, goes on with the others" in error
    monkeypatch.setattr(worker, "encoded", real)
    assert job("images", "--out", "out") == 0


def test_parquet_files_and_addresses_need_a_job(light_run, tmp_path, capsys):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    for source in (str(tmp_path / "a.parquet"), f"memory://{tmp_path.name}/in"):
        for more in ([], ["--save", "jsonl"]):
            assert main(["detect", source, "-w", str(light_run), "--out", str(tmp_path / "out"), *more]) == 2
            assert "Add --save parquet, which makes it a job." in capsys.readouterr().err
