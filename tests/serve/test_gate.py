"""Every request passes the gate: foreign pages are refused, faults get a sentence, the log has no images."""

import asyncio
import json
import logging

from starlette.testclient import TestClient

from serving import AS_JPEG, JPEG, client_of
from ssd300.serve.counters import Counters
from ssd300.serve.gate import LONGEST_HEAD, REQUEST_ID, SAFE_HEADERS, Gate


def test_a_foreign_page_cannot_make_the_server_work(detector):
    """It would not see the answer, but browsers send its simple requests; they name the page's server."""
    origin = {"Origin": "https://example.org"}
    sites = {"cross-site": 403, "same-site": 403, "same-origin": 200, "none": 200}
    with client_of(detector) as client:
        for site, status in sites.items():
            answer = client.post("/v1/detect", content=JPEG, headers=AS_JPEG | origin | {"Sec-Fetch-Site": site})
            assert answer.status_code == status, site
    for origins in (("https://example.org",), ("*",)):
        with client_of(detector, cors_origins=origins) as client:
            asked = AS_JPEG | origin | {"Sec-Fetch-Site": "cross-site"}
            assert client.post("/v1/detect", content=JPEG, headers=asked).status_code == 200


def test_a_canceled_request_is_answered():
    """uvicorn cancels requests after a second signal."""

    async def canceled(scope, receive, send):
        raise asyncio.CancelledError

    answer = TestClient(Gate(canceled, counters=Counters())).post("/v1/detect", content=JPEG)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")


def test_a_log_line_has_neither_the_image_nor_its_name(client, caplog):
    with caplog.at_level(logging.INFO, logger="ssd300.access"):
        client.post("/v1/detect", files={"file": ("secret.jpg", JPEG)}, params={"min_score": 0.9})
        client.get("/")  # the page and its files are not logged
        client.get("/evil%0d%0aline")
    lines = [record.getMessage() for record in caplog.records if record.name == "ssd300.access"]
    first, second = map(json.loads, lines)
    assert first.items() >= {"method": "POST", "path": "/v1/detect", "status": 200, "images": 1}.items()
    assert first.keys() >= {"time", "id", "client", "ms", "bytes", "detections"}
    assert "secret" not in "".join(lines)
    assert (second["path"], second["status"]) == ("/evil\r\nline", 404)  # in one line, as JSON writes it
    assert len(lines[1].splitlines()) == 1


def test_a_fault_of_the_server_is_answered_without_a_trace(detector, monkeypatch, caplog):
    with client_of(detector) as client:
        monkeypatch.setattr("ssd300.serve.service.decode", lambda *_, **__: 1 / 0)
        answer = client.post("/v1/detect", content=JPEG, headers=AS_JPEG)
        assert (answer.status_code, "ZeroDivisionError" in answer.text) == (500, False)
        assert answer.headers["x-request-id"] in answer.json()["fix"]
        assert "ZeroDivisionError" in caplog.text
        monkeypatch.undo()
        assert client.post("/v1/detect", content=JPEG, headers=AS_JPEG).status_code == 200


def test_every_response_has_safe_headers_and_an_id_of_its_own(client):
    answers = [client.get(path) for path in ("/healthz", "/nowhere")]
    for answer in answers:
        assert all(answer.headers[name] == value for name, value in SAFE_HEADERS.items())
    assert answers[0].headers[REQUEST_ID] != answers[1].headers[REQUEST_ID]


def test_a_head_that_is_too_large_is_refused(client):
    answer = client.get("/healthz", headers={"X-Large": "a" * (LONGEST_HEAD + 1)})
    assert (answer.status_code, answer.json()["status"]) == (431, 431)
