"""The page in headless Chromium, as a person would use it."""

import io
import json
import re
import xml.etree.ElementTree as ElementTree
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from browsing import chip, choose, downloaded, drop, found, requests_of, set_slider
from serving import running
from ssd300.data.formats.voc_xml import read_xml
from ssd300.images.header import image_size_hw
from ssd300.metrics.words import map_in_words

pytestmark = pytest.mark.slow


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
    drawn_height, drawn_width = image_size_hw(image)
    assert drawn_width >= width
    assert drawn_width / drawn_height == pytest.approx(width / height, abs=0.01)
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
    before = blue.text_content()
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


@pytest.fixture
def by_class():
    """Lets a page believe that the weights store a confidence threshold for each class."""

    def prepare(page):
        def answer(route):
            model = route.fetch().json()
            for one, limit in zip(model["classes"], (0.1, 0.9), strict=True):
                one["min_score"] = limit
            metric = {"value": 0.8349, "words": map_in_words("voc07_11pt@0.5", 0.8349, digits=2), "images": 72}
            route.fulfill(json=model | {"metric": metric})

        page.route("**/v1/model", answer)

    return prepare


def test_thresholds_by_class_can_be_had_back(server, open_page, photo, by_class):
    page = open_page(server, prepare=by_class)
    expect(page.locator("#min-score-value")).to_have_text("by class, 0.10 to 0.90")
    drop(page, photo)
    stored = found(page)
    assert set(page.locator("#found .name").all_inner_texts()) == {"blue"}
    expect(chip(page, "red")).to_contain_text("> 0.90")
    set_slider(page, "Confidence threshold", 0.06)
    expect(page.locator("#min-score-value")).to_have_text("0.06")
    expect(page.get_by_role("button", name="One value")).to_have_attribute("aria-pressed", "true")
    assert found(page) > stored
    page.get_by_role("button", name="By class").click()
    expect(page.locator("#min-score-value")).to_have_text("by class, 0.10 to 0.90")
    assert found(page) == stored
    page.get_by_role("button", name="One value").click()
    expect(page.locator("#min-score-value")).to_have_text("0.06")


def test_weights_with_one_threshold_have_no_choice(server, open_page):
    page = open_page(server)
    expect(page.locator("#min-score-value")).to_have_text("0.20")
    expect(page.get_by_role("button", name="By class")).to_be_hidden()


def test_the_header_says_which_model_and_what_its_number_is(server, open_page, by_class):
    page = open_page(server, prepare=by_class)
    expect(page.locator("#model")).to_have_text(
        "ssd300_efficientnet_lite0 · 2 classes: blue, red · mAP 0.83, VOC 2007 rule (11 points), IoU 0.5, on 72 images"
    )


@pytest.mark.parametrize("size", ["small", "large"])
def test_the_png_holds_what_is_seen(size, server, open_page, photo, by_class, tmp_path):
    image = photo
    if size == "large":
        with Image.open(photo) as original:
            original.resize((2000, 1500)).save(tmp_path / "large.jpg")
        image = tmp_path / "large.jpg"
    page = open_page(server, prepare=by_class)
    drop(page, image)
    for action in (lambda: None, chip(page, "blue").click, lambda: set_slider(page, "Confidence threshold", 0.2)):
        action()
        if page.get_by_role("button", name="PNG", exact=True).is_disabled():
            continue  # all are hidden
        seen = page.evaluate("document.querySelector('#canvas').toDataURL()").partition(",")[2]
        with Image.open(io.BytesIO(b64decode(seen))) as canvas, Image.open(downloaded(page, "PNG", tmp_path)) as file:
            assert file.size == (canvas.size if size == "small" else (2000, 1500))
            coarse = (canvas.width // 8, canvas.height // 8)  # lines of another width are smoothed differently
            pair = [
                np.asarray(one.convert("RGB").resize(coarse, Image.Resampling.BOX), float) for one in (file, canvas)
            ]
            assert np.abs(pair[0] - pair[1]).mean() < (0.001 if size == "small" else 3)


def test_the_list_tells_boxes_apart(server, open_page, photo, tmp_path):
    page = open_page(server)
    drop(page, photo)
    every = found(page)
    assert page.locator("#found .number").all_inner_texts() == [str(number + 1) for number in range(every)]
    (rows,) = json.loads(downloaded(page, "JSON", tmp_path).read_text())["images"]
    box = rows["detections"][0]["box"]
    size = f"{box['xmax'] - box['xmin']:.0f} × {box['ymax'] - box['ymin']:.0f}"
    expect(page.locator("#found .place").first).to_have_text(f"{size} at {box['xmin']:.0f}, {box['ymin']:.0f}")
    colors = {
        row.locator(".name").inner_text(): row.locator(".dot").evaluate("(dot) => dot.style.background")
        for row in page.locator("#found li").all()
    }
    assert len(set(colors.values())) == len(colors) == 2


def test_the_list_by_keyboard(server, open_page, photo):
    page = open_page(server)
    drop(page, photo)
    found(page)
    rows = page.locator("#found button")
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(rows.nth(2)).to_be_focused()
    expect(rows.nth(2)).to_have_class("highlighted")
    page.keyboard.press("ArrowUp")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Tab")  # the list is one stop
    expect(page.get_by_role("button", name="PNG", exact=True)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(rows.nth(1)).to_be_focused()


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


def test_the_page_asks_for_the_token(unsure_run, open_page, photo):
    with running(unsure_run, "--token", "sesame") as server:
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


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 844}}])
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
