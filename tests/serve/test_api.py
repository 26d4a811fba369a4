"""The API in this process: what it answers, and what it answers to whoever means it harm."""

import asyncio
import io
import json
import logging
import struct
import xml.etree.ElementTree as ElementTree
import zlib

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from serving import client_of, image_file
from ssd300.detection.detector import Detector
from ssd300.images.read import decode_image
from ssd300.serve import ServeSettings
from ssd300.serve.accepting import choose_form
from ssd300.serve.counters import Counters
from ssd300.serve.gate import Gate

JPEG = image_file()
AS_JPEG = {"Content-Type": "image/jpeg"}


def form_of(*files: bytes):
    return [("file", (f"p{number}.jpg", content, "image/jpeg")) for number, content in enumerate(files)]


def test_the_answer_is_what_the_detector_finds(client, detector):
    found = detector(decode_image(JPEG, where="test"), min_score=0.3, max_overlap=0.4, top_k=50)
    options = {"min_score": 0.3, "max_overlap": 0.4, "top_k": 50}
    raw = client.post("/v1/detect", params=options, content=JPEG, headers=AS_JPEG)
    in_address = client.post("/v1/detect", params=options, files=form_of(JPEG))
    in_form = client.post("/v1/detect", data=options, files=form_of(JPEG))
    for answer, name in ((raw, ""), (in_address, "p0.jpg"), (in_form, "p0.jpg")):
        assert answer.status_code == 200, answer.text
        (image,) = answer.json()["images"]
        assert (image["image"], image["width"], image["height"]) == (name, 120, 90)
        assert image["detections"] == found.to_dict()["detections"]
        assert set(image["timing_ms"]) == {"decode", "wait", "network", "select"}
    assert len(found) == 50


def test_several_images_keep_their_order_and_names(client):
    sizes = [(40, 50), (60, 70), (80, 90)]
    answer = client.post("/v1/detect", files=form_of(*[image_file(size) for size in sizes]))
    images = answer.json()["images"]
    assert [image["image"] for image in images] == ["p0.jpg", "p1.jpg", "p2.jpg"]
    assert [(image["height"], image["width"]) for image in images] == sizes


def test_classes(client):
    def labels(**options):
        answer = client.post("/v1/detect", params={"min_score": 0.3} | options, content=JPEG, headers=AS_JPEG)
        return [one["label"] for one in answer.json()["images"][0]["detections"]]

    assert set(labels(classes="blue")) == {"blue"}
    assert set(labels()) == set(labels(classes=["blue", "red"])) == {"blue", "red"}
    assert len(labels(classes="red", top_k=5)) == 5  # the best five of that class, not those among the best five


@pytest.mark.parametrize(("accept", "form"), [("image/png", "PNG"), ("image/jpeg", "JPEG"), ("image/*", "JPEG")])
def test_the_image_with_its_boxes(accept, form, client, detector):
    image = image_file(form="PNG")
    answer = client.post("/v1/detect", content=image, headers={"Content-Type": "image/png", "Accept": accept})
    assert answer.headers["content-type"] == f"image/{form.lower()}"
    drawn = Image.open(io.BytesIO(answer.content))
    assert (drawn.format, drawn.size) == (form, (120, 90))
    if form == "PNG":
        pixels = decode_image(image, where="test")
        np.testing.assert_array_equal(np.asarray(drawn), np.asarray(detector(pixels).draw()))


def test_vocs_annotations(client, detector):
    answer = client.post("/v1/detect", files=form_of(JPEG), headers={"Accept": "application/xml"})
    assert answer.headers["content-type"] == "application/xml"
    root = ElementTree.fromstring(answer.text)
    assert root.findtext("filename") == "p0.jpg"
    found = detector(decode_image(JPEG, where="test"))
    assert [item.findtext("name") for item in root.iter("object")] == found.names


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("image/webp, image/png;q=0.5, */*;q=0.1", "image/png"),
        ("application/json;q=0, */*", "image/jpeg"),
        ("text/html", None),
        ("application/*", "application/json"),
        ("image/png;q=none", None),
        ("IMAGE/PNG", "image/png"),
        (",,;;q=", None),
    ],
)
def test_accept(accept, form):
    assert choose_form(accept) == form


def bomb(width: int, height: int) -> bytes:
    """A PNG of so many pixels in few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def eps() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (9, 9)).save(file, format="EPS")
    return file.getvalue()


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        ({"content": b"", "headers": AS_JPEG}, 400, "empty"),
        ({"content": b"no image", "headers": AS_JPEG}, 415, "not an image"),
        ({"content": JPEG[:900], "headers": AS_JPEG}, 422, "cannot be read"),
        ({"content": eps(), "headers": AS_JPEG}, 415, "EPS"),
        ({"content": bomb(60_000, 60_000), "headers": {"Content-Type": "image/png"}}, 413, "60000 x 60000 pixels"),
        ({"content": bomb(1001, 1000), "headers": {"Content-Type": "image/png"}}, 413, "the limit is 1,000,000"),
        ({"content": bytes(100_001), "headers": AS_JPEG}, 413, "larger than 100,000 bytes"),
        ({"content": iter([bytes(60_000)] * 2), "headers": AS_JPEG}, 413, "larger than 100,000 bytes"),
        ({"content": b"{}", "headers": {"Content-Type": "application/json"}}, 415, "application/json"),
        ({"content": b"%PDF-1.7\n", "headers": AS_JPEG}, 415, "not an image"),
        ({"content": b"<svg/>", "headers": {"Content-Type": "image/svg+xml"}}, 415, "not an image"),
        ({"data": {"min_score": "0.5"}, "files": {"note": (None, "text")}}, 400, "no image"),
        ({"files": form_of(JPEG, JPEG, JPEG)}, 413, "more than 2 images"),
        ({"files": form_of(JPEG, b"broken")}, 415, "p1.jpg"),
        ({"files": form_of(JPEG, JPEG), "headers": {"Accept": "image/png"}}, 406, "for one image"),
        ({"content": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data"}}, 400, "boundary"),
        ({"content": b"--x\r\nnonsense", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400, "form"),
        ({"content": JPEG, "headers": AS_JPEG | {"Accept": "text/html"}}, 406, "application/json"),
        ({"content": JPEG, "headers": AS_JPEG, "params": {"min_score": "2"}}, 422, "min_score"),
        ({"content": JPEG, "headers": AS_JPEG, "params": {"min_score": "nan"}}, 422, "min_score"),
        ({"content": JPEG, "headers": AS_JPEG, "params": {"top_k": "0"}}, 422, "top_k"),
        ({"content": JPEG, "headers": AS_JPEG, "params": {"classes": "gren"}}, 422, "there are blue, red"),
        ({"content": JPEG, "headers": AS_JPEG, "params": {"threshold": "1"}}, 422, "no option 'threshold'"),
        ({"files": form_of(JPEG), "data": {"threshold": "1"}}, 422, "no option 'threshold'"),
        ({"files": form_of(JPEG), "data": {"top_k": "5"}, "params": {"top_k": "5"}}, 422, "in the form"),
        ({"files": form_of(JPEG), "data": {"top_k": ["5", "6"]}}, 422, "more than once"),
        ({"files": form_of(JPEG), "data": {f"f{n}": "1" for n in range(99)}}, 400, "Too many fields"),
        ({"files": form_of(JPEG), "data": {"classes": "x" * 20_000}}, 400, "maximum size"),
    ],
)
def test_hostile_and_mistaken_requests(request_, status, words, detector, tmp_path, monkeypatch):
    """Each gets a sentence, nothing is written, and the next good request is answered."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with client_of(detector, max_megabytes=0.1, max_megapixels=1.0, max_images=2) as client:
        answer = client.post("/v1/detect", **request_)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        said = answer.json()
        assert said["status"] == status
        assert words in said["detail"] + said.get("fix", "")
        assert "Traceback" not in answer.text
        assert client.post("/v1/detect", content=JPEG, headers=AS_JPEG).status_code == 200
        assert client.app.state.ready
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\a\\b.jpg", "b.jpg"),
        ("a\x1b[31m.jpg", "a[31m.jpg"),
        ("é.jpg", "é.jpg"),
        ("a/..", ""),
    ],
)
def test_a_files_name_is_a_name_and_nothing_else(name, kept, client):
    disposition = f'Content-Disposition: form-data; name="file"; filename="{name}"'.encode()
    body = b"--x\r\n" + disposition.replace(b"\\", b"\\\\") + b"\r\n\r\n" + JPEG + b"\r\n--x--\r\n"
    answer = client.post("/v1/detect", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.json()["images"][0]["image"] == kept


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/static/../app.py", 404),
        ("GET", "/static/%2e%2e%2fapp.py", 404),
        ("GET", "/static/nothing.js", 404),
        ("GET", "//etc/passwd", 404),
        ("DELETE", "/v1/detect", 405),
        ("POST", "/v1/model", 405),
        ("PUT", "/", 405),
    ],
)
def test_addresses_that_lead_nowhere(method, path, status, client):
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["status"] == status
    assert ("allow" in answer.headers) == (status == 405)


def test_a_image_may_be_many_kinds(client):
    for form in ("PNG", "WEBP", "BMP", "TIFF", "GIF"):
        body, kind = image_file(form=form), "application/octet-stream"
        assert client.post("/v1/detect", content=body, headers={"Content-Type": kind}).status_code == 200, form


def test_the_token(detector):
    with client_of(detector, token="open sesame") as client:
        for path in ("/v1/model", "/metrics"):
            assert client.get(path).status_code == 401
            assert client.get(path, headers={"Authorization": "Bearer shut"}).status_code == 401
            assert client.get(path, headers={"Authorization": "Bearer open sesame"}).status_code == 200
        refused = client.post("/v1/detect", content=JPEG, headers=AS_JPEG)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        for path in ("/", "/healthz", "/readyz", "/docs", "/openapi.json"):
            assert client.get(path).status_code == 200


def test_other_pages_are_let_in_only_where_they_are_named(detector):
    asked = {"Origin": "https://example.org"}
    with client_of(detector) as client:
        assert "access-control-allow-origin" not in client.get("/v1/model", headers=asked).headers
    with client_of(detector, cors_origins=("https://example.org",), token="t") as client:
        assert client.get("/healthz", headers=asked).headers["access-control-allow-origin"] == "https://example.org"
        preflight = asked | {"Access-Control-Request-Method": "POST"}
        assert client.options("/v1/detect", headers=preflight).status_code == 200
        other = client.get("/healthz", headers={"Origin": "https://example.com"})
        assert "access-control-allow-origin" not in other.headers


def test_a_foreign_page_cannot_make_the_server_work(detector):
    """It would not see the answer, but browsers send its simple requests; they say whose they are."""
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


def test_a_request_that_is_given_up_is_answered():
    """As uvicorn cancels them when it is told twice to end."""

    async def cancelled(scope, receive, send):
        raise asyncio.CancelledError

    answer = TestClient(Gate(cancelled, counters=Counters())).post("/v1/detect", content=JPEG)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")


def test_what_is_sent_twice_or_packed(client):
    twice = client.post("/v1/detect?min_score=0.1&min_score=0.9", content=JPEG, headers=AS_JPEG)
    assert (twice.status_code, "more than once" in twice.json()["detail"]) == (422, True)
    packed = client.post("/v1/detect", content=JPEG, headers=AS_JPEG | {"Content-Encoding": "gzip"})
    assert (packed.status_code, "gzip" in packed.json()["detail"]) == (415, True)


def test_more_than_an_exported_file_gives(exported):
    """Its limit is told, and not where the file lies."""
    with client_of(Detector.load(exported["onnx"])) as client:
        answer = client.post("/v1/detect?top_k=1000", content=JPEG, headers=AS_JPEG)
        assert (answer.status_code, "200 detections per image" in answer.json()["detail"]) == (422, True)
        assert exported["onnx"].name not in answer.text
        assert "image again" not in answer.json()["fix"]


def test_behind_a_proxy(detector):
    with client_of(detector, root_path="/detector", token="t") as client:
        path = "/detector/v1/model"  # a server puts the prefix back that the proxy took off
        assert client.get(path).status_code == 401
        assert client.get(path, headers={"Authorization": "Bearer t"}).status_code == 200
        assert client.get("/detector/openapi.json").json()["servers"] == [{"url": "/detector"}]


def test_what_the_model_is(client, detector):
    said = client.get("/v1/model").json()
    assert [one["name"] for one in said["classes"]] == list(detector.card.classes)
    assert all(one["color"].startswith("#") and len(one["color"]) == 7 for one in said["classes"])
    assert (said["image_size_px"], said["limits"]["images"]) == (300, 16)


def test_counts(client):
    client.post("/v1/detect", files=form_of(JPEG, JPEG), params={"min_score": 0.3})
    client.post("/v1/detect", content=b"", headers=AS_JPEG)
    for number in range(20):
        client.get(f"/nowhere/{number}")
    text = client.get("/metrics").text
    assert "ssd300_images_total 2.0" in text
    assert 'ssd300_requests_total{path="/v1/detect",status="200"} 1.0' in text
    assert 'ssd300_requests_total{path="/v1/detect",status="400"} 1.0' in text
    assert 'ssd300_requests_total{path="other",status="404"} 20.0' in text  # one row, whatever is asked for
    assert "ssd300_queue 0.0" in text
    assert 'ssd300_stage_seconds_count{stage="network"} 2.0' in text


def test_a_line_of_log_says_nothing_of_the_image(client, caplog):
    with caplog.at_level(logging.INFO, logger="ssd300.access"):
        client.post("/v1/detect", files={"file": ("secret.jpg", JPEG)}, params={"min_score": 0.9})
        client.get("/evil%0d%0aline")
    lines = [record.getMessage() for record in caplog.records if record.name == "ssd300.access"]
    first, second = map(json.loads, lines)
    assert first.items() >= {"method": "POST", "path": "/v1/detect", "status": 200, "images": 1}.items()
    assert first.keys() >= {"time", "id", "client", "ms", "bytes", "detections"}
    assert "secret" not in "".join(lines)
    assert (second["path"], second["status"]) == ("/evil\r\nline", 404)  # in one line, as JSON writes it
    assert len(lines[1].splitlines()) == 1


def test_a_fault_of_ours_is_told_without_a_trace(detector, monkeypatch, caplog):
    with client_of(detector) as client:
        monkeypatch.setattr("ssd300.serve.service.decode_image", lambda *_, **__: 1 / 0)
        answer = client.post("/v1/detect", content=JPEG, headers=AS_JPEG)
        assert (answer.status_code, "ZeroDivisionError" in answer.text) == (500, False)
        assert answer.headers["x-request-id"] in answer.json()["fix"]
        assert "ZeroDivisionError" in caplog.text
        monkeypatch.undo()
        assert client.post("/v1/detect", content=JPEG, headers=AS_JPEG).status_code == 200


def test_a_full_queue_says_when_to_come_again(detector):
    with client_of(detector, queue=2, max_images=2) as client:
        too_many = client.post("/v1/detect", files=form_of(JPEG, JPEG))
        assert too_many.status_code == 200
        places = client.app.state.service.batcher.places(2)
        with places:
            answers = [client.post("/v1/detect", content=JPEG, headers=AS_JPEG), client.get("/readyz")]
            assert client.get("/healthz").status_code == 200
        for answer in answers:
            assert (answer.status_code, int(answer.headers["retry-after"]) >= 1) == (503, True)
        assert client.get("/readyz").status_code == 200


def test_bodies_of_all_requests_together_have_a_limit(detector, monkeypatch):
    monkeypatch.setattr("ssd300.serve.settings.BODIES_IN_MEMORY", 0)
    with client_of(detector) as client:
        assert client.post("/v1/detect", content=JPEG, headers=AS_JPEG).status_code == 503


def test_an_answer_that_takes_too_long(detector, monkeypatch):
    async def never(*_):
        raise TimeoutError

    with client_of(detector) as client:
        monkeypatch.setattr(client.app.state.service, "detect", never)
        answer = client.post("/v1/detect", content=JPEG, headers=AS_JPEG)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_the_page_takes_nothing_from_the_web(client):
    for path in ("/", "/docs", "/static/page.js", "/static/page.css", "/static/swagger-ui-bundle.js"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        if "swagger" not in path:
            assert "https://" not in answer.text.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"queue": 0}, "queue is 0"),
        ({"timeout_s": float("nan")}, "timeout_s"),
        ({"max_images": 500}, "no more than queue"),
        ({"root_path": "detector"}, "starts with a slash"),
        ({"token": ""}, "token"),
        ({"token": "a\nb"}, "token"),
        ({"cors_origins": ("example.org",)}, "looks like"),
    ],
)
def test_settings_have_ranges(fields, words):
    with pytest.raises(ValueError, match=words):
        ServeSettings(**fields)
    assert "secret" not in repr(ServeSettings(token="secret"))
