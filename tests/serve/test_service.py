"""The service detects on uploaded files as the detector does, whatever other requests send."""

import asyncio
import io

import numpy as np
import pytest
from PIL import Image

from serving import JPEG, image_file
from ssd300.errors import DataError
from ssd300.images.header import ImageTooLargeError
from ssd300.images.read import decode_image
from ssd300.serve.service import Service, UploadedImage


@pytest.fixture
def service(detector):
    made = Service(detector, batch_size=2, queue=4, max_pixels=20_000)
    yield made
    made.close()


def upload(content=JPEG, name="a.jpg") -> UploadedImage:
    return UploadedImage(name=name, content=content)


def test_detections_are_those_of_the_detector(service, detector):
    first, second = asyncio.run(service.detect([upload(), upload(image_file(seed=1), "b.jpg")], service.selection()))
    wanted = detector(decode_image(JPEG, where="test"))
    np.testing.assert_allclose(first.detections.boxes, wanted.boxes, atol=1e-3)
    assert (first.detections.image, second.detections.image) == ("a.jpg", "b.jpg")
    assert set(first.seconds) == {"decode", "wait", "network", "select"}
    assert 1 <= first.batch_size <= 2


def test_classes_that_are_not_named_are_not_detected(service, detector):
    selection = service.selection(min_score=0.3, classes=["red"])
    (answer,) = asyncio.run(service.detect([upload()], selection))
    assert set(answer.detections.names) == {"red"}
    with pytest.raises(ValueError, match="no class 'green'; there are blue, red"):
        service.selection(classes=["green"])


@pytest.mark.parametrize(("content", "kind"), [(JPEG[:900], DataError), (image_file((200, 200)), ImageTooLargeError)])
def test_one_bad_image_fails_the_request_and_not_the_next_one(service, content, kind):
    with pytest.raises(kind, match=r"b\.jpg"):
        asyncio.run(service.detect([upload(), upload(content, "b.jpg")], service.selection()))
    assert len(asyncio.run(service.detect([upload()], service.selection()))) == 1


def test_an_image_is_drawn_in_the_format_that_was_asked_for(service):
    (answer,) = asyncio.run(service.detect([upload()], service.selection()))
    drawn = Image.open(io.BytesIO(asyncio.run(service.draw(upload(), answer.detections, "png"))))
    assert (drawn.format, drawn.size) == ("PNG", (120, 90))
    assert (np.asarray(drawn) != decode_image(JPEG, where="test")).any()
