import pytest

from ssd300.cli.export import _agreement_in_words


@pytest.mark.parametrize(
    ("detections", "words"),
    [
        (
            0,
            "compared with the weights on 1 image: raw scores and boxes agree; neither detects an object, so name "
            "--images that have some to compare detections too",
        ),
        (
            41,
            "compared with the weights on 1 image: both find 97.5% of 41 detections; for 99% of these, scores differ "
            "by at most 0.0012, boxes by 0.03 (1 - IoU)",
        ),
    ],
)
def test_agreement_is_a_sentence(detections, words):
    seen = {"images": 1, "detections": detections, "found": 0.9751, "score": 0.00123, "box": 0.03}
    assert _agreement_in_words(seen) == words
