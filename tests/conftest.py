"""Data for the tests: small PASCAL VOC folders that are made here, and the real ones where they are to be had."""

import os
import shutil
import signal
import tarfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock
from PIL import Image

from file_server import Server
from ssd300.cli import main
from ssd300.model import ssd300_efficientnet_lite0
from ssd300.model.shapes import SHAPES
from ssd300.system import download
from ssd300.weights import Card, load_weights, save_weights

ENVIRONMENT = "SSD300_SHARED"
EXPORTS = {"onnx": ("m.onnx",), "raw": ("m.onnx", "--no-nms"), "xml": ("m.xml", "--format", "openvino")}

MAKES_EXPORTS = "test_graph.py"

# A shell's background job is started with Ctrl-C ignored, and so would be every process that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure() -> None:
    """Several test processes share the cores, and each takes one thread; so do the processes that tests start."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        _settle_backward_threads()


def _settle_backward_threads() -> None:
    """The first backward decides how many threads torch keeps for it: one for each device that it knows.

    After an export in the same process it knows eight that are not there. Of such a test process one ended with a
    segmentation fault in a thread that was just starting.
    """
    torch.ones(1, requires_grad=True).backward()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with long tests come first, and of these the ones of training, which take longest and lie at the end of the
    alphabet: of several processes none is left alone with one at the end.

    Before all comes the file that makes each kind of exported file, and those that use them come late: else two
    processes would need the same one at the same time, and one would wait for the other.
    """
    long = {item.path for item in items if item.get_closest_marker("slow")}
    exporting = {item.path for item in items if "exported" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path, reverse=True)
    items.sort(key=lambda item: (item.path.name != MAKES_EXPORTS, item.path not in long, item.path in exporting))


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = Path(os.environ.get(ENVIRONMENT, Path(__file__).parents[2] / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"the real data is not here: set {ENVIRONMENT} to its folder")
    return folder


def folder_of_all_workers(factory: pytest.TempPathFactory, name: str) -> Path:
    """A folder that the test processes share; what makes something there takes a FileLock beside it."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def voc_annotations(shared, tmp_path_factory) -> Path:
    folder = folder_of_all_workers(tmp_path_factory, "voc")
    with FileLock(f"{folder}.lock"):
        for year in ("2007", "2012"):
            if not (extracted := folder / f"{year}.done").exists():
                with tarfile.open(shared / "data" / f"VOC{year}_annotations.tar.xz") as archive:
                    archive.extractall(folder, filter="data")
                extracted.touch()
    return folder / "VOCdevkit"


@pytest.fixture(scope="session")
def bccd(shared) -> Path:
    return shared / "data" / "bccd"


@pytest.fixture(scope="session")
def voc_sample(shared) -> Path:
    return shared / "data" / "voc_sample" / "VOCdevkit"


def object_xml(name: str, corners: Sequence[object], extra: str = "") -> str:
    tags = "".join(
        f"<{t}>{v}</{t}>" for t, v in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True) if v is not None
    )
    return f"<object><name>{name}</name>{extra}<bndbox>{tags}</bndbox></object>"


def write_voc(root: Path, images: dict[str, str], splits: dict[str, list[str]], size=(120, 160)) -> Path:
    """A VOC folder: `images` maps an id to the XML of its objects."""
    for folder in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for image_id, objects in images.items():
        (root / "Annotations" / f"{image_id}.xml").write_text(
            f"<annotation><size><width>{size[1]}</width><height>{size[0]}</height></size>{objects}</annotation>"
        )
    for split, ids in splits.items():
        (root / "ImageSets" / "Main" / f"{split}.txt").write_text("\n".join(ids) + "\n")
    return root


def write_coloured(root: Path) -> Path:
    """Four images with a red or a blue rectangle each, and one without objects; the last is the test split."""
    random = np.random.default_rng(0)
    objects = {}
    (root / "JPEGImages").mkdir(parents=True)
    for number in range(5):
        pixels = random.integers(60, 120, (120, 160, 3), dtype=np.uint8)
        objects[f"p{number}"] = ""
        if number != 2:
            x, y = random.integers(5, 60, 2)
            name, color = (("red", (220, 20, 20)), ("blue", (20, 20, 220)))[number % 2]
            pixels[y : y + 50, x : x + 70] = color
            objects[f"p{number}"] = object_xml(name, (x + 1, y + 1, x + 70, y + 50))
        Image.fromarray(pixels).save(root / "JPEGImages" / f"p{number}.jpg", quality=95)
    return write_voc(root, objects, {"trainval": ["p0", "p1", "p2", "p3"], "test": ["p4"]})


@pytest.fixture
def coloured(tmp_path) -> Path:
    return write_coloured(tmp_path / "coloured")


def write_drawn_weights(run: Path, image_size_px: int = 300) -> Path:
    """Weights of a detector that was drawn and never trained, where a run keeps its best."""
    torch.manual_seed(0)
    settings = SHAPES["ssd300_efficientnet_lite0"].default_boxes("paper", image_size_px)
    model = ssd300_efficientnet_lite0(2, settings=settings)
    card = Card(
        model="ssd300_efficientnet_lite0", classes=("blue", "red"), settings=model.settings,
        normalization=model.normalization,
    )  # fmt: skip
    save_weights(run / "weights/best.safetensors", model, card)
    return run


@pytest.fixture(scope="session")
def light_run_of_session(tmp_path_factory) -> Path:
    return write_drawn_weights(tmp_path_factory.mktemp("weights") / "drawn")


@pytest.fixture
def light_run(light_run_of_session, tmp_path) -> Path:
    """The same, for a test that changes it."""
    return Path(shutil.copytree(light_run_of_session, tmp_path / "drawn"))


@pytest.fixture(scope="session")
def unsure_run(light_run_of_session, tmp_path_factory):
    """The same network with lower scores, which differ from one another."""
    model, card = load_weights(light_run_of_session)
    with torch.no_grad():
        for parameter in model.heads.logits.parameters():
            parameter.mul_(0.1)
    path = tmp_path_factory.mktemp("unsure") / "weights.safetensors"
    save_weights(path, model, card)
    return path


class Exported(dict[str, Path]):
    """Exported files by kind, each made when it is first asked for, once for all workers."""

    def __init__(self, run: Path, folder: Path) -> None:
        super().__init__()
        self.run, self.folder = run, folder

    def __missing__(self, kind: str) -> Path:
        name, *options = EXPORTS[kind]
        file = self.folder / kind / name
        with FileLock(f"{file.parent}.lock"):
            if not file.with_name("parity.json").exists():  # written last
                assert main(["export", "--weights", str(self.run), "--out", str(file), *options]) == 0
        self[kind] = file
        return file


@pytest.fixture(scope="session")
def exported(light_run_of_session, tmp_path_factory) -> Exported:
    """Of drawn weights: 'onnx' with suppression inside, 'raw' without, 'xml' for OpenVINO."""
    return Exported(light_run_of_session, folder_of_all_workers(tmp_path_factory, "exported"))


@pytest.fixture
def file_server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setattr(download, "PAUSE_S", 0.01)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.wait.set()
        running.shutdown()
        thread.join()


@pytest.fixture(scope="module")  # not longer: while it is open, this thread can run no other event loop
def browser():
    from browsing import launched

    with launched() as browser:
        yield browser


@pytest.fixture
def open_page(browser):
    """Opens the page of a server. The test fails if the page requests anything elsewhere or a script fails."""
    faults, contexts = [], []

    def note_error(message):
        handled = message.text.startswith("Failed to load resource")  # an error status, which the page shows
        if message.type == "error" and not handled:
            faults.append(message.text)

    def opened(server, *, host="127.0.0.1", end="/", prepare=None, **options):
        address = server.address.replace("127.0.0.1", host)
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        if prepare:
            prepare(page)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", note_error)
        page.on("request", lambda request: None if request.url.startswith((address, "blob:", "data:"))
                else faults.append(request.url))  # fmt: skip
        page.goto(address + end)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []
