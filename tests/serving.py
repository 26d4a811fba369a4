"""Servers for the tests, in this process and in one of their own; all on loopback, ended by the test."""

import io
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PIL import Image
from starlette.testclient import TestClient

from ssd300.serve import ServeSettings, make_app

STARTS_WITHIN_S = 90
AS_JPEG = {"Content-Type": "image/jpeg"}
HEAD = b"POST /v1/detect HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"


def image_file(size_hw=(90, 120), form="JPEG", seed=0) -> bytes:
    """An image of noise, in which an untrained network detects many objects."""
    pixels = np.random.default_rng(seed).integers(0, 255, (*size_hw, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format=form)
    return file.getvalue()


JPEG = image_file()


def as_form(*files: bytes):
    """The files as parts of a form, named p0.jpg, p1.jpg and so on."""
    return [("file", (f"p{number}.jpg", content, "image/jpeg")) for number, content in enumerate(files)]


@contextmanager
def client_of(detector, *, model=None, **settings) -> Iterator[TestClient]:
    app = make_app(detector, ServeSettings(**settings), model=model)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@dataclass
class Running:
    """`ssd300 serve` in a process of its own."""

    process: subprocess.Popen
    address: str
    log_lines: list[str]

    @property
    def host_port(self) -> tuple[str, int]:
        host, port = self.address.removeprefix("http://").partition("/")[0].split(":")
        return host, int(port)

    def get(self, path: str):
        return self.ask(urllib.request.Request(self.address + path))

    def detect(self, body: bytes, content_type="image/jpeg", query=""):
        headers = {"Content-Type": content_type}
        return self.ask(urllib.request.Request(f"{self.address}/v1/detect{query}", data=body, headers=headers))

    @staticmethod
    def ask(request):
        """Status and body."""
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def wait_until_accepted(self) -> None:
        """Wait until an image has its place in the queue, which it gets before its body is read."""
        deadline = time.monotonic() + 10
        while b"ssd300_queue 1.0" not in self.get("/metrics")[1]:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def listens(self) -> bool:
        try:
            socket.create_connection(self.host_port).close()
        except ConnectionRefusedError:
            return False
        return True


@contextmanager
def running(weights, *more: str) -> Iterator[Running]:
    """The server, ready."""
    with started(["serve", "--weights", str(weights), *map(str, more)], ready="/readyz") as server:
        yield server


@contextmanager
def started(verb: list[str], *, ready: str) -> Iterator[Running]:
    """A verb that serves a page, once the address `ready` answers with 200.

    Its log is read all the time: a full pipe would block it.
    """
    words = [sys.executable, "-m", "ssd300", *verb, *([] if "--port" in verb else ["--port", "0"])]
    log_lines: list[str] = []
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        reader = threading.Thread(target=lambda: log_lines.extend(iter(process.stderr.readline, "")))
        reader.start()
        try:
            deadline = time.monotonic() + STARTS_WITHIN_S
            while not (pages := [line for line in log_lines if line.startswith("page ")]):
                assert process.poll() is None, "".join(log_lines)
                assert time.monotonic() < deadline, "".join(log_lines)
                time.sleep(0.02)
            server = Running(process=process, address=pages[0].split()[1].rstrip("/"), log_lines=log_lines)
            while server.get(ready)[0] != 200:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=60)
            reader.join()


def json_of(answer) -> dict:
    return json.loads(answer[1])
