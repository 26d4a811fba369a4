"""The camera view of the page in headless Chromium, which has cameras that are not real."""

import re
import time

import pytest
from playwright.sync_api import expect

from browsing import drop, found, requests_of

pytestmark = pytest.mark.slow

HIDE = """() => {
  Object.defineProperty(document, "hidden", { value: true, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
NO_CAMERA = "() => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', '%s'); }; }"


def start(page):
    page.get_by_role("button", name="Live camera").click()
    expect(page.locator("#rate")).to_have_text(re.compile(r"^\d+\.\d frames/s · \d+ ms$"), timeout=20_000)


def stopped(page) -> bool:
    """Whether the camera is off, and no frame is sent any more."""
    expect(page.get_by_role("button", name="Live camera")).to_be_visible()
    expect(page.locator("#rate")).to_be_hidden()
    sent = requests_of(page)
    page.wait_for_timeout(300)
    return sent == [] and page.evaluate("document.querySelector('#video').srcObject === null")


def drawn_pixels(page) -> int:
    """How many pixels of the canvas over the video are not transparent."""
    return page.evaluate("""() => {
      const canvas = document.querySelector("#canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((value, index) => index % 4 === 3 && value > 0).length;
    }""")


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, {"width": 390, "height": 844}])
def test_boxes_are_drawn_over_the_video_until_it_is_stopped(viewport, server, open_page):
    page = open_page(server, viewport=viewport)
    running, most = [], []
    page.on("request", lambda request: running.append(request) or most.append(len(running))
            if "/v1/detect" in request.url else None)  # fmt: skip
    page.on("requestfinished", lambda request: running.remove(request) if request in running else None)
    start(page)
    assert len(most) > 1
    assert set(most) == {1}  # never a queue
    expect(page.locator("#found-title")).to_have_text(re.compile(r"^\d+ found"))
    page.locator("#min-score").evaluate(
        "(slider) => { slider.value = 0.05; slider.dispatchEvent(new Event('input')); }"
    )
    page.wait_for_timeout(300)
    places = [page.locator(name).bounding_box() for name in ("#video", "#canvas")]
    assert places[0] == pytest.approx(places[1], abs=1)
    area = page.evaluate("document.querySelector('#canvas').width * document.querySelector('#canvas').height")
    assert 0 < drawn_pixels(page) < area
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("button", name="Stop camera").click()
    assert stopped(page)
    expect(page.locator("#empty")).to_be_visible()


def test_a_class_can_be_hidden_while_it_runs(server, open_page):
    page = open_page(server)
    start(page)
    blue = page.locator("#classes button").first
    blue.click()
    expect(blue).to_have_attribute("aria-pressed", "false")


def test_a_picture_is_captured(server, open_page, photo):
    page = open_page(server)
    start(page)
    page.get_by_role("button", name="Capture image").click()
    expect(page.locator(".badge")).to_have_count(1)
    expect(page.get_by_role("button", name="Capture image")).to_be_hidden()
    found(page)
    assert stopped(page)


def test_one_of_several_cameras_is_chosen(server, open_page):
    page = open_page(server)
    expect(page.get_by_label("Choose a camera")).to_be_hidden()
    start(page)
    expect(page.locator("#caption")).to_contain_text("fake_device_0")
    page.get_by_label("Choose a camera").select_option(label="fake_device_1")
    expect(page.locator("#caption")).to_contain_text("fake_device_1")
    expect(page.get_by_label("Choose a camera")).to_have_js_property("selectedIndex", 1)
    expect(page.locator("#rate")).to_have_text(re.compile("frames/s"), timeout=20_000)


def test_it_stops_when_the_page_is_hidden_and_when_the_camera_is_unplugged(server, open_page, photo):
    page = open_page(server)
    start(page)
    page.evaluate(HIDE)
    assert stopped(page)
    expect(page.locator("#note")).to_contain_text("no longer in view")
    start(page)
    expect(page.locator("#note")).to_be_hidden()
    page.evaluate("document.querySelector('#video').srcObject.getTracks()[0].dispatchEvent(new Event('ended'))")
    assert stopped(page)
    expect(page.locator("#note")).to_have_text("The camera was disconnected.")
    drop(page, photo)
    found(page)
    expect(page.locator("#note")).to_be_hidden()


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        ("NotAllowedError", "not allowed to use the camera. Allow it"),
        ("NotFoundError", "No camera was found. Connect one"),
        ("NotReadableError", "another program may be using it"),
    ],
)
def test_what_is_wrong_with_the_camera_is_said(cause, sentence, server, open_page):
    page = open_page(server)
    page.evaluate(NO_CAMERA % cause)
    page.get_by_role("button", name="Live camera").click()
    expect(page.get_by_role("alert")).to_contain_text(sentence)
    assert stopped(page)


def test_a_page_without_https_from_elsewhere_says_where_the_camera_works(server, open_page):
    page = open_page(server, host="elsewhere")
    page.get_by_role("button", name="Live camera").click()
    port = server.host_port[1]
    expect(page.get_by_role("alert")).to_contain_text(f"only on http://localhost:{port}/")
    expect(page.get_by_role("alert")).to_contain_text(f"this page is at http://elsewhere:{port}")


def test_a_stop_before_the_camera_is_allowed_ends_it(server, open_page):
    page = open_page(server)
    page.evaluate("""() => {
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (what) => {
        await new Promise((done) => { window.allow = done; });
        window.stream = await ask(what);
        return window.stream;
      };
    }""")
    page.get_by_role("button", name="Live camera").click()
    expect(page.locator("#rate")).to_contain_text("Waiting for the camera")
    page.get_by_role("button", name="Stop camera").click()
    page.evaluate("window.allow()")
    deadline = time.monotonic() + 5
    while page.evaluate("window.stream?.getTracks()[0].readyState") != "ended":
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)
    assert stopped(page)


def test_a_busy_server_does_not_stop_it_but_a_failing_one_does(server, open_page):
    page = open_page(server)
    start(page)
    busy = {"status": 503, "detail": "The server is busy with as much as it accepts."}
    page.route("**/v1/detect*", lambda route: route.fulfill(status=503, json=busy), times=3)
    expect(page.locator("#rate")).to_have_text("The server is busy …")
    expect(page.locator("#rate")).to_have_text(re.compile("frames/s"), timeout=20_000)
    page.route("**/v1/detect*", lambda route: route.fulfill(status=500, json={"detail": "Something failed."}))
    expect(page.get_by_role("alert")).to_contain_text("Something failed.")
    assert stopped(page)
