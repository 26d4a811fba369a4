"""The page in headless Chromium, as a person would use it."""

import json
import re
import shutil
import xml.etree.ElementTree as ElementTree
from base64 import b64encode

import pytest
import torch
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from serving import running
from ssd300.data.formats.voc_xml import read_xml
from ssd300.images.header import image_size_hw
from ssd300.weights import load_weights, save_weights

CHROMIUM = shutil.which("chromium")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)  # fmt: skip
DROP = """([name, content]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
  const event = name.startsWith("pasted") ? new ClipboardEvent("paste", { clipboardData: dataTransfer, bubbles: true })
    : new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
  document.querySelector("#stage").dispatchEvent(event);
}"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian's package chromium)")


@pytest.fixture(scope="module")
def unsure_run(light_run_of_session, tmp_path_factory):
    """The same network with lower scores, which differ from one another."""
    model, card = load_weights(light_run_of_session)
    with torch.no_grad():
        for parameter in model.heads.logits.parameters():
            parameter.mul_(0.1)
    path = tmp_path_factory.mktemp("unsure") / "weights.safetensors"
    save_weights(path, model, card)
    return path


@pytest.fixture(scope="module")
def server(unsure_run):
    with running(unsure_run) as server:
        yield server


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """Opens the page of a server. The test fails if the page requests anything elsewhere or a script fails."""
    faults, contexts = [], []

    def note_error(message):
        handled = message.text.startswith("Failed to load resource")  # an error status, which the page shows
        if message.type == "error" and not handled:
            faults.append(message.text)

    def opened(server, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", note_error)
        page.on("request", lambda request: None if request.url.startswith((server.address, "blob:", "data:"))
                else faults.append(request.url))  # fmt: skip
        page.goto(server.address + "/")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def photo(voc_sample):
    return sorted((voc_sample / "VOC2007/JPEGImages").glob("*.jpg"))[0]


@pytest.fixture
def second(voc_sample):
    return sorted((voc_sample / "VOC2007/JPEGImages").glob("*.jpg"))[1]


def drop(page, path, name=None):
    page.evaluate(DROP, [name or path.name, b64encode(path.read_bytes()).decode()])


def found(page) -> int:
    """The number of detections in the list, once the image is processed."""
    expect(page.locator("#found-title")).to_have_text(re.compile(r"^\d+ found(, and there may be more)?$"))
    count = int(page.locator("#found-title").inner_text().split()[0])
    expect(page.locator("#found li")).to_have_count(count)
    return count


def choose(page, *paths):
    """Choose files, and wait until each has its number of detections."""
    page.set_input_files("#files", [str(path) for path in paths])
    expect(page.locator(".badge")).to_have_count(len(paths))
    expect(page.locator(".badge", has_text="…")).to_have_count(0, timeout=60_000)


def chip(page, label):
    group = page.get_by_role("group", name="Classes that are shown")
    return group.get_by_role("button", name=re.compile(f"^{label} "))


def set_slider(page, name, value):
    page.get_by_role("slider", name=name).evaluate(
        "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }", str(value)
    )


def requests_of(page) -> list[str]:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/v1/detect" in request.url else None)
    return sent


def downloaded(page, button, tmp_path):
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button, exact=True).click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_drop_filter_hide_and_download(server, open_page, photo, tmp_path):
    page = open_page(server)
    expect(page.locator("#model")).to_contain_text("2 classes")
    sent = requests_of(page)
    drop(page, photo)
    every = found(page)
    assert len(sent) == 1
    expect(page.locator("#timing dt")).to_have_text(["Receive", "Decode", "Wait", "Network", "Select (NMS)", "Total"])

    limit = float(page.locator("#found .score").nth(every // 2).inner_text())
    set_slider(page, "Confidence threshold", limit)
    expect(page.locator("#found-title")).not_to_contain_text(f"{every} found")
    some = found(page)
    assert 0 < some < every
    assert len(sent) == 1  # no other request
    scores = [float(text) for text in page.locator("#found .score").all_inner_texts()]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) >= limit

    chip(page, "blue").click()
    red = found(page)
    assert set(page.locator("#found .name").all_inner_texts()) == {"red"}
    assert len(sent) == 1

    (rows,) = json.loads(downloaded(page, "JSON", tmp_path).read_text())["images"]
    height, width = image_size_hw(photo)
    assert (rows["image"], (rows["width"], rows["height"])) == (photo.name, (width, height))
    assert len(rows["detections"]) == red
    image = downloaded(page, "PNG", tmp_path)
    assert image.read_bytes().startswith(b"\x89PNG")
    assert image_size_hw(image) == (height, width)
    xml = downloaded(page, "VOC XML", tmp_path)
    assert [item.findtext("name") for item in ElementTree.parse(xml).iter("object")] == ["red"] * red
    boxes = [list(one["box"].values()) for one in rows["detections"]]
    assert [list(item.box_px) for item in read_xml(xml).objects] == [pytest.approx(box, abs=0.01) for box in boxes]

    chip(page, "blue").click()
    assert found(page) == some


def test_another_nms_iou_needs_a_new_request(server, open_page, photo):
    page = open_page(server)
    drop(page, photo)
    found(page)
    sent = requests_of(page)
    blue = chip(page, "blue")
    before = blue.inner_text()
    set_slider(page, "NMS IoU", 0.1)
    expect(page.locator(".badge")).to_have_text("…")  # the old detections belong to another NMS IoU
    expect(page.get_by_role("button", name="PNG", exact=True)).to_be_disabled()
    expect(blue).not_to_have_text(before)
    assert len(sent) == 1
    assert "max_overlap=0.1" in sent[0]


def test_files_hold_what_is_visible_even_if_top_k_is_reached(server, open_page, photo, tmp_path):
    page = open_page(server)
    drop(page, photo)
    found(page)
    set_slider(page, "NMS IoU", 1)
    expect(page.locator(".badge")).to_have_text("…")
    expect(page.locator(".badge")).to_have_text("200")
    expect(page.locator("#found-title")).to_have_text("200 found, and there may be more")
    chip(page, "blue").click()
    expect(page.locator("#found-title")).not_to_contain_text("200")
    red = page.locator("#found li").count()
    assert 0 < red < 200
    (rows,) = json.loads(downloaded(page, "JSON", tmp_path).read_text())["images"]
    xml = downloaded(page, "VOC XML", tmp_path)
    assert len(rows["detections"]) == len(read_xml(xml).objects) == red


def test_another_nms_iou_is_applied_to_all_images(server, open_page, photo, second):
    page = open_page(server)
    choose(page, photo, second)
    expect(page.locator("#caption")).to_contain_text("1 of 2")
    sent = requests_of(page)
    set_slider(page, "NMS IoU", 0.1)
    expect(page.locator(".badge", has_text="…")).to_have_count(2)
    expect(page.locator(".badge", has_text="…")).to_have_count(0)
    assert len(sent) == 2


def test_a_row_highlights_its_box_and_a_box_its_row(server, open_page, photo):
    page = open_page(server)
    drop(page, photo)
    found(page)
    canvas = "document.querySelector('#canvas').toDataURL()"
    before = page.evaluate(canvas)
    page.locator("#found button").nth(2).hover()
    highlighted = page.locator("#found button.highlighted")
    expect(highlighted).to_have_count(1)
    assert page.evaluate(canvas) != before
    page.mouse.move(1, 1)
    expect(highlighted).to_have_count(0)
    assert page.evaluate(canvas) == before
    place = page.locator("#canvas").bounding_box()
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    expect(highlighted).to_have_count(1)


def test_several_images_and_the_keyboard(server, open_page, photo, second):
    page = open_page(server)
    choose(page, photo, second)
    badges = page.locator(".badge")
    drop(page, photo, name="pasted.jpg")
    expect(badges).to_have_count(3)
    expect(page.locator(".badge", has_text="…")).to_have_count(0)
    shown = page.locator(".open[aria-current=true]")
    expect(shown).to_have_attribute("aria-label", re.compile("^pasted"))
    page.keyboard.press("ArrowLeft")
    expect(shown).to_have_attribute("aria-label", re.compile(rf"^{second.name}, \d+ found"))
    expect(page.locator("#status")).to_contain_text(second.name)  # for screen readers
    page.locator("#found button").first.focus()
    expect(page.locator("#found button.highlighted")).to_have_count(1)
    page.keyboard.press("ArrowLeft")
    expect(shown).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(shown).to_be_focused()
    expect(shown).to_have_attribute("aria-label", re.compile(f"^{second.name}"))
    page.get_by_role("button", name=f"Remove {second.name}").click()
    expect(badges).to_have_count(2)
    for left in (1, 0):  # by keyboard: the focus goes to the neighbor, at the end to the file input
        page.locator(".remove").last.focus()
        page.keyboard.press("Enter")
        expect(badges).to_have_count(left)
        expect(page.locator(":focus")).to_have_count(1)
    expect(page.locator("#files")).to_be_focused()


def test_a_waiting_image_can_be_chosen(server, open_page, voc_sample):
    page = open_page(server)
    page.set_input_files("#files", [str(path) for path in sorted((voc_sample / "VOC2007/JPEGImages").glob("*.jpg"))])
    last = page.locator(".open").last
    last.click()
    expect(last).to_have_attribute("aria-current", "true")
    found(page)
    expect(page.locator("#unknown-format")).to_be_hidden()
    assert page.evaluate("document.querySelector('#canvas').getContext('2d').getImageData(9, 9, 1, 1).data[3]") == 255
    expect(page.locator(".badge", has_text="…")).to_have_count(0, timeout=60_000)


def test_a_format_unknown_to_the_browser_is_reported(server, open_page, photo, tmp_path):
    page = open_page(server)
    with Image.open(photo) as image:
        image.save(tmp_path / "a.tiff")
    page.set_input_files("#files", str(tmp_path / "a.tiff"))
    found(page)
    expect(page.locator("#unknown-format")).to_contain_text("PNG download")
    assert downloaded(page, "PNG", tmp_path).read_bytes().startswith(b"\x89PNG")


def test_hiding_all_classes_is_not_the_same_as_finding_nothing(server, open_page, photo):
    page = open_page(server)
    drop(page, photo)
    found(page)
    for label in ("blue", "red"):
        chip(page, label).click()
    expect(page.locator("#found-title")).to_have_text("All hidden")
    expect(page.get_by_role("button", name="PNG", exact=True)).to_be_disabled()


def test_errors_are_sentences(server, open_page, photo, tmp_path):
    page = open_page(server)
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(photo.read_bytes()[:3000])
    drop(page, bad)
    expect(page.get_by_role("alert")).to_contain_text("bad.jpg: ")
    expect(page.get_by_role("alert")).to_contain_text("cannot be read")
    drop(page, photo)
    found(page)
    expect(page.get_by_role("alert")).to_be_hidden()


def test_the_page_asks_for_the_token(exported, open_page, photo):
    with running(exported["onnx"], "--token", "sesame") as server:
        page = open_page(server)
        field = page.get_by_label("This server requires a token.")
        for word, hidden in (("shut", False), ("sesame", True)):
            field.fill(word)
            page.get_by_role("button", name="Continue").click()
            expect(page.get_by_role("alert")).to_be_visible(visible=not hidden)
            expect(field).to_be_visible(visible=not hidden)
        drop(page, photo)
        found(page)


def test_an_image_refused_for_its_token_is_sent_again_with_the_new_one(server, open_page, photo):
    page = open_page(server)
    problem = {"status": 401, "detail": "The token is wrong."}
    page.route("**/v1/detect*", lambda route: route.fulfill(status=401, json=problem), times=1)
    drop(page, photo)
    expect(page.get_by_role("alert")).to_contain_text("The token is wrong.")
    page.get_by_label("This server requires a token.").fill("new")
    page.get_by_role("button", name="Continue").click()
    found(page)
    expect(page.get_by_role("alert")).to_be_hidden()


def test_the_camera(server, open_page):
    page = open_page(server, permissions=["camera"])
    page.get_by_role("button", name="Camera").click()
    found(page)
    page.get_by_role("button", name="Capture image").click()
    expect(page.locator(".badge")).to_have_count(1)
    expect(page.get_by_role("button", name="Capture image")).to_be_hidden()
    found(page)


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 740}}])
def test_it_follows_the_dark_mode_and_fits_a_phone(options, server, open_page, photo):
    page = open_page(server, **options)
    drop(page, photo)
    found(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background)[:3])) < 200) == ("color_scheme" in options)


def test_the_api_description_opens(server, open_page):
    page = open_page(server)
    page.get_by_role("link", name="API").click()
    expect(page.locator(".opblock")).to_have_count(5)
