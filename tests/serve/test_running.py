"""`ssd300 serve` in a process of its own: connections, signals, memory."""

import contextlib
import http.client
import json
import shutil
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import psutil
import pytest

from serving import HEAD, image_file, json_of, running
from ssd300.cli import main
from ssd300.serve.process import MOST_CONNECTIONS
from ssd300.serve.protocol import BODY_AT_END_S

JPEG = image_file((300, 400))
CHUNKED = HEAD.replace(b"Content-Length: %d", b"Transfer-Encoding: chunked")


@pytest.fixture(scope="module")
def server(exported):
    with running(exported["onnx"], "--timeout", "2", "--queue", "16") as server:
        yield server


def answered(connection: socket.socket, within_s: float = 20) -> bytes:
    """All that comes until the other side closes the connection."""
    connection.settimeout(within_s)
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


@pytest.mark.slow
def test_an_exported_file_is_served_without_torch(server):
    status, body = server.detect(JPEG)
    assert status == 200
    assert json.loads(body)["images"][0]["width"] == 400
    maps = psutil.Process(server.process.pid).memory_maps()
    assert not any("libtorch" in one.path for one in maps)


def test_head_is_answered_without_a_body(server):
    """As monitoring asks; on one connection, where a body would be read as the next response."""
    connection = http.client.HTTPConnection(*server.host_port)
    for path, status in (("/", 200), ("/healthz", 200), ("/readyz", 200), ("/nowhere", 404), ("/v1/detect", 405)):
        connection.request("HEAD", path)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (status, b""), path
        assert int(answer.headers["Content-Length"]) > 0
    connection.close()


@pytest.mark.slow
def test_slow_clients_are_disconnected(server):
    """A body that does not come, a head that does not come, and a connection on which nothing comes."""
    with (
        socket.create_connection(server.host_port) as body,
        socket.create_connection(server.host_port) as head,
        socket.create_connection(server.host_port) as idle,
    ):
        started = time.monotonic()
        body.sendall(HEAD % 1000 + b"abc")
        head.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
        assert server.get("/healthz")[0] == 200
        body.settimeout(10)
        assert body.recv(4096).startswith(b"HTTP/1.1 408")
        assert 1.5 < time.monotonic() - started < 6
        for dribble in range(3):
            head.sendall(b"X-%d: a\r\n" % dribble)
            time.sleep(0.5)
        assert answered(head) == b""
        assert answered(idle) == b""
        assert 8 < time.monotonic() - started < 16
    assert server.get("/healthz")[0] == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-Large: " + b"a" * 34_000 + b"\r\n\r\n", b"4"),  # 431, or 400 in parts
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-Large: " + b"a" * 34_000, b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\x00\r\n\r\n", b"400"),
        (b"POST /v1/detect HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /v1/detect HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", b"408"),
        (b"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", b"404"),
    ],
)
def test_bytes_that_are_not_a_request_are_refused(server, sent, status):
    with socket.create_connection(server.host_port) as connection:
        connection.sendall(sent)
        connection.settimeout(20)
        assert connection.recv(4096).startswith(b"HTTP/1.1 " + status)
    assert server.get("/healthz")[0] == 200


def test_hundreds_of_idle_connections_do_not_block_the_server(server):
    """More than MOST_CONNECTIONS are refused; with fewer, and after they are closed, requests are answered."""
    idle = [socket.create_connection(server.host_port) for _ in range(300)]
    assert server.get("/healthz")[0] == 200
    assert server.detect(JPEG)[0] == 200
    idle += [socket.create_connection(server.host_port) for _ in range(MOST_CONNECTIONS - 300)]
    assert server.get("/healthz")[0] == 503
    for connection in idle:
        connection.close()
    deadline = time.monotonic() + 10
    while server.get("/healthz")[0] != 200:
        assert time.monotonic() < deadline


def test_a_client_that_disconnects_frees_its_place(server):
    for _ in range(20):
        with socket.create_connection(server.host_port) as connection:
            connection.sendall(HEAD % 100_000 + JPEG[:1000])
    deadline = time.monotonic() + 10
    while server.get("/readyz")[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert server.detect(JPEG)[0] == 200


def test_faults_of_clients_are_not_logged(server):
    before = len(server.log_lines)
    for sent in (
        b"nonsense\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    ):
        with socket.create_connection(server.host_port) as connection:
            connection.sendall(sent)
            assert connection.recv(4096).startswith(b"HTTP/1.1 ")
    assert not [line for line in server.log_lines[before:] if not line.startswith("{")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "status", "later"),
    [
        (HEAD % 1000 + b"abc", b"408", b"x" * 997),
        (HEAD % 1000 + b"abc", b"408", b"x" * 2000),
        (CHUNKED + b"3\r\nabc\r\n", b"408", b"3\r\nabc\r\n0\r\n\r\nnonsense\r\n\r\n"),
        (CHUNKED + b"3\r\nabc\r\n", b"408", b"nonsense\r\n"),
        (HEAD % 40_000_000, b"413", b"x" * 3_000_000),
        (CHUNKED.replace(b"image/jpeg", b"text/html") + b"3\r\nabc\r\n", b"415", b"nonsense\r\n"),
        (CHUNKED + b"nonsense\r\n", b"400", b"more"),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", b"200", b"nonsense\r\n\r\n"),
    ],
)
@pytest.mark.parametrize("reset", [False, True])
def test_bytes_after_an_answer_leave_no_trace_in_the_log(server, head, status, later, reset):
    before = len(server.log_lines)
    with socket.create_connection(server.host_port) as connection:
        connection.settimeout(20)
        connection.sendall(head)
        assert connection.recv(4096).startswith(b"HTTP/1.1 " + status)
        with contextlib.suppress(OSError):  # the server has closed it meanwhile
            connection.sendall(later)
            connection.sendall(b"more\r\n\r\n")
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert server.get("/healthz")[0] == 200
    assert not [line for line in server.log_lines[before:] if not line.startswith("{")]


def test_too_many_at_once_get_503_and_health_is_answered(server):
    """With more images than the queue takes each request is answered, with boxes or with the time to try again."""
    with ThreadPoolExecutor(40) as clients:
        answers = [clients.submit(server.detect, JPEG) for _ in range(120)]
        assert server.get("/healthz")[0] == 200
        statuses = [answer.result()[0] for answer in answers]
    assert set(statuses) <= {200, 503}
    assert 200 in statuses
    assert server.detect(JPEG)[0] == 200


@pytest.mark.slow
def test_sigterm_under_load_answers_the_accepted_requests(exported):
    """Later requests are refused; the exit code is 0."""
    answers, refused = [], []
    with running(exported["onnx"]) as server:

        def ask():
            while True:
                try:
                    answers.append(server.detect(JPEG))
                except OSError as error:  # the server has stopped listening
                    refused.append(error)
                    return

        clients = [threading.Thread(target=ask) for _ in range(8)]
        for client in clients:
            client.start()
        while len(answers) < 8:
            time.sleep(0.01)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=60) == 0
        for client in clients:
            client.join(timeout=60)
    assert {status for status, _ in answers} == {200}
    assert all("images" in json_of(answer) for answer in answers)
    assert all(_refused(error) for error in refused)


def _refused(error: OSError) -> bool:
    reason = getattr(error, "reason", error)
    return isinstance(reason, ConnectionRefusedError | ConnectionResetError)


def test_ctrl_c_ends_the_server(exported):
    with running(exported["onnx"]) as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=60) == 130
    assert "ssd300: stopped" in "".join(server.log_lines)


@pytest.mark.slow
def test_ctrl_c_twice_ends_at_once(exported):
    with running(exported["onnx"]) as server, socket.create_connection(server.host_port) as slow:
        slow.sendall(HEAD % 5000 + b"abc")
        server.wait_until_accepted()
        started = time.monotonic()
        server.process.send_signal(signal.SIGINT)
        time.sleep(0.5)  # as a person does; two signals at once are one
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=60) == 130
        assert time.monotonic() - started < BODY_AT_END_S
        assert slow.recv(4096).startswith(b"HTTP/1.1 503")
    assert "Traceback" not in "".join(server.log_lines)


@pytest.mark.slow
def test_the_loaded_weights_are_used_when_the_file_is_replaced(exported, tmp_path):
    copy = tmp_path / "m.onnx"
    shutil.copy(exported["onnx"], copy)
    with running(copy) as server:
        before = json_of(server.detect(JPEG))
        copy.write_bytes(b"another file")
        after = json_of(server.detect(JPEG))
    assert [image["detections"] for image in before["images"]] == [image["detections"] for image in after["images"]]


@pytest.mark.slow
def test_memory_stays_flat(server):
    """Good, broken and too large images in turn; the long run is benchmarks/serve.py's.

    A leak grows with every request. A library's buffer for one more large image, 25 MB, comes once, at a chance moment.
    """
    process = psutil.Process(server.process.pid)
    bodies = [JPEG, JPEG[:2000], image_file((1500, 2000), seed=1), b""]

    def rounds(count):
        for number in range(count):
            server.detect(bodies[number % len(bodies)])
        return process.memory_info().rss

    sizes = [rounds(120) for _ in range(5)]
    growth = [later - earlier for earlier, later in pairwise(sizes)]
    assert min(growth) < 1_000_000, growth
    assert sum(growth) < 60_000_000, growth


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--weights", "nothing"], 4, "no such weights"),
        (["--weights", "{run}", "--workers", "0"], 2, "--workers is 0"),
        (["--weights", "{run}", "--max-megabytes", "nan"], 2, "--max-megabytes is nan"),
        (["--weights", "{run}", "--queue", "4", "--max-images", "9"], 2, "--max-images is 9"),
        (["--weights", "{run}", "--queue", "0"], 2, "--queue is 0"),
        (["--weights", "{run}", "--host", "256.1.1.1"], 2, "cannot be listened on"),
        (["--weights", "{run}", "--port", "{taken}"], 2, "is taken"),
        (["--weights", "{run}", "--port", "99999"], 2, "--port"),
        (["--weights", "{onnx}", "--precision", "bfloat16"], 2, "the precision of its export"),
    ],
)
def test_a_mistake_in_the_command_is_named(words, code, message, light_run, exported, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        filled = [word.format(run=light_run, taken=port, onnx=exported["onnx"]) for word in words]
        assert main(["serve", *filled]) == code
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
