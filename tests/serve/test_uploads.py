"""Bodies are read into memory within limits; names of files are only names."""

import io

import pytest
from PIL import Image

from serving import AS_JPEG, JPEG, as_form, client_of, image_file
from ssd300.serve.batcher import FullError
from ssd300.serve.uploads import Memory


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\a\\b.jpg", "b.jpg"),
        ("a\x1b[31m.jpg", "a[31m.jpg"),
        ("é.jpg", "é.jpg"),
        ("a/..", ""),
    ],
)
def test_the_name_of_a_file_is_stripped_of_folders_and_control_characters(name, stored, client):
    disposition = f'Content-Disposition: form-data; name="file"; filename="{name}"'.encode()
    body = b"--x\r\n" + disposition.replace(b"\\", b"\\\\") + b"\r\n\r\n" + JPEG + b"\r\n--x--\r\n"
    answer = client.post("/v1/detect", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.json()["images"][0]["image"] == stored


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (b"filename*=UTF-8''caf%C3%A9.jpg", "café.jpg"),
        (b"filename=\"a.jpg\"; filename*=UTF-8''caf%C3%A9.jpg", "café.jpg"),
        (b"filename*=UTF-8''caf%C3%A9.jpg; filename=\"a.jpg\"", "café.jpg"),
        (b"filename*=iso-8859-1'fr'caf%E9.jpg", "café.jpg"),
        (b"filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "passwd"),
        (b"filename*=UTF-8''", ""),
        (b"filename*=nonsense''%FF", "\ufffd"),
        (b'filename="a;b.jpg"', "a;b.jpg"),
        (b'filename="a\\"b.jpg"', 'a"b.jpg'),
        (b'filename="a%22b.jpg"', 'a"b.jpg'),
        (b'filename="caf\xe9.jpg"', "café.jpg"),
        ('filename="café 红.jpg"'.encode(), "café 红.jpg"),
        (b'filename="=?utf-8?B?Y2Fmw6kuanBn?="', "café.jpg"),
    ],
)
def test_names_of_files_are_read_in_all_usual_forms(given, stored, client):
    body = b'--x\r\nContent-Disposition: form-data; name="file"; ' + given + b"\r\n\r\n" + JPEG + b"\r\n--x--\r\n"
    answer = client.post("/v1/detect", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert [image["image"] for image in answer.json()["images"]] == [stored]


def test_images_of_many_formats_are_read(client):
    for file_format in ("PNG", "WEBP", "BMP", "TIFF", "GIF"):
        body, kind = image_file(form=file_format), "application/octet-stream"
        assert client.post("/v1/detect", content=body, headers={"Content-Type": kind}).status_code == 200, file_format


def test_what_was_done_with_an_image_stands_in_the_answer(client):
    """Of several pages the first is taken; an image of one page has no notes."""
    pages = [Image.new("RGB", (60, 40), color) for color in ("red", "green", "blue")]
    file = io.BytesIO()
    pages[0].save(file, format="TIFF", save_all=True, append_images=pages[1:])
    answer = client.post("/v1/detect", files=as_form(file.getvalue(), JPEG))
    several, single = answer.json()["images"]
    assert ["1 of 3" in note for note in several["notes"]] == [True]
    assert not single.get("notes")


def test_bodies_of_all_requests_together_have_a_limit(detector, monkeypatch):
    monkeypatch.setattr("ssd300.serve.settings.BODIES_IN_MEMORY", 0)
    with client_of(detector) as client:
        assert client.post("/v1/detect", content=JPEG, headers=AS_JPEG).status_code == 503


def test_a_share_of_the_memory_is_given_back_at_the_end():
    memory = Memory(10)
    with memory.share() as one, memory.share() as other:
        one.take(6)
        with pytest.raises(FullError):
            other.take(5)
        other.take(4)
    with memory.share() as share:
        share.take(10)


def test_an_encoded_body_is_refused(client):
    answer = client.post("/v1/detect", content=JPEG, headers=AS_JPEG | {"Content-Encoding": "gzip"})
    assert (answer.status_code, "gzip" in answer.json()["detail"]) == (415, True)
