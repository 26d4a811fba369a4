"""The page on a GPU that the processor simulates: WebGPU is used after a trial, and the CPU whenever it fails one."""

import json
import shutil

import pytest
from playwright.sync_api import expect

from browsing import ARGUMENTS, choose, count_alike, launched
from conftest import write_drawn_weights
from folder_server import serving_folder
from kept_offline import KEPT, kept_files, note_change
from ssd300 import Detector
from ssd300.cli import main
from ssd300.export.parity import LIMITS
from ssd300.system.web_runtime import CPU, WEBGPU

pytestmark = pytest.mark.slow

SIZE_PX = 96  # the simulated GPU takes 10 s for 300 pixels
SIMULATED = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-unsafe-swiftshader")
SIMULATION_IS_REFUSED = "(orSimulated || !adapter.info.isFallbackAdapter)"
DETECT = """async ([address, number]) => {
  const { detect } = await import(new URL("static/api.js", location.href));
  const content = await (await fetch(address)).blob();
  const file = new File([content], `${number}.jpg`);
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("the page does not answer")), 120_000));
  const { result, device } = await Promise.race([detect(file, { minScore: 0.05, maxOverlap: 0.5 }), late]);
  return { ...result, device };
}"""


@pytest.fixture(scope="module")
def browser():
    with launched([*(one for one in ARGUMENTS if one != "--disable-gpu"), *SIMULATED]) as browser:
        yield browser


@pytest.fixture(scope="module")
def small_site(web_package, photos, tmp_path_factory):
    """A site of few pixels, with an image beside the page."""
    folder = tmp_path_factory.mktemp("webgpu")
    run = write_drawn_weights(folder / "run", image_size_px=SIZE_PX)
    assert main(["export", "--weights", str(run), "--format", "web", "--out", str(folder / "site")]) == 0
    shutil.copy(photos[0], folder / "site/photo.jpg")
    return folder / "site"


@pytest.fixture
def copied(small_site, tmp_path):
    return shutil.copytree(small_site, tmp_path / "site")


def replace_in(path, old, new):
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def visited(opened, address):
    """The page, and what it says of the GPU."""
    said = []
    page = opened(address, prepare=lambda page: page.on("console", lambda message: said.append(message.text)))
    expect(page.locator("#model")).to_contain_text("2 classes", timeout=60_000)
    return page, said


def detect_until(page, is_done):
    """Results of one image, given anew until one of them or something else shows what is waited for."""
    for number in range(300):
        result = page.evaluate(DETECT, ["photo.jpg", number])
        if is_done(result):
            return result
        page.wait_for_timeout(200)
    pytest.fail(f"not within {number} images")


def check_alike(detections, expected):
    alike = count_alike(detections, expected, score=LIMITS["fp32"].score, edge_px=0.1)
    assert alike >= LIMITS["fp32"].found * (len(expected) + len(detections)) > 100


def test_the_gpu_answers_after_its_trial_as_python_does_and_the_cpu_goes_on_when_it_is_lost(
    opened, browser, small_site, photos
):
    with serving_folder(small_site) as address:
        page, said = visited(opened, f"{address}?device=webgpu")
        result = detect_until(page, lambda result: result["device"] == "webgpu")
        assert any("WebGPU gives the same answer" in line for line in said)
        expected = Detector.load(small_site / "model.onnx")(photos[0], min_score=0.05, max_overlap=0.5)
        check_alike(result["detections"], expected)

        choose(page, photos[1])
        expect(page.locator("#timing dt").nth(2)).to_have_text("Network (WebGPU)")

        browser.new_browser_cdp_session().send("Browser.crashGpuProcess")
        again = detect_until(page, lambda result: result["device"] == "cpu")
        check_alike(again["detections"], expected)


def test_a_slower_gpu_is_not_used(opened, copied):
    replace_in(copied / "static/gpu.js", SIMULATION_IS_REFUSED, "true")
    with serving_folder(copied) as address:
        page, said = visited(opened, address)
        detect_until(page, lambda _result: any("WebGPU gives the same answer" in line for line in said))
        assert page.evaluate(DETECT, ["photo.jpg", 999])["device"] == "cpu"


def test_a_gpu_with_other_answers_is_not_used(opened, copied):
    described = json.loads((copied / "static/model.json").read_text())
    described["webgpu"]["score_limit"] = -1
    (copied / "static/model.json").write_text(json.dumps(described))
    with serving_folder(copied) as address:
        page, said = visited(opened, f"{address}?device=webgpu")
        detect_until(page, lambda _result: any("gives another answer and is not used" in line for line in said))
        assert page.evaluate(DETECT, ["photo.jpg", 999])["device"] == "cpu"


@pytest.mark.parametrize("end", ["", "?device=cpu"])
def test_a_simulated_gpu_is_not_tried_nor_one_that_the_address_forbids(opened, copied, end):
    if end:
        replace_in(copied / "static/gpu.js", SIMULATION_IS_REFUSED, "true")
    with serving_folder(copied) as address:
        requested = []
        page = opened(
            f"{address}{end}",
            prepare=lambda page: page.on("request", lambda request: requested.append(request.url)),
        )
        expect(page.locator("#model")).to_contain_text("2 classes", timeout=60_000)
        page.wait_for_load_state("networkidle")
        assert page.evaluate(DETECT, ["photo.jpg", 0])["device"] == "cpu"
        assert any(CPU.binary in url for url in requested)
        assert not [url for url in requested if WEBGPU.binary in url or WEBGPU.script in url]


def test_a_gpu_that_does_not_answer_is_left(opened, copied):
    replace_in(copied / "static/network.js", "LONGEST_MS = 30_000", "LONGEST_MS = 6_000")
    replace_in(copied / "static/gpu_worker.js", "self.postMessage(await run(data.pixels));", "for (;;);")
    with serving_folder(copied) as address:
        page, said = visited(opened, f"{address}?device=webgpu")
        detect_until(page, lambda _result: any("it did not answer within" in line for line in said))
        assert page.evaluate(DETECT, ["photo.jpg", 999])["device"] == "cpu"


@pytest.mark.parametrize("fault", ["missing file", "adapter that fails", "no GPU", "none"])
def test_it_works_offline_with_what_there_is(browser, copied, fault):
    if fault == "missing file":
        (copied / "static" / WEBGPU.binary).unlink()
    if fault == "adapter that fails":
        replace_in(copied / "static/gpu.js", "navigator.gpu?.requestAdapter()", "Promise.reject(new Error())")
    if fault != "no GPU":  # the simulated one counts as one
        replace_in(copied / "static/gpu.js", SIMULATION_IS_REFUSED, "true")
    note_change(copied, "static/gpu.js")
    context = browser.new_context()
    with serving_folder(copied) as address:
        page = context.new_page()
        page.goto(f"{address}?device=cpu")
        expect(page.locator("#offline")).to_have_text("Works offline", timeout=60_000)
    context.set_offline(True)
    page.reload()
    expect(page.locator("#model")).to_contain_text("2 classes", timeout=60_000)
    (kept,) = page.evaluate(KEPT).values()
    assert kept == len(kept_files(copied)["files"]) - (0 if fault == "none" else len(WEBGPU))
    context.close()


def test_a_host_without_the_files_of_webgpu_has_a_page_that_works(browser, copied):
    (copied / "static" / WEBGPU.binary).unlink()
    with serving_folder(copied) as address:
        page = browser.new_page()  # its console has the error of the missing file
        said = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{address}?device=webgpu")
        expect(page.locator("#model")).to_contain_text("2 classes", timeout=60_000)
        detect_until(page, lambda _result: any("The GPU is not used" in line for line in said))
        page.close()
