"""`ssd300 serve` in a process of its own: connections, signals, workers, memory."""

import http.client
import json
import shutil
import signal
import socket
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from serving import image_file, json_of, running
from ssd300.cli import main
from ssd300.serve.process import MOST_CONNECTIONS
from ssd300.serve.protocol import BODY_AT_END_S

JPEG = image_file((300, 400))
HEAD = b"POST /v1/detect HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"


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


def test_it_detects_without_torch(server):
    status, body = server.detect(JPEG)
    assert status == 200
    assert json.loads(body)["images"][0]["width"] == 400
    maps = psutil.Process(server.process.pid).memory_maps()
    assert not any("libtorch" in one.path for one in maps)


def test_heads_without_bodies(server):
    """As watchers of servers ask; on one connection, which a body would confuse."""
    connection = http.client.HTTPConnection(*server.host_port)
    for path, status in (("/", 200), ("/healthz", 200), ("/readyz", 200), ("/nowhere", 404), ("/v1/detect", 405)):
        connection.request("HEAD", path)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (status, b""), path
        assert int(answer.headers["Content-Length"]) > 0
    connection.close()


def test_who_is_slow_is_not_waited_for(server):
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
def test_what_is_no_request(server, sent, status):
    with socket.create_connection(server.host_port) as connection:
        connection.sendall(sent)
        connection.settimeout(20)
        assert connection.recv(4096).startswith(b"HTTP/1.1 " + status)
    assert server.get("/healthz")[0] == 200


def test_hundreds_of_idle_connections(server):
    """Beyond MOST_CONNECTIONS they are refused; before, and when they are gone, all is answered."""
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


def test_a_client_that_goes_away_in_the_middle(server):
    for _ in range(20):
        with socket.create_connection(server.host_port) as connection:
            connection.sendall(HEAD % 100_000 + JPEG[:1000])
    deadline = time.monotonic() + 10
    while server.get("/readyz")[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert server.detect(JPEG)[0] == 200


def test_what_clients_do_is_no_warning(server):
    before = len(server.said)
    for sent in (
        b"nonsense\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    ):
        with socket.create_connection(server.host_port) as connection:
            connection.sendall(sent)
            assert connection.recv(4096).startswith(b"HTTP/1.1 ")
    assert not [line for line in server.said[before:] if not line.startswith("{")]


def test_too_many_at_once_get_503_and_health_is_answered(server):
    """More images than the queue takes: each request is answered, with boxes or with when to come again."""
    with ThreadPoolExecutor(40) as clients:
        answers = [clients.submit(server.detect, JPEG) for _ in range(120)]
        assert server.get("/healthz")[0] == 200
        statuses = [answer.result()[0] for answer in answers]
    assert set(statuses) <= {200, 503}
    assert 200 in statuses
    assert server.detect(JPEG)[0] == 200


def test_sigterm_under_load_finishes_what_was_taken(exported):
    """Every request that was taken in is answered; later ones are refused; the exit code is 0."""
    answers, refused = [], []
    with running(exported["onnx"]) as server:

        def ask():
            while True:
                try:
                    answers.append(server.detect(JPEG))
                except OSError as error:  # the server listens no more
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


def _wait_until_taken(server) -> None:
    """Until an image has its place in the queue, which is before its body is read."""
    deadline = time.monotonic() + 10
    while b"ssd300_queue 1.0" not in server.get("/metrics")[1]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _listens(server) -> bool:
    try:
        socket.create_connection(server.host_port).close()
    except ConnectionRefusedError:
        return False
    return True


def test_ctrl_c(exported):
    with running(exported["onnx"]) as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=60) == 130


def test_ctrl_c_twice_ends_at_once(exported):
    with running(exported["onnx"]) as server, socket.create_connection(server.host_port) as slow:
        slow.sendall(HEAD % 5000 + b"abc")
        _wait_until_taken(server)
        started = time.monotonic()
        server.process.send_signal(signal.SIGINT)
        time.sleep(0.5)  # as a person does; two signals at once are one
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=60) == 130
        assert time.monotonic() - started < BODY_AT_END_S
        assert slow.recv(4096).startswith(b"HTTP/1.1 503")
    assert "Traceback" not in "".join(server.said)


def test_the_loaded_weights_serve_on_when_the_file_is_replaced(exported, tmp_path):
    copy = tmp_path / "m.onnx"
    shutil.copy(exported["onnx"], copy)
    with running(copy) as server:
        before = json_of(server.detect(JPEG))
        copy.write_bytes(b"another file")
        after = json_of(server.detect(JPEG))
    assert [image["detections"] for image in before["images"]] == [image["detections"] for image in after["images"]]


@pytest.mark.slow
def test_several_processes_count_together_and_a_killed_one_is_replaced(exported):
    with running(exported["onnx"], "--workers", "2") as server:
        with ThreadPoolExecutor(8) as clients:
            assert {answer[0] for answer in clients.map(lambda _: server.detect(JPEG), range(40))} == {200}
        assert b"ssd300_images_total 40.0" in server.get("/metrics")[1]
        children = psutil.Process(server.process.pid).children()
        workers = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        assert len(workers) == 2
        workers[0].kill()
        deadline = time.monotonic() + 60
        while "replaces it" not in "".join(server.said):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert server.detect(JPEG)[0] == 200
        folders = list(Path(tempfile.gettempdir()).glob("ssd300-counts-*"))
        with socket.create_connection(server.host_port) as slow:
            slow.sendall(HEAD % 5000 + b"abc")
            _wait_until_taken(server)
            server.process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + BODY_AT_END_S
            while _listens(server):  # nor do the workers leave others waiting
                assert time.monotonic() < deadline
                time.sleep(0.2)
            assert server.process.wait(timeout=60) == 0
    assert "Traceback" not in "".join(server.said)
    assert folders
    assert not any(folder.exists() for folder in folders)


@pytest.mark.slow
def test_memory_stays_flat(server):
    """Good, broken and too large images in turn; the long run is benchmarks/serve.py's."""
    process = psutil.Process(server.process.pid)
    bodies = [JPEG, JPEG[:2000], image_file((1500, 2000), seed=1), b""]

    def rounds(count):
        for number in range(count):
            server.detect(bodies[number % len(bodies)])
        return process.memory_info().rss

    settled = rounds(120)
    assert rounds(240) < settled + 20_000_000


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--weights", "nothing"], 4, "no such weights"),
        (["--weights", "{run}", "--workers", "0"], 2, "--workers is 0"),
        (["--weights", "{run}", "--max-megabytes", "nan"], 2, "--max-megabytes is nan"),
        (["--weights", "{run}", "--queue", "4", "--max-images", "9"], 2, "--max-images is 9"),
        (["--weights", "{run}", "--queue", "0"], 2, "--queue is 0"),
        (["--weights", "{run}", "--host", "256.1.1.1"], 2, "cannot be listened on"),
        (["--weights", "{run}", "--port", "{taken}"], 2, "--port"),
        (["--weights", "{run}", "--port", "99999"], 2, "--port"),
        (["--weights", "{onnx}", "--precision", "bfloat16"], 2, "the precision of its export"),
    ],
)
def test_mistakes(words, code, message, light_run, exported, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        filled = [word.format(run=light_run, taken=port, onnx=exported["onnx"]) for word in words]
        assert main(["serve", *filled]) == code
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
