import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ssd300.errors import DownloadError
from ssd300.system.web import check_reachable, is_address, read_web


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/gone":
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"12345")

    def log_message(self, *_words: object) -> None:
        """Log nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("name", "expected"), [("http://a/b.jpg", True), ("https://a", True), ("a.jpg", False), ("ftp://a", False)]
)
def test_an_address_is_told_from_a_path(name, expected):
    assert is_address(name) is expected


def test_the_content_comes_up_to_a_limit(address):
    assert read_web(address, max_bytes=5) == b"12345"
    with pytest.raises(DownloadError, match="more than 4 bytes"):
        read_web(address, max_bytes=4)


def test_a_status_and_a_missing_server_are_reported(address):
    with pytest.raises(DownloadError, match=r"/gone: the server returned status 404"):
        read_web(address + "/gone")
    with pytest.raises(DownloadError, match="nothing was received"):
        read_web("http://127.0.0.1:1/")


def test_any_answer_reaches_a_server_and_none_is_reported(address):
    check_reachable(address)  # this one has no HEAD: status 501
    with pytest.raises(DownloadError, match="no server answered"):
        check_reachable("http://127.0.0.1:1")
