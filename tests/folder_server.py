"""A server of a folder's files on loopback, as any host of static files is."""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_words: object) -> None:
        """Log nothing: a failing test says enough."""


class Static(ThreadingHTTPServer):
    def handle_error(self, *_request: object) -> None:
        """A browser that is closed breaks its connections off."""


@contextmanager
def serving_folder(folder: Path) -> Iterator[str]:
    """The address of a plain server of the folder, as `python -m http.server` starts it; ends with a slash."""
    with Static(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
