"""Behind a proxy, below a path: the page and the API work at the address with and without the last slash."""

import http.client
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from browsing import choose, found
from serving import Running, running

pytestmark = pytest.mark.slow  # a browser

ROOT = "/tools/detector"


@contextmanager
def proxied(server: Running, *, takes_off: bool):
    """The server behind a proxy that answers only below `ROOT`; how it is reached."""

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.removeprefix(ROOT) or "/" if takes_off else self.path
            if not self.path.startswith(ROOT):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with closing(http.client.HTTPConnection(*server.host_port, timeout=60)) as connection:
                connection.request(self.command, path, body, dict(self.headers))
                with connection.getresponse() as answer:
                    content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815  # the name that http.server looks for

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield Running(process=server.process, address=f"http://127.0.0.1:{proxy.server_port}{ROOT}", log_lines=[])
        finally:
            proxy.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def server(unsure_run):
    with running(unsure_run, "--root-path", ROOT) as server:
        server.address = server.address.removesuffix(ROOT)
        yield server


def test_the_greeting_has_an_address_that_works(server):
    page = server.log_lines[1].split()[1]
    assert page == f"{server.address}{ROOT}/"
    for path in (ROOT, f"{ROOT}/", f"{ROOT}/docs", f"{ROOT}/v1/model"):
        assert server.get(path)[0] == 200, path


@pytest.mark.parametrize("takes_off", [True, False])
@pytest.mark.parametrize("slash", ["", "/"])
def test_the_page_works_behind_a_proxy(server, takes_off, slash, open_page, photo):
    with proxied(server, takes_off=takes_off) as reached:
        page = open_page(reached, end=slash)
        expect(page.locator("#model")).to_contain_text("2 classes")
        choose(page, photo)
        assert found(page) > 0
        page.get_by_role("link", name="API").click()
        expect(page.locator("#api")).to_contain_text("/v1/detect")
        assert page.url == f"{reached.address}/docs"
