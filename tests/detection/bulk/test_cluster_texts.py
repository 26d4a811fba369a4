"""The texts for clusters in docs/scale.md: their form, and the command in them. No Kubernetes and no Slurm are here."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from ssd300.cli import main

TEXT = (Path(__file__).parents[3] / "docs/scale.md").read_text()


def block(language: str) -> str:
    """The text in that language that detects."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    (found,) = (text for text in blocks if "ssd300 detect" in text)
    return found


def check_pods(group: dict) -> None:
    assert set(group["rayStartParams"]) <= {"num-cpus"}
    assert all(isinstance(value, str) for value in group["rayStartParams"].values())
    (container,) = group["template"]["spec"]["containers"]
    assert set(container) == {"name", "image", "resources"}
    assert set(container["resources"]) == {"requests", "limits"}


def test_the_job_for_kuberay_has_the_fields_of_a_rayjob(tmp_path, capsys):
    job = yaml.safe_load(block("yaml"))
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    spec = job["spec"]
    assert set(spec) == {"entrypoint", "backoffLimit", "shutdownAfterJobFinishes", "rayClusterSpec"}
    cluster = spec["rayClusterSpec"]
    assert set(cluster) == {"headGroupSpec", "workerGroupSpecs"}
    check_pods(cluster["headGroupSpec"])
    (workers,) = cluster["workerGroupSpecs"]
    check_pods(workers)
    assert workers["minReplicas"] <= workers["replicas"] <= workers["maxReplicas"]
    check_words(shlex.split(spec["entrypoint"]), capsys)


def test_the_script_for_slurm_is_bash(capsys):
    script = block("bash")
    checked = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
    assert (checked.returncode, checked.stderr) == (0, "")
    command = script[script.index("ssd300 detect") :].replace("\\\n", " ").replace('"$address"', "10.0.0.1:6379")
    check_words(shlex.split(re.sub(r"\$\(\(.*?\)\)", "64", command)), capsys)


def check_words(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """All is accepted but what is not on this machine: the photos, the package for their address, and the weights."""
    assert words[0] == "ssd300"
    assert main(words[1:]) != 0
    error = capsys.readouterr().err
    found = set(re.findall("ssd300: error: (.*)", error))
    assert "there is no such weights file" in found
    assert found <= {"there is no such weights file", "there is no such file", "Install s3fs to access S3"}
    assert "model.onnx" in error
