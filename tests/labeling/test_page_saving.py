"""The page and what happens around it: nobody's work is lost, and nobody else gets in."""

import json
import os
import signal

import pytest
from playwright.sync_api import expect

from label_page import SAVED, add_class, boxes_of, drag, opened, opened_with_a_box, wait_until_saved
from ssd300.errors import UsageError
from ssd300.serve.listening import bind

pytestmark = pytest.mark.slow


def test_what_cannot_be_read_is_refused_marked_and_not_counted(open_page, photos, label):
    whole = (photos / "img1.png").read_bytes()
    (photos / "img1.png").write_bytes(whole[: len(whole) // 2])
    (photos / "img2.xml").write_text("<annotation><object>")
    with label(photos) as server:
        page = opened(open_page, server)
        expect(page.locator(".image-row .state.fault")).to_have_count(2)
        expect(page.locator("#progress-text")).to_have_text("0 of 3 labeled")
        page.locator("#image-1").click()
        expect(page.locator("#error")).to_contain_text("img1.png cannot be labeled: the image cannot be read")
        expect(page.locator("#boxes-title")).to_have_text("The image cannot be read")
        page.locator("#image-2").click()
        expect(page.locator("#error")).to_contain_text(f"Correct {photos / 'img2.xml'}, or remove it")
        expect(page.locator("#boxes-title")).to_have_text("The labels cannot be read")
        page.locator("#canvas").focus()
        page.keyboard.press("b")
        expect(page.locator("#boxes li")).to_have_count(0)
        (photos / "img2.xml").unlink()
        expect(page.locator("#boxes-title")).to_have_text("No boxes yet", timeout=SAVED)
        (photos / "img1.png").write_bytes(whole)
        page.locator("#image-1").click()
        expect(page.locator("#boxes-title")).to_have_text("No boxes yet")
        expect(page.locator(".image-row .state.fault")).to_have_count(0, timeout=SAVED)


def test_two_tabs_see_each_other_and_a_conflict_has_two_ways_out(open_page, photos, label):
    with label(photos) as server:
        first, second = opened(open_page, server), opened(open_page, server)
        add_class(first, "cat")
        drag(first, (5, 5), (20, 25))
        wait_until_saved(first)
        expect(second.locator("#boxes li")).to_have_count(1, timeout=SAVED)
        expect(second.locator("#note")).to_contain_text("changed these labels")

        board = second.locator("#canvas").bounding_box()
        place = photos / "img0.xml"
        mine = place.read_text()
        second.route("**/v1/label/changes*", lambda route: route.abort())  # it hears of nothing now
        place.write_text(mine.replace("<xmax>20<", "<xmax>21<"))
        drag(second, (30, 10), (50, 30))
        expect(second.locator("#conflict")).to_be_visible(timeout=SAVED)
        expect(second.locator("#note")).to_be_hidden()
        assert second.locator("#canvas").bounding_box() == board  # what comes and goes does not move the image
        second.keyboard.press("ArrowLeft")
        second.keyboard.press("ArrowRight")
        expect(second.locator("#saved")).to_have_text("Not saved: changed elsewhere")
        assert boxes_of(place) == [("cat", 5, 5, 21, 25)]
        second.get_by_role("button", name="Save mine over them").click()
        wait_until_saved(second)
        assert boxes_of(place) == [("cat", 5, 5, 20, 25), ("cat", 30, 10, 50, 30)]

        place.write_text(mine.replace("<xmax>20<", "<xmax>22<"))
        second.keyboard.press("Delete")
        second.get_by_role("button", name="Take the other labels").click()
        wait_until_saved(second)
        expect(second.locator("#boxes li")).to_have_count(1)
        assert boxes_of(place) == [("cat", 5, 5, 22, 25)]


def test_a_server_that_is_killed_between_two_saves_loses_nothing(open_page, photos, label):
    with label(photos) as server:
        page = opened_with_a_box(open_page, server)
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        drag(page, (30, 10), (50, 30))
        expect(page.locator("#saved")).to_have_text("Not saved", timeout=SAVED)
        expect(page.locator("#error")).to_contain_text("does not respond")
        assert boxes_of(photos / "img0.xml") == [("cat", 5, 5, 20, 25)]
        port = server.address.rpartition(":")[2]
        with label(photos, "--port", port):
            wait_until_saved(page)
            assert boxes_of(photos / "img0.xml") == [("cat", 5, 5, 20, 25), ("cat", 30, 10, 50, 30)]


def test_a_token_is_asked_for(open_page, photos, label):
    with label(photos, "--token", "secret") as server:
        assert json.loads(server.get("/v1/label/project")[1])["status"] == 401
        assert server.get("/v1/label/images/0/small")[0] == 401
        page = open_page(server)
        page.get_by_label("This server requires a token.").fill("secret")
        page.get_by_role("button", name="Continue").click()
        expect(page.locator("#zoom")).to_contain_text("%")


def test_a_port_of_another_page_is_recognized(photos, label):
    with label(photos) as server, pytest.raises(UsageError, match=f"Or use the server that runs: {server.address}/"):
        bind(*server.host_port, command=str)
