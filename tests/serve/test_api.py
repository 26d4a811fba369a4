"""The API in this process: its responses to good, mistaken and hostile requests."""

import io
import struct
import xml.etree.ElementTree as ElementTree
import zlib

import numpy as np
import pytest
from PIL import Image

from serving import AS_JPEG, JPEG, as_form, client_of, image_file
from ssd300.detection.detector import Detector
from ssd300.images.read import decode_image


def test_the_response_has_the_detections_of_the_detector(client, detector):
    found = detector(decode_image(JPEG, where="test"), min_score=0.3, max_overlap=0.4, top_k=50)
    options = {"min_score": 0.3, "max_overlap": 0.4, "top_k": 50}
    raw = client.post("/v1/detect", params=options, content=JPEG, headers=AS_JPEG)
    in_address = client.post("/v1/detect", params=options, files=as_form(JPEG))
    in_form = client.post("/v1/detect", data=options, files=as_form(JPEG))
    for answer, name in ((raw, ""), (in_address, "p0.jpg"), (in_form, "p0.jpg")):
        assert answer.status_code == 200, answer.text
        (image,) = answer.json()["images"]
        assert (image["image"], image["width"], image["height"]) == (name, 120, 90)
        assert image["detections"] == found.to_dict()["detections"]
        assert set(image["timing_ms"]) == {"decode", "wait", "network", "select"}
    assert len(found) == 50


def test_several_images_have_their_order_and_names(client):
    sizes = [(40, 50), (60, 70), (80, 90)]
    answer = client.post("/v1/detect", files=as_form(*[image_file(size) for size in sizes]))
    images = answer.json()["images"]
    assert [image["image"] for image in images] == ["p0.jpg", "p1.jpg", "p2.jpg"]
    assert [(image["height"], image["width"]) for image in images] == sizes


def test_named_classes_are_detected_alone(client):
    def labels(**options):
        answer = client.post("/v1/detect", params={"min_score": 0.3} | options, content=JPEG, headers=AS_JPEG)
        return [one["label"] for one in answer.json()["images"][0]["detections"]]

    assert set(labels(classes="blue")) == {"blue"}
    assert set(labels()) == set(labels(classes=["blue", "red"])) == {"blue", "red"}
    assert len(labels(classes="red", top_k=5)) == 5  # the best five of that class, not those among the best five


@pytest.mark.parametrize(("accept", "file_format"), [("image/png", "PNG"), ("image/jpeg", "JPEG"), ("image/*", "JPEG")])
def test_the_image_is_returned_with_its_boxes(accept, file_format, client, detector):
    image = image_file(form="PNG")
    answer = client.post("/v1/detect", content=image, headers={"Content-Type": "image/png", "Accept": accept})
    assert answer.headers["content-type"] == f"image/{file_format.lower()}"
    drawn = Image.open(io.BytesIO(answer.content))
    assert (drawn.format, drawn.size) == (file_format, (120, 90))
    if file_format == "PNG":
        pixels = decode_image(image, where="test")
        np.testing.assert_array_equal(np.asarray(drawn), np.asarray(detector(pixels).draw()))


def test_a_voc_annotation_file_is_returned(client, detector):
    answer = client.post("/v1/detect", files=as_form(JPEG), headers={"Accept": "application/xml"})
    assert answer.headers["content-type"] == "application/xml"
    root = ElementTree.fromstring(answer.text)
    assert root.findtext("filename") == "p0.jpg"
    found = detector(decode_image(JPEG, where="test"))
    assert [item.findtext("name") for item in root.iter("object")] == found.names


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
        ({"content": eps(), "headers": AS_JPEG}, 415, "a PostScript file"),
        ({"content": bomb(60_000, 60_000), "headers": {"Content-Type": "image/png"}}, 413, "60000 x 60000 pixels"),
        ({"content": bomb(1001, 1000), "headers": {"Content-Type": "image/png"}}, 413, "the limit is 1,000,000"),
        ({"content": bytes(100_001), "headers": AS_JPEG}, 413, "larger than 100,000 bytes"),
        ({"content": iter([bytes(60_000)] * 2), "headers": AS_JPEG}, 413, "larger than 100,000 bytes"),
        ({"content": b"{}", "headers": {"Content-Type": "application/json"}}, 415, "application/json"),
        ({"content": b"%PDF-1.7\n", "headers": AS_JPEG}, 415, "a PDF document"),
        ({"content": b"<svg/>", "headers": {"Content-Type": "image/svg+xml"}}, 415, "an SVG drawing"),
        ({"data": {"min_score": "0.5"}, "files": {"note": (None, "text")}}, 400, "no image"),
        ({"files": as_form(JPEG, JPEG, JPEG)}, 413, "more than 2 images"),
        ({"files": as_form(JPEG, b"broken")}, 415, "p1.jpg"),
        ({"files": as_form(JPEG, JPEG), "headers": {"Accept": "image/png"}}, 406, "for one image"),
        ({"content": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data"}}, 400, "boundary"),
        ({"content": b"--x\r\nnonsense", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400, "form"),
        ({"content": JPEG, "headers": AS_JPEG | {"Accept": "text/html"}}, 406, "application/json"),
        ({"content": JPEG, "headers": AS_JPEG, "params": {"min_score": "2"}}, 422, "min_score"),
        ({"content": JPEG, "headers": AS_JPEG, "params": {"min_score": "nan"}}, 422, "min_score"),
        ({"content": JPEG, "headers": AS_JPEG, "params": {"top_k": "0"}}, 422, "top_k"),
        ({"content": JPEG, "headers": AS_JPEG, "params": {"classes": "gren"}}, 422, "there are blue, red"),
        ({"content": JPEG, "headers": AS_JPEG, "params": {"threshold": "1"}}, 422, "no option 'threshold'"),
        ({"files": as_form(JPEG), "data": {"threshold": "1"}}, 422, "no option 'threshold'"),
        ({"files": as_form(JPEG), "data": {"top_k": "5"}, "params": {"top_k": "5"}}, 422, "in the form"),
        ({"files": as_form(JPEG), "data": {"top_k": ["5", "6"]}}, 422, "more than once"),
        ({"files": as_form(JPEG), "data": {f"f{n}": "1" for n in range(99)}}, 400, "Too many fields"),
        ({"files": as_form(JPEG), "data": {"classes": "x" * 20_000}}, 400, "maximum size"),
    ],
)
def test_a_bad_request_gets_a_sentence_and_the_next_one_works(request_, status, words, detector, tmp_path, monkeypatch):
    """Nothing is written either."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with client_of(detector, max_megabytes=0.1, max_megapixels=1.0, max_images=2) as client:
        answer = client.post("/v1/detect", **request_)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == status
        assert words in problem["detail"] + problem.get("fix", "")
        assert "Traceback" not in answer.text
        assert client.post("/v1/detect", content=JPEG, headers=AS_JPEG).status_code == 200
        assert client.app.state.ready
    assert list(tmp_path.iterdir()) == []


def test_more_detections_than_an_exported_file_can_give_are_refused(exported):
    """The message has its limit, and not the path of the file."""
    with client_of(Detector.load(exported["onnx"])) as client:
        answer = client.post("/v1/detect?top_k=1000", content=JPEG, headers=AS_JPEG)
        assert (answer.status_code, "200 detections per image" in answer.json()["detail"]) == (422, True)
        assert exported["onnx"].name not in answer.text
        assert "image again" not in answer.json()["fix"]


def test_the_model_is_described(client, detector):
    model = client.get("/v1/model").json()
    assert [one["name"] for one in model["classes"]] == list(detector.card.classes)
    assert all(one["color"].startswith("#") and len(one["color"]) == 7 for one in model["classes"])
    assert (model["image_size_px"], model["limits"]["images"]) == (300, 16)


def test_a_full_queue_is_answered_with_the_time_to_try_again(detector):
    with client_of(detector, queue=2, max_images=2) as client:
        too_many = client.post("/v1/detect", files=as_form(JPEG, JPEG))
        assert too_many.status_code == 200
        places = client.app.state.service.batcher.places(2)
        with places:
            answers = [client.post("/v1/detect", content=JPEG, headers=AS_JPEG), client.get("/readyz")]
            assert client.get("/healthz").status_code == 200
        for answer in answers:
            assert (answer.status_code, int(answer.headers["retry-after"]) >= 1) == (503, True)
        assert client.get("/readyz").status_code == 200


def test_a_response_that_takes_too_long_is_given_up(detector, monkeypatch):
    async def never(*_):
        raise TimeoutError

    with client_of(detector) as client:
        monkeypatch.setattr(client.app.state.service, "detect", never)
        answer = client.post("/v1/detect", content=JPEG, headers=AS_JPEG)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
