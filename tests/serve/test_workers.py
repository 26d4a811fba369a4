"""Several processes are one server to its clients."""

import shutil
import signal
import socket
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from serving import HEAD, image_file, json_of, running
from ssd300.serve.private_folder import PREFIX
from ssd300.serve.protocol import BODY_AT_END_S

JPEG = image_file((300, 400))


@pytest.mark.slow
def test_several_processes_count_together_and_a_killed_one_is_replaced(exported):
    with running(exported["onnx"], "--workers", "2") as server:
        with ThreadPoolExecutor(8) as clients:
            assert {answer[0] for answer in clients.map(lambda _: server.detect(JPEG), range(40))} == {200}
        assert b"ssd300_images_total 40.0" in server.get("/metrics")[1]
        workers = _workers(server)
        assert len(workers) == 2
        workers[0].kill()
        deadline = time.monotonic() + 60
        while f"replaces {workers[0].pid}" not in "".join(server.log_lines):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert server.detect(JPEG)[0] == 200
        folders = list(Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))
        with socket.create_connection(server.host_port) as slow:
            slow.sendall(HEAD % 5000 + b"abc")
            server.wait_until_accepted()
            server.process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + BODY_AT_END_S
            while server.listens():  # so that no client waits for a server that ends
                assert time.monotonic() < deadline
                time.sleep(0.2)
            assert server.process.wait(timeout=60) == 0
    assert "Traceback" not in "".join(server.log_lines)
    assert folders
    assert not any(folder.exists() for folder in folders)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["replaced", "deleted"])
def test_what_is_loaded_serves_on_whatever_becomes_of_the_file(what, exported, tmp_path):
    weights = tmp_path / "m.onnx"
    shutil.copy(exported["onnx"], weights)
    with running(weights, "--workers", "2") as server:
        if what == "replaced":
            weights.write_bytes(b"another model")
        else:
            weights.unlink()
        workers = _workers(server)
        workers[0].kill()
        deadline = time.monotonic() + 90
        while f"replaces {workers[0].pid}" not in "".join(server.log_lines) or server.get("/readyz")[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        workers[1].kill()  # so that the replacement answers
        loaded = json_of(server.get("/v1/model"))["weights"]
        assert loaded["on_disk"] == {"replaced": "changed", "deleted": "missing"}[what]
        assert server.detect(JPEG)[0] == 200


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_server_leaves_neither_workers_nor_weights(exported):
    with running(exported["onnx"], "--workers", "2") as server:
        workers = _workers(server)
        before = set(Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))
        server.process.kill()
        assert not psutil.wait_procs(workers, timeout=30)[1]
        assert len(set(Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))) < len(before)


def _workers(server) -> list[psutil.Process]:
    children = psutil.Process(server.process.pid).children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
