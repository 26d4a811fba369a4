"""The commands of docs/scale.md for several machines, as far as they can be checked without these."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from torch.distributed.run import parse_args

from ssd300.cli.app import app
from training.torchrun import torchrun

TEXT = (Path(__file__).parents[2] / "docs/scale.md").read_text()
SECTION = TEXT[TEXT.index("## Training on several machines") :]


def block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", SECTION, re.DOTALL)
    assert found is not None
    return found[1]


def commands() -> list[list[str]]:
    """The words behind `torchrun` of each command."""
    found = [shlex.split(one, comments=True) for one in re.split(r"(?m)^(?=torchrun)", block("sh")) if one]
    found.append(shlex.split(block("sbatch").partition("srun ")[2].replace("\\\n", " ").replace("$SLURM_NNODES", "2")))
    (_, job) = yaml.safe_load_all(block("yaml"))
    found.append(job["spec"]["template"]["spec"]["containers"][0]["command"])
    return [[word for word in words if word.strip()][1:] for words in found]


def test_the_file_for_slurm_is_a_script():
    assert subprocess.run(["bash", "-n"], input=block("sbatch"), text=True).returncode == 0


def test_the_file_for_kubernetes_has_a_service_that_finds_the_pods():
    service, job = yaml.safe_load_all(block("yaml"))
    assert service["spec"]["selector"]["job-name"] == job["metadata"]["name"]
    pod = job["spec"]["template"]["spec"]
    assert pod["subdomain"] == service["metadata"]["name"]
    (container,) = pod["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    host = f"{job['metadata']['name']}-0.{pod['subdomain']}:29500"
    options = parse_args(container["command"][1:])
    assert options.rdzv_endpoint == host
    assert int(options.nnodes) == job["spec"]["completions"] == job["spec"]["parallelism"]
    assert int(options.nproc_per_node) == container["resources"]["limits"]["nvidia.com/gpu"]


@pytest.mark.parametrize("number", range(4))
def test_torchrun_and_ssd300_know_the_options(number):
    options = parse_args(commands()[number])
    assert options.module
    assert options.training_script == "ssd300"
    assert options.max_restarts == 3
    verb, bound, unused, _ = app.parse_known_args(options.training_script_args)
    assert not unused
    assert bound.arguments["options"].sync_norms
    assert verb.__name__ == "train"


@pytest.mark.slow
def test_of_two_processes_one_prints_notes_and_errors(coloured, tmp_path):
    options = "--preset light --init none --steps 2 --batch-size 2 --amp off --workers 0 --image-size 64 --sync-norms"
    words = ["train", coloured, *options.split(), "--out", tmp_path / "run"]
    ended = torchrun(2, "-m", "ssd300", *words)
    assert ended.returncode == 0, ended.stderr
    for words_once in ("coloured: PASCAL VOC", "1 of 2 classes have no object", "step 2/2", "best mAP", "next:"):
        assert (ended.stdout + ended.stderr).count(words_once) == 1 + (words_once == "coloured: PASCAL VOC")
    image = coloured / "JPEGImages/p1.jpg"
    image.write_bytes(image.read_bytes()[:300])
    for wrong, message in (
        (["--stepz", "3"], "train has no option --stepz"),
        ([], "the output folder exists and is not empty"),
        (["--overwrite"], "the image cannot be read"),
    ):
        ended = torchrun(2, "-m", "ssd300", *words, *wrong)
        assert ended.returncode != 0
        assert ended.stderr.count(f"ssd300: error: {message}") == 1, ended.stderr
