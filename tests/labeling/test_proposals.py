import threading

import pytest

from ssd300.labeling.proposals import LOWEST_SCORE, Proposer


@pytest.fixture
def images(photos):
    (photos / "img1.png").write_bytes(b"no image")
    return sorted(photos.glob("*.png"))


def test_images_are_looked_at_in_the_order_in_which_they_are_asked_for(images, exported):
    order: list[int] = []
    done = threading.Event()

    def found(number):
        order.append(number)
        if len(order) == 3:
            done.set()

    proposer = Proposer(str(exported["raw"]), images, found=found)
    try:
        first = proposer.ask(2, [1, 7, -1], wait_s=60.0)
        assert first is not None
        assert first.proposals
        assert all(one.score > LOWEST_SCORE for one in first.proposals)
        proposer.ask_for_all(range(3))
        assert done.wait(60)
        assert order == [2, 1, 0]
        broken = proposer.known(1)
        assert broken is not None
        assert "not an image" in broken.fault
        assert set(proposer.all_known()) == {0, 1, 2}
        assert proposer.left == 0
    finally:
        proposer.close()


def test_weights_that_cannot_be_loaded_are_told_and_not_waited_for(images, tmp_path):
    proposer = Proposer(str(tmp_path / "missing.onnx"), images)
    try:
        assert proposer.ask(0, wait_s=60.0) is None
        assert "missing.onnx" in proposer.fault
        assert proposer.classes == ()
    finally:
        proposer.close()
