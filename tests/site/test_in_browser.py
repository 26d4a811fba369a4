"""The page without a server, in headless Chromium: it decodes, resizes and detects as Python does."""

import json
import re
from base64 import b64decode, b64encode

import numpy as np
import pytest
from playwright.sync_api import expect

from browsing import chip, choose, count_alike, downloaded, found, set_slider
from images_of_kinds import BAD, KINDS
from ssd300 import Detector
from ssd300.detection.results import ImageDetections
from ssd300.errors import DataError
from ssd300.export.parity import LIMITS
from ssd300.images.read import read_image
from ssd300.images.resize import RESIZES, to_size
from ssd300.images.rgb import BEHIND_ALPHA

pytestmark = pytest.mark.slow

LOWEST = 0.05  # the confidence threshold from which on the page has detections
SAME_PLACE_PX = 0.01
MOST_LEVELS = 1.01  # of 255: half-transparent pixels are rounded otherwise, and the other ones are equal
DETECT = """async ([content, maxOverlap]) => {
  const { detect } = await import(new URL("static/api.js", location.href));
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  return (await detect(new File([bytes], "image"), { minScore: 0.05, maxOverlap })).result;
}"""
DECODE = """async ([content, size, resize, behind]) => {
  const { decode } = await import(new URL("static/decode.js", location.href));
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  try {
    const found = await decode(new File([bytes], "image"), { image_size_px: size, resize, behind_alpha: behind });
    const letters = Array.from(new Uint8Array(found.pixels.buffer), (byte) => String.fromCharCode(byte));
    return { ...found, pixels: btoa(letters.join("")) };
  } catch (error) {
    return { error: error.message };
  }
}"""
# Browsers do not know these kinds. The last one Chromium shows as it is stored.
UNKNOWN = {"turned tiff", "16 bits tiff", "cmyk tiff", "ycbcr", "lab", "float", "32 bits", "pages",
           "pages, wrong ending", "ppm", "tga", "jpeg 2000", "turned webp"}  # fmt: skip
# Chromium 150 decodes it as Python does. 156 takes its full range of brightness for a limited one, in `<img>` and
# `ImageDecoder` too, so the page cannot help it.
BY_BROWSER = {"moving avif"}


def encoded(path) -> str:
    return b64encode(path.read_bytes()).decode()


def opened_and_ready(opened, address, **options):
    page = opened(address, **options)
    expect(page.locator("#model")).to_contain_text("2 classes", timeout=60_000)
    return page


@pytest.mark.parametrize("max_overlap", [0.5, 0.2])
def test_boxes_are_those_of_the_exported_file_in_python(opened, address, site, photos, max_overlap):
    page, detector, limits = opened_and_ready(opened, address), Detector.load(site / "model.onnx"), LIMITS["fp32"]
    count, alike = 0, 0
    for photo in photos[:6]:
        expected = detector(photo, min_score=LOWEST, max_overlap=max_overlap)
        result = page.evaluate(DETECT, [encoded(photo), max_overlap])
        assert (result["height"], result["width"]) == expected.size_hw
        count += len(expected) + len(result["detections"])
        alike += count_alike(result["detections"], expected, score=limits.score, edge_px=SAME_PLACE_PX)
    assert count > 100
    assert alike / count >= limits.found


@pytest.mark.parametrize("resize", RESIZES)
def test_images_of_all_kinds_reach_the_network_as_in_python(opened, address, tmp_path, photos, resize):
    page = opened(address)
    differ = {}
    for kind, make in {**KINDS, "photo": lambda _folder: photos[0]}.items():
        path = make(tmp_path)
        expected = to_size(read_image(path), 300, resize)
        found = page.evaluate(DECODE, [encoded(path), 300, resize, BEHIND_ALPHA])
        if "error" in found:
            differ[kind] = "JPEG, PNG" in found["error"]
            continue
        pixels = np.frombuffer(b64decode(found["pixels"]), expected.dtype).reshape(expected.shape)
        if np.abs(pixels.astype(float) - expected).max() > MOST_LEVELS:
            differ[kind] = True
    assert {kind: told for kind, told in differ.items() if kind not in BY_BROWSER} == dict.fromkeys(UNKNOWN, True)


def test_files_that_are_no_images_are_refused_and_the_others_go_on(opened, address, photos, tmp_path):
    page = opened_and_ready(opened, address)
    for name in ("text", "empty"):
        file, content, _ = BAD[name]
        path = tmp_path / name / file
        path.parent.mkdir()
        path.write_bytes(content)
        choose_one_more(page, path)
    choose_one_more(page, photos[0])
    expect(page.locator(".badge").nth(2)).to_have_text(re.compile(r"^\d+$"), timeout=60_000)
    assert page.locator(".badge").all_inner_texts()[:2] == ["!", "!"]
    for number, sentence in enumerate(("cannot open the file", "The file is empty.")):
        page.locator(".thumbnail .open").nth(number).click()
        expect(page.locator("#error")).to_contain_text(sentence)


def choose_one_more(page, path):
    before = page.locator(".badge").count()
    page.set_input_files("#files", str(path))
    expect(page.locator(".badge")).to_have_count(before + 1)


def test_sliders_chips_and_downloads(opened, address, site, photos, tmp_path):
    page = opened_and_ready(opened, address)
    choose(page, photos[0], photos[1])
    detector = Detector.load(site / "model.onnx")
    limit = round(float(detector(photos[0]).scores[100]), 2)
    set_slider(page, "Confidence threshold", limit)
    expect(page.locator("#found-title")).not_to_contain_text("200")
    assert found(page) == len(detector(photos[0], min_score=limit))
    expect(page.locator("#timing dt")).to_have_text(["Decode", "Resize", "Network", "Select (NMS)", "Total"])
    network = page.locator("#timing dd").nth(2).inner_text()

    set_slider(page, "NMS IoU", 0.1)
    expected = detector(photos[0], min_score=limit, max_overlap=0.1)
    expect(page.locator("#found-title")).to_have_text(f"{len(expected)} found")
    assert page.locator("#timing dd").nth(2).inner_text() == network  # it did not run again
    chip(page, "blue").click()

    (row,) = json.loads(downloaded(page, "JSON", tmp_path).read_text())["images"]
    expected = expected.select([name == "red" for name in expected.names])
    assert [one["score"] for one in row["detections"]] == pytest.approx(expected.scores.tolist(), abs=1e-4)
    assert {one["label"] for one in row["detections"]} <= {"red"}
    assert (row["image"], row["width"], row["height"]) == (photos[0].name, *expected.size_hw[::-1])

    same = ImageDetections(
        boxes=np.array([list(one["box"].values()) for one in row["detections"]]).reshape(-1, 4),
        scores=np.array([one["score"] for one in row["detections"]]),
        labels=np.array([one["label_id"] for one in row["detections"]], int),
        classes=expected.classes, image=row["image"], size_hw=expected.size_hw,
    )  # fmt: skip
    assert downloaded(page, "VOC XML", tmp_path).read_text() == same.to_voc_xml()
    assert downloaded(page, "PNG", tmp_path).read_bytes().startswith(b"\x89PNG")


def test_the_camera(opened, address):
    page = opened_and_ready(opened, address, permissions=["camera"])
    page.get_by_role("button", name="Live camera").click()
    expect(page.locator("#rate")).to_contain_text("frames/s", timeout=60_000)
    page.get_by_role("button", name="Capture image").click()
    expect(page.locator(".badge")).to_have_text(re.compile(r"^\d+$"), timeout=60_000)


def test_from_a_disk_it_says_that_it_needs_a_web_server(browser, site):
    page = browser.new_page()
    page.goto((site / "index.html").as_uri())
    expect(page.locator("#error")).to_contain_text("python -m http.server")
    page.close()


def test_a_truncated_image_is_an_error_in_python(tmp_path):
    """Chromium shows what there is of it, so the page detects in it: docs/deploy.md says so."""
    path = tmp_path / "a.jpg"
    path.write_bytes(BAD["truncated"][1])
    with pytest.raises(DataError):
        read_image(path)
