"""`ssd300 plan` on a light detector: the answers, what they rest on, and wrong numbers."""

import json
import re
import tarfile
from functools import partial

import pytest

from bulk_jobs import write_images
from ssd300.cli import main
from ssd300.cli.plan_summary import _percent
from ssd300.detection.bulk import trial

FAST = ["--seconds", "0.1", "--rounds", "2"]


@pytest.fixture
def words(light_run_of_session, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trial, "try_bookkeeping", partial(trial.try_bookkeeping, names=512))
    monkeypatch.setattr("ssd300.cli.plan.GENERATED", 2)
    write_images(tmp_path / "photos", 2)
    return ["plan", "--weights", str(light_run_of_session), *FAST]


@pytest.mark.slow
def test_the_json_says_where_each_number_comes_from(words, capsys):
    given = ["--images", "1e6", "--machines", "4", "--network", "1Gbit/s", "--price-per-hour", "0.5"]
    assert main([*words, "photos", *given, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["images"] == 1_000_000
    assert found["answers"]["machines"] == 4
    assert found["answers"]["price"] == pytest.approx(4 * found["answers"]["hours"] * 0.5)
    origins = {name: one["from"] for name, one in found["rests_on"].items()}
    assert origins["network"] == origins["price_per_hour"] == "given"
    assert origins["efficiency"] == origins["memory"] == "assumed"
    assert origins["images_per_second"] == origins["image_bytes"] == origins["count_part_reads"] == "measured"
    assert found["rests_on"]["network"]["value"] == 1e9
    assert found["rests_on"]["images_per_second"]["value"] == found["measurement"]["images_per_second"]
    assert found["breaks_first"] == max(found["limits"], key=lambda one: one["share"])


def test_the_table_has_the_answer_the_first_limit_and_the_origins(words, capsys):
    assert main([*words, "--images", "1e9", "--images-per-second", "20", "--hours", "240"]) == 0
    out, err = capsys.readouterr()
    assert "2 generated ones of 640 x 480" in err
    assert out.startswith("1,000,000,000 images, 192 images/s of a machine")  # 20 x 16 x 0.6
    assert "breaks first: " in out
    assert "to do: " in out
    assert "given: --images-per-second" in out
    assert "assumed: --image-bytes" in out
    assert "163 TB" in out
    assert "measured here" in out


@pytest.mark.slow
def test_the_trial_detects_as_detect_does_also_in_tar_files(words, tmp_path, capsys):
    with tarfile.open(tmp_path / "packed.tar", "w") as packed:
        packed.add(tmp_path / "photos", "photos")
    given = ["--images", "1e6", "--machines", "2", "--json"]

    def measured(*more):
        assert main([*words, *given, *more]) == 0
        found = json.loads(capsys.readouterr().out)["rests_on"]
        return found["image_bytes"], found["detections_per_image"]

    assert measured("packed.tar") == measured("photos")
    assert main(["detect", "photos", "--weights", words[2], "--out", "found"]) == 0
    rows = [json.loads(line) for line in (tmp_path / "found/detections.jsonl").read_text().splitlines()]
    capsys.readouterr()
    assert measured("photos")[1]["value"] == sum(len(row["detections"]) for row in rows) / len(rows)


def test_with_machines_given_counting_is_compared_with_detecting(words, capsys):
    slow = ["--images", "1e9", "--machines", "500", "--store-latency", "10", "--images-per-second", "1000"]
    assert main([*words, "photos", *slow]) == 0
    out = capsys.readouterr().out
    assert re.search(r"planning, counting beside detecting, [\d.]+ days, and [\d.]+ min of detecting \(\d", out), out


def test_shares_are_numbers_that_people_read():
    assert [_percent(share).strip() for share in (23.486, 1.0, 0.0958, 0.0063, 0.0001)] == [
        "2,349 %", "100 %", "9.6 %", "0.6 %", "< 0.1 %",
    ]  # fmt: skip


@pytest.mark.slow
def test_too_little_time_is_said(words, capsys):
    assert main([*words, "photos", "--images", "1e9", "--hours", "0.1"]) == 0
    assert "none are enough for 6 min" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (["--images", "0"], 2, ["--images is 0; it must be a whole number"]),
        (["--images", "-5"], 2, ["--images is -5"]),
        (["--images", "1.5"], 2, ["--images is 1.5"]),
        (["--images", "inf"], 2, ["--images is inf"]),
        (["--images", "1M"], 2, ["--images is 1M; it must be a number"]),
        ([], 2, ["plan needs --images"]),
        (["--images", "1e9", "--hours", "0"], 2, ["--hours is 0; it must be above 0"]),
        (["--images", "1e9", "--hours", "3", "--machines", "2"], 2, ["--hours and --machines exclude each other"]),
        (["--images", "1e9", "--machines", "0"], 2, ["--machines is 0"]),
        (["--images", "1e9", "--network", "10"], 2, ["--network: '10' is not a rate with its unit"]),
        (["--images", "1e9", "--memory", "64gb", "--image-bytes", "x"], 2, ["--memory: '64gb'", "--image-bytes: 'x'"]),
        (["--images", "1e9", "--memory=-1GB"], 2, ["--memory is -1e+09; it must be above 0"]),
        (["--images", "1e9", "--efficiency", "60"], 2, ["--efficiency is 60; it must be 1 or less"]),
        (
            ["--images", "1e9", "--chunk-images", "0", "--batch-size", "0"],
            2,
            ["--chunk-images is 0", "--batch-size is 0"],
        ),
        (["missing.jpg", "--images", "1e9"], 3, ["missing.jpg"]),
        (["s3://bucket/photos", "--images", "1e9"], 2, ["on images of this machine", "where: s3://bucket/photos"]),
    ],
)
def test_wrong_numbers_are_told_together_before_any_work(words, given, code, said, capsys):
    assert main([*words, *given]) == code
    err = capsys.readouterr().err
    assert all(text in err for text in said), err
    assert "measuring" not in err
    assert err.count("--images is") <= 1


def test_without_weights_the_command_to_type_is_said(words, capsys):
    assert main(["plan", "--images", "1e9"]) == 2
    assert "plan needs --weights" in capsys.readouterr().err
