"""A server on loopback that breaks off, stalls, lies or does not resume, and what it serves."""

import hashlib
import io
import itertools
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ssd300.system.download import RemoteFile

CONTENT = bytes(itertools.islice(itertools.cycle(range(251)), 1_000_000))


class Server(ThreadingHTTPServer):
    """Serves `content` at every path, in a way that the path names."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.asked: list[tuple[str, str | None]] = []  # path and Range
        self.wait = threading.Event()

    def address(self, way: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{way}/file"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        way, span = self.path.split("/")[1], self.headers["Range"]
        asked, content = self.server.asked, self.server.content
        asked.append((way, span))
        start = int(span.removeprefix("bytes=").removesuffix("-")) if span and way != "never-resumes" else 0
        if way == "gone" or (way == "busy" and len(asked) < 3):
            self.send_error(404 if way == "gone" else 503)
            return
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        body = (bytes(len(content)) if way == "lies" else content)[start:]
        if way != "no-length":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if way == "breaks" and len(asked) < 4:
            body = body[:200_000]
        if way == "stalls" and len(asked) == 1:
            self.wfile.write(body[:300_000])
            self.wfile.flush()
            self.server.wait.wait(20)
            return
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Log nothing: the tests read `asked`."""


def remote(*addresses: str) -> RemoteFile:
    return RemoteFile(name="file.bin", addresses=addresses, sha256=hashlib.sha256(CONTENT).hexdigest()[:8])


def archive(path: Path, names: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as file:
        for name, content in names.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path
