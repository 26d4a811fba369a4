"""Several processes are one server to its clients."""

import signal
import socket
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from serving import HEAD, image_file, running
from ssd300.serve.protocol import BODY_AT_END_S

JPEG = image_file((300, 400))


@pytest.mark.slow
def test_several_processes_count_together_and_a_killed_one_is_replaced(exported):
    with running(exported["onnx"], "--workers", "2") as server:
        with ThreadPoolExecutor(8) as clients:
            assert {answer[0] for answer in clients.map(lambda _: server.detect(JPEG), range(40))} == {200}
        assert b"ssd300_images_total 40.0" in server.get("/metrics")[1]
        children = psutil.Process(server.process.pid).children()
        workers = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        assert len(workers) == 2
        workers[0].kill()
        deadline = time.monotonic() + 60
        while "replaces it" not in "".join(server.log_lines):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert server.detect(JPEG)[0] == 200
        folders = list(Path(tempfile.gettempdir()).glob("ssd300-counts-*"))
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
