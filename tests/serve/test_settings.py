"""The limits of a server have ranges, and its token is not printed."""

import pytest

from ssd300.serve.settings import MOST_IMAGES, ServeSettings


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"queue": 0}, "queue is 0"),
        ({"timeout_s": float("nan")}, "timeout_s"),
        ({"max_images": 500}, "no more than queue"),
        ({"root_path": "detector"}, "looks like /detector"),
        ({"root_path": "//evil.example"}, "looks like /detector"),
        ({"root_path": '/a"b'}, "looks like /detector"),
        ({"allow_hosts": ("https://example.org",)}, "a name like detector.example.org"),
        ({"allow_hosts": ("example.org:443",)}, "without a port"),
        ({"token": ""}, "token"),
        ({"token": "a\nb"}, "token"),
        ({"cors_origins": ("example.org",)}, "looks like"),
    ],
)
def test_a_value_out_of_its_range_is_named(fields, words):
    with pytest.raises(ValueError, match=words):
        ServeSettings(**fields)


def test_a_request_has_no_more_images_than_fit_into_the_queue():
    assert ServeSettings().images_per_request == MOST_IMAGES
    assert ServeSettings(queue=3).images_per_request == 3
    assert ServeSettings(max_images=5).images_per_request == 5


def test_megabytes_and_megapixels_are_powers_of_ten():
    settings = ServeSettings(max_megabytes=0.5, max_megapixels=2.0)
    assert (settings.max_bytes, settings.max_pixels) == (500_000, 2_000_000)


def test_the_token_is_not_printed():
    assert "secret" not in repr(ServeSettings(token="secret"))
