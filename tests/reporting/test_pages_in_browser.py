"""The pages in headless Chromium: on a phone and on a desk, light and dark."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from random_detections import problem, table
from reporting.annotated import a_split, an_image, an_object
from ssd300.data import Dataset
from ssd300.data.checks.findings import Findings
from ssd300.data.problems import Problem
from ssd300.evaluation.comparison import compare
from ssd300.evaluation.error_analysis import analyze_errors
from ssd300.evaluation.scoring import score
from ssd300.reporting.comparison import comparison_page
from ssd300.reporting.evaluation import evaluation_page
from ssd300.reporting.findings import write_findings
from ssd300.reporting.html import Gallery, write_report
from ssd300.reporting.next_steps import steps_with_weights

CHROMIUM = shutil.which("chromium")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
PHONE, DESK = {"width": 390, "height": 800}, {"width": 1400, "height": 900}
LONGEST = "x" * 90
CLASSES = ("cat", "dog", LONGEST, *(f"class {number}" for number in range(80)))
NAMES = ("evaluation", "comparison", "findings")
LEAST_CONTRAST = 4.5  # WCAG 2, level AA
CONTRASTS = """() => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const linear = (v) => (v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    const [r, g, b] = numbers(color).map((value) => linear(value / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = getComputedStyle(one).backgroundColor;
      if ((numbers(color)[3] ?? 1) > 0) return color;
    }
  };
  const has_text = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const shown = [...document.querySelectorAll("body *")].filter((element) => element.checkVisibility());
  const texts = shown.filter(has_text);
  return texts.map((element) => {
    const both = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => b - a);
    return [(both[0] + .05) / (both[1] + .05), element.textContent.slice(0, 40)];
  });
}"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian's package chromium)"),
]


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """An evaluation, a comparison and findings, each with many classes, one of which has a very long name."""
    folder = tmp_path_factory.mktemp("pages")
    annotations, rows = problem(1)
    dataset = Dataset(annotations=annotations, classes=CLASSES, root=Path("/data/" + LONGEST), split="test")
    detections = table(rows)
    report = score(dataset, detections)
    page = evaluation_page(
        report, analyze_errors(dataset, detections), title=LONGEST, facts=[("command", "ssd300 " + LONGEST)],
        steps=steps_with_weights("/runs/" + LONGEST),
    )  # fmt: skip
    pictures = [(LONGEST, Image.new("RGB", (900, 400), "teal"))] * 8
    gallery = Gallery(title="Pictures", explanation=LONGEST, images=pictures, columns=4, narrow_columns=2)
    write_report(folder / "evaluation.html", replace(page, galleries=[gallery]))
    compared = compare(dataset, detections, detections.select(detections.image_index % 2 == 0), resamples=20)
    write_report(
        folder / "comparison.html",
        comparison_page(dataset, [detections, detections], compared, names=("/runs/" + LONGEST, "b.onnx")),
    )
    image = an_image(folder, "one", an_object(LONGEST))
    faults = [Problem(level="error", file=image.where, object=1, rule="empty-box", message=LONGEST, fix=LONGEST),
              Problem(level="warning", file="", object=None, rule="uncovered-class", message="m", fix="f")]  # fmt: skip
    findings = Findings(
        coverage={"classes": {}, "sizes_px": {}}, images=1, objects=1, problems=faults,
        classes={name: dict.fromkeys(("train", "val", "test", "trainval", "all"), 123_456) for name in CLASSES},
    )  # fmt: skip
    write_findings(folder / "findings.html", findings, data=["/data/" + LONGEST], splits={"all": a_split("all", image)})
    return folder


@pytest.fixture
def opened(browser, pages):
    contexts = []

    def opened(name, viewport, scheme="light"):
        contexts.append(browser.new_context(viewport=viewport, color_scheme=scheme))
        page = contexts[-1].new_page()
        page.on(
            "request", lambda request: None if request.url.startswith(("file:", "data:")) else pytest.fail(request.url)
        )
        page.goto((pages / f"{name}.html").as_uri())
        page.eval_on_selector_all("details", "all => all.forEach((one) => { one.open = true; })")
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_a_page_does_not_scroll_sideways(opened, name, viewport):
    page = opened(name, viewport)
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    wide = """all => all.filter((one) => !one.closest(".scrolled"))
              .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
              .map((one) => one.outerHTML.slice(0, 80))"""
    assert page.eval_on_selector_all("body *", wide) == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_can_be_read(opened, name, scheme):
    contrasts = opened(name, PHONE, scheme).evaluate(CONTRASTS)
    assert len(contrasts) > 10
    assert [text for contrast, text in contrasts if contrast < LEAST_CONTRAST] == []


def test_a_table_that_scrolls_shows_it_and_takes_the_keyboard(opened):
    page = opened("evaluation", PHONE)
    region = page.get_by_role("region", name="Table: Where it fails, by class")
    assert region.evaluate("one => one.scrollWidth > one.clientWidth")
    assert region.evaluate("one => getComputedStyle(one).backgroundImage").count("gradient") == 4
    region.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("one => one.scrollLeft > 0", arg=region.element_handle())


def test_the_table_of_classes_fits_a_phone(opened):
    regions = opened("evaluation", PHONE).get_by_role("region", name="Table: by class")
    assert regions.count() == 2  # the weakest classes, and all
    assert regions.evaluate_all("all => all.map((one) => one.scrollWidth - one.clientWidth)") == [0, 0]


def test_pictures_are_fewer_in_a_row_on_a_phone_and_no_place_is_empty(opened):
    for viewport, columns in ((PHONE, 2), (DESK, 4)):
        page = opened("evaluation", viewport)
        lefts = page.eval_on_selector_all(
            ".images.fixed figure", "all => all.map((one) => Math.round(one.getBoundingClientRect().x))"
        )
        assert sorted(np.unique(lefts, return_counts=True)[1].tolist()) == [8 // columns] * columns
