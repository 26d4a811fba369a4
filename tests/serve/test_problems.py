"""Each kind of error becomes its status, with a sentence and what to do."""

import json

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from ssd300.errors import DataError, UsageError
from ssd300.images.header import ImageTooLargeError, NoImageError
from ssd300.serve.batcher import FullError
from ssd300.serve.problems import MEDIA_TYPE, PROBLEMS, ProblemError, answer_problems, documented


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (ProblemError(406, "Not that."), 406, "Not that."),
        (NoImageError("this is text", where="a.jpg"), 415, "a.jpg: this is text"),
        (ImageTooLargeError("too many pixels"), 413, "too many pixels"),
        (DataError("it ends early", where="a.jpg"), 422, "a.jpg: it ends early"),
        (UsageError("the file gives at most 200", where="/srv/secret.onnx"), 422, "the file gives at most 200."),
        (FullError(7), 503, "The server is busy with as much as it accepts."),
        (TimeoutError(), 503, "The response took too long."),
    ],
)
def test_an_error_becomes_its_status(error, status, detail):
    app = FastAPI()
    answer_problems(app)

    @app.get("/")
    async def fail() -> None:
        raise error

    answer = TestClient(app).get("/")
    assert (answer.status_code, answer.json()["status"], answer.json()["detail"]) == (status, status, detail)
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert "secret" not in answer.text


def test_a_busy_server_names_the_time_to_try_again():
    app = FastAPI()
    answer_problems(app)

    @app.get("/")
    async def full() -> None:
        raise FullError(7)

    answer = TestClient(app).get("/")
    assert (answer.headers["retry-after"], "7 s" in answer.json()["fix"]) == ("7", True)


def test_a_fix_is_left_out_where_there_is_none():
    assert "fix" not in json.loads(ProblemError(503, "The server is stopping.").response().body)


def test_the_documented_errors_have_a_sentence_each():
    described = documented([422, 400], answer={"description": "good"})
    assert list(described) == [200, 400, 422]
    assert described[422]["description"] == PROBLEMS[422]
