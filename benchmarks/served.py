"""A server in another process, and clients in threads of this one: what the benchmarks of `ssd300 serve` share."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import psutil

JPEG = {"Content-Type": "image/jpeg"}


@contextmanager
def server(
    weights: str, *options: str, log: Callable[[str], None] = lambda _line: None
) -> Iterator[tuple[psutil.Process, int]]:
    """`ssd300 serve` with these options on a free port of this machine; its process and port. `log` takes its lines."""
    words = [sys.executable, "-m", "ssd300", "serve", "--weights", weights, "--port", "0", *options]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        lines = process.stderr
        assert lines is not None
        page = next(line for line in lines if line.startswith("page "))
        reader = threading.Thread(target=lambda: [log(line) for line in lines], daemon=True)
        reader.start()
        try:
            yield psutil.Process(process.pid), int(page.split()[1].rstrip("/").rpartition(":")[2])
        finally:
            process.terminate()
            reader.join(timeout=60)


def together(functions: Sequence[Callable[[], None]]) -> None:
    """Call all functions at once, each in a thread."""
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
