"""The page in headless Chromium: what the tests of it do with it, as a person would."""

import re
import shutil
from base64 import b64encode
from contextlib import contextmanager

import numpy as np
import pytest
from playwright.sync_api import expect, sync_playwright

CHROMIUM = shutil.which("chromium")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream=device-count=2",
    "--use-fake-ui-for-media-stream", "--host-resolver-rules=MAP elsewhere 127.0.0.1",
)  # fmt: skip
DROP = """([name, content]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
  const event = name.startsWith("pasted") ? new ClipboardEvent("paste", { clipboardData: dataTransfer, bubbles: true })
    : new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
  document.querySelector("#stage").dispatchEvent(event);
}"""


@contextmanager
def launched(arguments=ARGUMENTS):
    """Chromium without a window. A test that needs it is skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian's package chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


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


def count_alike(detections, expected, *, score, edge_px) -> int:
    """How many of the page's detections have a like one among the expected ones, and the other way round."""
    boxes = np.array([list(one["box"].values()) for one in detections]).reshape(-1, 1, 4)
    scores, labels = (np.array([[one[key]] for one in detections]) for key in ("score", "label_id"))
    same = (np.abs(boxes - expected.boxes).max(axis=2) < edge_px) & (labels == expected.labels)
    same &= np.abs(scores - expected.scores) < score
    return int(same.any(axis=0).sum() + same.any(axis=1).sum())
