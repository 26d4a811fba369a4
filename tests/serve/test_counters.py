"""Metrics count requests, images and detections."""

from prometheus_client.parser import text_string_to_metric_families

from serving import AS_JPEG, JPEG, as_form
from ssd300.serve.counters import Counters


def test_requests_and_images_are_counted_by_address_and_status(client):
    client.post("/v1/detect", files=as_form(JPEG, JPEG), params={"min_score": 0.3})
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


def test_the_queue_is_counted_while_it_is_held():
    counters = Counters()

    def queued() -> float:
        families = {family.name: family for family in text_string_to_metric_families(counters.text().decode())}
        return families["ssd300_queue"].samples[0].value

    with counters.queue_holds(3):
        assert queued() == 3
    assert queued() == 0
