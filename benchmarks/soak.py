"""`ssd300 serve` through very many requests on loopback: is its memory flat?

    python benchmarks/soak.py path/to/images --weights m.onnx [--requests 100000] [--workers 1] [--clients 8]

Requests in turn: good images as a body and as a form, several in one form, a drawn answer, truncated, empty and foreign
bodies, wrong options, the page and the health checks; on connections that are kept and on new ones; and uploads and
answers that the client breaks off. The memory of all the server's processes together (RSS) is noted as it goes. At the
end: the medians of its first and last tenth after a warm-up of a twentieth, and the slope of a line through all of it.
"""

import argparse
import http.client
import itertools
import socket
import statistics
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from served import JPEG, server, together
from ssd300.detection.sources import find_sources

IMAGES = 16
WARM_UP = 20  # the first twentieth is not judged
SAMPLES = 1000  # of the memory
TOLD = 50  # lines of progress
NEW_CONNECTION_EVERY = 50  # requests of a client
FORM = {"Content-Type": "multipart/form-data; boundary=soak"}
HEAD = b"POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing drops what is not sent and resets the connection

Asked = Callable[[http.client.HTTPConnection], str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", help="a folder of JPEG images, of which 16 are used")
    parser.add_argument("--weights", required=True, help="as for ssd300 serve")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--clients", type=int, default=8)
    options = parser.parse_args()
    bodies = [Path(str(one)).read_bytes() for one in find_sources([options.images])[:IMAGES]]
    with server(options.weights, "--workers", str(options.workers), log=keep_unusual) as (process, port):
        soak = Soak(process, port, kinds(bodies), options.requests)
        started = time.monotonic()
        together([soak.ask] * options.clients)
        soak.report(time.monotonic() - started)


class Soak:
    """Requests of several clients until there were `total`, and the server's memory meanwhile."""

    def __init__(self, process: psutil.Process, port: int, asked: Sequence[Asked], total: int) -> None:
        self._process, self._port, self._asked, self._total = process, port, asked, total
        self._numbers, self._lock = itertools.count(), threading.Lock()
        self._outcomes: Counter[str] = Counter()
        self._memory: list[tuple[int, float]] = []  # requests so far, and megabytes

    def ask(self) -> None:
        """A client: one request after another."""
        connection = self._connect()
        for made in itertools.count(1):
            number = next(self._numbers)
            if number >= self._total:
                return
            if made % NEW_CONNECTION_EVERY == 0:
                connection.close()
            try:
                outcome = self._asked[number % len(self._asked)](connection)
            except (OSError, http.client.HTTPException) as error:
                outcome = f"lost ({type(error).__name__})"
                connection.close()
            self._note(number, outcome)

    def report(self, seconds: float) -> None:
        print(f"{self._total:,} requests in {seconds / 60:.0f} min: {self._counts()}")
        judged = self._memory[len(self._memory) // WARM_UP :]
        tenth = max(len(judged) // 10, 1)
        first, last = (statistics.median(mb for _, mb in part) for part in (judged[:tenth], judged[-tenth:]))
        slope, _ = statistics.linear_regression(*zip(*judged, strict=True))
        highest = max(mb for _, mb in judged)
        print(f"memory: {first:.1f} MB in the first tenth, {last:.1f} MB in the last (medians), {highest:.1f} at most")
        print(f"slope: {1e5 * slope:+.1f} MB per 100,000 requests")

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)

    def _note(self, number: int, outcome: str) -> None:
        with self._lock:
            self._outcomes[outcome] += 1
            if number % max(self._total // SAMPLES, 1) == 0:
                self._memory.append((number, memory_mb(self._process)))
            if number % max(self._total // TOLD, 1) == 0:
                print(f"{number:7,} requests: {self._memory[-1][1]:.1f} MB; {self._counts()}", flush=True)

    def _counts(self) -> str:
        return ", ".join(f"{outcome}: {count:,}" for outcome, count in sorted(self._outcomes.items()))


def kinds(bodies: Sequence[bytes]) -> list[Asked]:
    """One request of each kind, and several good ones for each bad one."""
    one, some = bodies[0], b"".join(part(body) for body in bodies[:3])
    good = [asked("POST", "/v1/detect", body, JPEG) for body in bodies[:12]]
    forms = [asked("POST", "/v1/detect?min_score=0.5", part(body) + b"--soak--\r\n", FORM) for body in bodies[12:16]]
    others = [
        asked("POST", "/v1/detect", some + b"--soak--\r\n", FORM),
        asked("POST", "/v1/detect", one, JPEG | {"Accept": "image/png"}),
        asked("POST", "/v1/detect", one[: len(one) // 3], JPEG),
        asked("POST", "/v1/detect", b"", JPEG),
        asked("POST", "/v1/detect", b"%PDF-1.7 " * 1000, JPEG),
        asked("POST", "/v1/detect", some, FORM),  # a form without its end
        asked("POST", "/v1/detect?min_score=7", one, JPEG),
        asked("GET", "/v1/model"),
        asked("GET", "/"),
        asked("GET", "/nowhere"),
        asked("GET", "/metrics"),
        asked("GET", "/readyz"),
        broken_off(one, len(one) // 2),
        broken_off(one, len(one)),
    ]
    return [*good, *forms, *others]


def part(body: bytes) -> bytes:
    head = b'--soak\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    return head + body + b"\r\n"


def asked(method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Asked:
    def ask(connection: http.client.HTTPConnection) -> str:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        answer.read()
        return str(answer.status)

    return ask


def broken_off(body: bytes, sent: int) -> Asked:
    """An upload that ends early, or whose answer nobody waits for."""

    def ask(connection: http.client.HTTPConnection) -> str:
        with socket.create_connection((connection.host, connection.port)) as other:
            other.sendall(HEAD % len(body) + body[:sent])
            time.sleep(0.01)  # until the server has begun with it
            other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        return "broken off"

    return ask


def memory_mb(process: psutil.Process) -> float:
    """Of a server and of all its processes."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


def keep_unusual(line: str) -> None:
    """Show what the server logs beside its requests: nothing, if all is well."""
    if not line.startswith(("{", "API", "Ctrl-C")):
        print("log:", line, end="", flush=True)


if __name__ == "__main__":
    main()
