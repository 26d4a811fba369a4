"""The whole of scripts/reproduce_voc.sh on real photos, with a few steps of the light model and without a network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts/reproduce_voc.sh"
# In place of the command: a download gives the sample; all else is done by the product.
COMMAND = """#!/bin/bash
echo "$*" >>"$LOG"
if [[ $1 == download ]]; then
    [[ $2 != voc ]] || ln -s "$SAMPLE" "$4/VOCdevkit"
    exit
fi
exec "$PYTHON" -m ssd300 "$@"
"""


@pytest.fixture
def reproduce(voc_sample, tmp_path):
    command = tmp_path / "ssd300"
    command.write_text(COMMAND)
    command.chmod(0o755)

    def run(**variables):
        options = "--model ssd300_efficientnet_lite0 --steps 2 --batch-size 2 --workers 0 --amp off"
        environment = {
            **os.environ, "SAMPLE": str(voc_sample), "PYTHON": sys.executable, "LOG": str(tmp_path / "log"),
            "SSD300": str(command), "ROOT": str(tmp_path / "voc"), "OPTIONS": options, **variables,
        }  # fmt: skip
        done = subprocess.run(["bash", str(SCRIPT)], env=environment, capture_output=True, text=True, timeout=300)
        verbs = (tmp_path / "log").read_text().splitlines()
        (tmp_path / "log").unlink()
        return done, verbs

    return run


@pytest.mark.slow
def test_every_part_runs_on_real_photos_and_a_second_time_goes_on(reproduce, tmp_path):
    done, lines = reproduce(INIT="imagenet")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in lines] == ["download", "check", "prepare", "train", "train", "eval"]
    assert "--preset paper --init imagenet --seed 0" in lines[-2]
    out = tmp_path / "voc"
    assert "time to finish" in (out / "forecast.txt").read_text()
    assert len((out / "lists/TRAIN_images.json").read_text()) > 100
    assert (out / "beside_the_paper.txt").read_text() in done.stdout
    rows = (out / "beside_the_paper.txt").read_text().splitlines()
    assert rows[0] == "VOC2007 test, AP in percent by voc07_11pt@0.5"
    assert rows[2].startswith("aeroplane")
    assert rows[2].split()[2] == "75.5"
    assert rows[-1] == "measured on 18 images; VOC2007 test has 4952: not comparable"
    done, lines = reproduce(INIT="imagenet")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in lines] == ["train", "eval"]
    assert lines[0].endswith("--resume")


@pytest.mark.slow
def test_a_named_start_is_downloaded_and_a_devkit_that_is_there_is_used(reproduce, voc_sample, tmp_path):
    done, lines = reproduce(VOCDEVKIT=str(voc_sample), SSD300=f"{tmp_path / 'ssd300'}", OPTIONS="--stepz 1")
    assert done.returncode == 2  # after the check and the lists; nothing is trained or evaluated
    assert [line.split()[0] for line in lines] == ["download", "check", "prepare", "train"]
    assert lines[0] == "download vgg16_features"
    assert "--stepz" in done.stderr
