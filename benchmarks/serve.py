"""`ssd300 serve` under load on loopback: requests per second, response times, lost requests, and memory.

    python benchmarks/serve.py path/to/images --weights m.onnx [--clients 64] [--seconds 30] [--soak 10000]

First the detector without a server, one image after another. Then the server in another process, with one client and
with many at once, each of which sends its next image when it has the response to the last one. Then the soak: many
requests with good, truncated and empty images in turn. Clients and server share the cores.
"""

import argparse
import http.client
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psutil

from ssd300.detection.detector import Detector
from ssd300.detection.network import detect
from ssd300.detection.sources import find_sources
from ssd300.images.read import decode_image

IMAGES = 32
SOAK_CLIENTS = 8
STEPS = 10  # of the soak; each prints a line
JPEG = {"Content-Type": "image/jpeg"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", help="a folder of JPEG images, of which 32 are used")
    parser.add_argument("--weights", required=True, help="as for ssd300 serve")
    parser.add_argument("--clients", type=int, default=64, help="clients at once, of the second load")
    parser.add_argument("--seconds", type=float, default=30, help="duration of each load")
    parser.add_argument("--soak", type=int, default=10_000, help="requests of the soak")
    options = parser.parse_args()
    bodies = [Path(str(one)).read_bytes() for one in find_sources([options.images])[:IMAGES]]

    bare, network_alone = bare_ms(options.weights, bodies)
    print(f"detector alone, one at a time: {bare:.1f} ms per image, {1e3 / bare:.1f} images/s")
    print(f"  its network alone: {network_alone:.1f} ms")
    with server(options.weights) as (process, port):
        for clients in (1, options.clients):
            times, lost = load(port, bodies, clients, options.seconds)
            rate = len(times) / options.seconds
            marks = statistics.quantiles(times, n=100)
            print(
                f"{clients} clients: {len(times)} requests, {lost} lost, {rate:.1f} images/s; "
                f"p50 {marks[49]:.0f} ms, p95 {marks[94]:.0f} ms, p99 {marks[98]:.0f} ms",
                flush=True,
            )
        for done, statuses in soak(port, bodies, options.soak):
            counts = ", ".join(f"{status}: {number}" for status, number in sorted(statuses.items()))
            print(f"{done:6} requests ({counts}): {process.memory_info().rss / 1e6:.0f} MB", flush=True)


def bare_ms(weights: str, bodies: Sequence[bytes]) -> tuple[float, float]:
    """Medians: of decoding, network and selection together, and of the network alone."""
    detector = Detector.load(weights)
    network, selection = detector.network, detector.selection()
    whole, alone = [], []
    for body in [bodies[0], *bodies]:
        start = time.perf_counter()
        detect(network, [decode_image(body, where="an image")], selection)
        whole.append(time.perf_counter() - start)
        prepared = network.prepare(decode_image(body, where="an image"))
        start = time.perf_counter()
        network.predict([prepared], selection)
        alone.append(time.perf_counter() - start)
    return 1e3 * statistics.median(whole[1:]), 1e3 * statistics.median(alone[1:])


@contextmanager
def server(weights: str) -> Iterator[tuple[psutil.Process, int]]:
    words = [sys.executable, "-m", "ssd300", "serve", "--weights", weights, "--port", "0", "--queue", "256"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        page = next(line for line in process.stderr if line.startswith("page "))
        threading.Thread(target=process.stderr.read, daemon=True).start()
        port = int(page.split()[1].rstrip("/").rpartition(":")[2])
        try:
            yield psutil.Process(process.pid), port
        finally:
            process.terminate()


def load(port: int, bodies: Sequence[bytes], clients: int, seconds: float) -> tuple[list[float], int]:
    """Milliseconds of each response, and the number of requests without detections in response."""
    times: list[float] = []
    lost = 0
    end = time.monotonic() + seconds

    def ask(first: int) -> None:
        nonlocal lost
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for number in count(first):
            if time.monotonic() > end:
                return
            start = time.perf_counter()
            try:
                status = post(connection, bodies[number % len(bodies)])
            except (OSError, http.client.HTTPException):
                status = 0
                connection.close()
            times.append(1e3 * (time.perf_counter() - start))
            lost += status != 200

    together([lambda first=first: ask(first) for first in range(clients)])
    return times, lost


def soak(port: int, bodies: Sequence[bytes], total: int) -> Iterator[tuple[int, dict[int, int]]]:
    """After each tenth of the requests: how many were made, and the number of responses of each status."""
    mixed = [bodies[0], *bodies, bodies[0][: len(bodies[0]) // 3], b""]
    statuses: dict[int, int] = {}
    numbers = iter(range(total))
    lock = threading.Lock()
    done = 0

    def ask(until: int) -> None:
        nonlocal done
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with lock:
                if done >= until:
                    return
                number = next(numbers)
                done += 1
            status = post(connection, mixed[number % len(mixed)])
            with lock:
                statuses[status] = statuses.get(status, 0) + 1

    for step in range(1, STEPS + 1):
        until = total * step // STEPS
        together([lambda until=until: ask(until)] * SOAK_CLIENTS)
        yield until, statuses


def post(connection: http.client.HTTPConnection, body: bytes) -> int:
    connection.request("POST", "/v1/detect", body=body, headers=JPEG)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def together(functions: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
