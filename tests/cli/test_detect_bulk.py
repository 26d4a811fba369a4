"""`ssd300 detect` as a job: what it refuses, before long work begins."""

import importlib.util
import socket

import pytest
import torch

from ssd300.cli import main


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
