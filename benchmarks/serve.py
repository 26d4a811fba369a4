"""`ssd300 serve` under load on loopback: requests per second, response times, lost requests, and memory.

    python benchmarks/serve.py path/to/images --weights m.onnx [--clients 64] [--seconds 30]

First the detector without a server, one image after another. Then the server in another process, with one client and
with many at once, each of which sends its next image when it has the response to the last one. Clients and server share
the cores. `soak.py` is about many requests, and bad ones.
"""

import argparse
import http.client
import statistics
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from served import JPEG, server, together
from ssd300.detection.detector import Detector
from ssd300.detection.network import detect
from ssd300.detection.sources import find_sources
from ssd300.images.read import decode_image

IMAGES = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", help="a folder of JPEG images, of which 32 are used")
    parser.add_argument("--weights", required=True, help="as for ssd300 serve")
    parser.add_argument("--clients", type=int, default=64, help="clients at once, of the second load")
    parser.add_argument("--seconds", type=float, default=30, help="duration of each load")
    options = parser.parse_args()
    bodies = [Path(str(one)).read_bytes() for one in find_sources([options.images])[:IMAGES]]

    bare, network_alone = bare_ms(options.weights, bodies)
    print(f"detector alone, one at a time: {bare:.1f} ms per image, {1e3 / bare:.1f} images/s")
    print(f"  its network alone: {network_alone:.1f} ms")
    with server(options.weights, "--queue", "256") as (process, port):
        for clients in (1, options.clients):
            times, lost = load(port, bodies, clients, options.seconds)
            rate = len(times) / options.seconds
            marks = statistics.quantiles(times, n=100)
            print(
                f"{clients} clients: {len(times)} requests, {lost} lost, {rate:.1f} images/s; "
                f"p50 {marks[49]:.0f} ms, p95 {marks[94]:.0f} ms, p99 {marks[98]:.0f} ms",
                flush=True,
            )
        print(f"memory: {process.memory_info().rss / 1e6:.0f} MB")


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


def post(connection: http.client.HTTPConnection, body: bytes) -> int:
    connection.request("POST", "/v1/detect", body=body, headers=JPEG)
    answer = connection.getresponse()
    answer.read()
    return answer.status


if __name__ == "__main__":
    main()
