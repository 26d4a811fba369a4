"""The format of a response is that which the request prefers."""

import pytest

from ssd300.serve.accepting import choose_format


@pytest.mark.parametrize(
    ("accept", "media_type"),
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
def test_the_preferred_format_is_chosen(accept, media_type):
    assert choose_format(accept) == media_type
