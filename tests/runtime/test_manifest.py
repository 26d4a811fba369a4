"""A manifest is read back as it was written; one that cannot be used is refused with the reason."""

import json
from pathlib import Path

import pytest

from ssd300.errors import WeightsError
from ssd300.runtime.manifest import FORMAT_VERSION, Manifest, parse_manifest

MANIFEST = Manifest(
    model="m", classes=("a", "b"), image_size_px=300, resize="pillow-bilinear-antialias", precision="fp32",
    suppresses=True, top_k=200, min_scores={"a": 0.5},
)  # fmt: skip


def test_a_manifest_is_read_back_equal():
    assert parse_manifest(MANIFEST.to_json(), Path("m.onnx")) == MANIFEST


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "does not list its classes"),
        ("no JSON", "cannot be read"),
        ("{}", "cannot be read"),
        (json.dumps(json.loads(MANIFEST.to_json()) | {"unknown": 1}), "cannot be read"),
        (json.dumps(json.loads(MANIFEST.to_json()) | {"format_version": FORMAT_VERSION + 1}), "Install a newer"),
        (
            json.dumps(json.loads(MANIFEST.to_json()) | {"resize": "other"}),
            "other",
        ),  # the type checker of the tests or our own check
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused(text, message):
    with pytest.raises(WeightsError, match=message):
        parse_manifest(text, Path("m.onnx"))
