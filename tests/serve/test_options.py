"""Options come from the address and the form, each once."""

import pytest

from serving import AS_JPEG, JPEG, as_form


def test_an_option_that_is_sent_twice_is_refused(client):
    answer = client.post("/v1/detect?min_score=0.1&min_score=0.9", content=JPEG, headers=AS_JPEG)
    assert (answer.status_code, "more than once" in answer.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("address", "form", "top"),
    [({"top_k": 3}, {}, 3), ({}, {"top_k": 3}, 3), ({"min_score": 0.3}, {"top_k": 4}, 4)],
)
def test_options_of_the_address_and_of_the_form_hold_together(address, form, top, client):
    answer = client.post("/v1/detect", params={"min_score": 0} | address, data=form, files=as_form(JPEG))
    assert len(answer.json()["images"][0]["detections"]) == top


def test_several_classes_in_a_form_are_all_detected(client):
    form = {"classes": ["red", "blue"], "min_score": 0.3}
    answer = client.post("/v1/detect", data=form, files=as_form(JPEG))
    assert {one["label"] for one in answer.json()["images"][0]["detections"]} == {"blue", "red"}
