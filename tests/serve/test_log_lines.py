import json
import logging

from ssd300.serve.log_lines import FIELDS, RequestLine, short_line

LINE = {
    "time": "2024-05-01T10:20:30.400+00:00", "id": "a", "client": "127.0.0.1", "method": "POST", "path": "/v1/detect",
    "status": 200, "ms": 1234.5, "images": 2, "detections": 1,
}  # fmt: skip


def test_a_line_for_people():
    assert short_line(LINE)[2:3] == ":"
    assert short_line(LINE)[9:] == "127.0.0.1 POST /v1/detect 200 1,234 ms 1 object in 2 images"
    other = {name: value for name, value in LINE.items() if name not in ("images", "detections")} | {"client": None}
    assert short_line(other | {"path": "/\x1b[2J é"})[9:] == "- POST /\\x1b[2J é 200 1,234 ms"


def test_programs_get_json_and_other_messages_are_left():
    record = logging.makeLogRecord({"msg": json.dumps(LINE), FIELDS: LINE})
    assert json.loads(RequestLine(for_people=False).format(record)) == LINE
    assert RequestLine(for_people=True).format(record) == short_line(LINE)
    assert RequestLine(for_people=True).format(logging.makeLogRecord({"msg": "a"})) == "a"
    assert json.loads(RequestLine().format(record)) == LINE  # stderr is no terminal here
