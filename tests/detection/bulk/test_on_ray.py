"""The engine `ray` for real: its rows are those of the engine `local`, whatever is killed; and it joins a cluster."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from alone import Alone
from bulk_jobs import jpeg, rows_of, without_seconds, write_images

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="network namespaces are Linux's")]
SSD300 = (sys.executable, "-m", "ssd300")
COUNT, BROKEN = 60, (7, 31)
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
KILLER = """
import os, sys
def end(event, arguments):
    if event == "open" and str(arguments[0]).endswith("killer.jpg"):
        os._exit(9)
sys.addaudithook(end)
"""


@pytest.fixture
def alone() -> Iterator[Alone]:
    try:
        namespace = Alone()
    except OSError as error:
        pytest.skip(str(error))
    yield namespace
    namespace.close()


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Ray's files in a folder of their own, with a short name, as paths of sockets are short."""
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    yield os.environ | {"RAY_TMPDIR": folder, "OMP_NUM_THREADS": "1"}
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def weights(exported) -> Path:
    return exported["onnx"]


def words(images: Path, weights: Path, out: Path, *more: str) -> tuple[str, ...]:
    """A job; on Ray with the words `more`, else local."""
    engine = ("--engine", "ray", *more) if more else ()
    usual = ("--weights", str(weights), "--save", "parquet", "--chunk-images", "6", "--json", "--out", str(out))
    return (*SSD300, "detect", str(images), *usual, *engine)


def finish(command: list[str] | tuple[str, ...], environment: dict[str, str]) -> tuple[dict, str]:
    """What a command prints, and what it says."""
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout), ended.stderr


def has_counts(printed: dict, count: int, errors: int) -> bool:
    expected = {"planned": count, "rows": count, "missing": 0, "twice": 0, "errors": errors}
    return {name: printed[name] for name in expected} == expected


def wait_until(condition: Callable[[], bool], process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 100
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def wait_for_parts(out: Path, count: int, driver: subprocess.Popen) -> None:
    wait_until(lambda: len(list((out / "parts").glob("*.parquet"))) >= count, driver)


def test_rows_are_those_of_the_local_engine_also_of_images_that_break_or_kill(alone, environment, weights, tmp_path):
    images = write_images(tmp_path / "images", COUNT, broken=BROKEN)
    (images / "00020-killer.jpg").write_bytes(jpeg(1))
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook/sitecustomize.py").write_text(KILLER)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(tmp_path / "hook"))))
    local = words(images, weights, tmp_path / "local")
    assert subprocess.run(local, capture_output=True, env=environment).returncode == 9
    printed, _ = finish(local, environment)
    assert has_counts(printed, COUNT + 1, len(BROKEN) + 1)
    command = alone.command(*words(images, weights, tmp_path / "ray", "--actors", "2"))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as ray:
        wait_for_parts(tmp_path / "ray", 1, ray)
        listening = alone.addresses()
        printed, _ = ray.communicate(timeout=100)
    assert listening
    assert listening <= LOOPBACK
    assert has_counts(json.loads(printed), COUNT + 1, len(BROKEN) + 1)
    assert without_seconds(rows_of(tmp_path / "ray")) == without_seconds(rows_of(tmp_path / "local"))


def below(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def test_a_killed_actor_and_a_killed_driver_lose_no_row(alone, environment, weights, tmp_path):
    images, out = write_images(tmp_path / "images", 5 * COUNT, broken=BROKEN), tmp_path / "ray"
    finish(words(images, weights, tmp_path / "local"), environment)
    command = alone.command(*words(images, weights, out, "--actors", "2"))
    driver = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    wait_for_parts(out, 2, driver)
    actors = [one for one in below(driver.pid) if one.cmdline()[0].startswith("ray::_Actor")]
    assert actors
    actors[0].kill()
    wait_for_parts(out, 12, driver)
    left = below(driver.pid)
    driver.kill()
    driver.communicate()
    assert driver.returncode == -signal.SIGKILL
    for one in left:  # Ray's own agents stay
        if one.is_running():
            one.kill()
    printed, said = finish(command, environment)
    assert "resuming: " in said
    assert has_counts(printed, 5 * COUNT, len(BROKEN))
    assert without_seconds(rows_of(out)) == without_seconds(rows_of(tmp_path / "local"))


def test_a_job_joins_a_cluster_and_leaves_it_running(alone, environment, weights, light_run_of_session, tmp_path):
    images = write_images(tmp_path / "images", 12)
    environment |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "a" * 64}
    ray = Path(sys.executable).with_name("ray")
    head_command = alone.command(
        ray, "start", "--head", "--node-ip-address", "127.0.0.1", "--port", 6389, "--num-cpus", 4, "--block",
        "--include-dashboard", "false", "--disable-usage-stats",
    )  # fmt: skip
    head = subprocess.Popen(head_command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        wait_until(Path(environment["RAY_TMPDIR"], "ray/ray_current_cluster").is_file, head)
        for name, address in (("auto", "auto"), ("port", "127.0.0.1:6389")):
            command = words(images, weights, tmp_path / name, "--ray-address", address, "--actors", "1")
            printed, _ = finish(alone.command(*command), environment)
            assert has_counts(printed, 12, 0)
        command = words(images, light_run_of_session, tmp_path / "gpu", "--ray-address", "auto", "--device", "cuda")
        ended = subprocess.run(alone.command(*command), capture_output=True, text=True, env=environment)
        assert ended.returncode == 1
        assert "the cluster has no GPU" in ended.stderr
        assert head.poll() is None
    finally:
        left = below(head.pid)
        head.terminate()
        head.wait(30)
        for one in left:
            if one.is_running():
                one.kill()
