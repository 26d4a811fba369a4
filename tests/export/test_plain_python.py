"""The lines of docs/deploy.md that need no ssd300 give what `Detector` gives, and loading files prints nothing."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from export.alike import photographs
from ssd300 import Detector
from ssd300.cli import main
from ssd300.images.read import read_image
from ssd300.images.resize import BILINEAR
from ssd300.weights import load_weights, save_weights

DOCUMENT = Path(__file__).parents[2] / "docs/deploy.md"
TURNED = 6  # the EXIF orientation of a phone that is held upright
OWN_RUN = "boxes, scores, labels = (rows[0]"
SHOWN = "for box, score, label in"


def block_of_the_document(words):
    text = DOCUMENT.read_text(encoding="utf-8")
    (block,) = [part.split("```")[0] for part in text.split("```python\n")[1:] if words in part.split("```")[0]]
    return block


def lines_of_the_document(*, nms=True, antialias=True):
    lines = block_of_the_document("InferenceSession")
    if not nms:
        selecting = block_of_the_document("while len(rows)")
        lines = lines[: lines.index(OWN_RUN)] + selecting + lines[lines.index(SHOWN) :]
    if not antialias:
        resizing = block_of_the_document("np.minimum(first + 1, last)")
        lines = without_refusal(lines).replace(f"{line_with('image.resize', lines)}\n", resizing)
    return lines


def line_with(words, lines):
    (line,) = [line for line in lines.splitlines() if words in line]
    return line


def without_refusal(lines):
    return lines.replace(f"{line_with('assert', lines)}\n", "")


def assert_alike_in_plain_python(file, shared, folder, **lines):
    with Image.open(photographs(shared)[0]) as photograph:
        exif = photograph.getexif()
        exif[0x0112] = TURNED
        photograph.save(folder / "image.jpg", exif=exif)
    code = lines_of_the_document(**lines).replace('"m.onnx"', repr(str(file)))
    code += 'np.savez("found.npz", boxes=boxes, scores=scores, labels=labels)\n'
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = np.load(folder / "found.npz")
    wanted = Detector.load(file)(folder / "image.jpg")
    assert len(done.stdout.splitlines()) == len(wanted)
    got = (found["scores"], found["labels"], *found["boxes"].T)
    expected = (wanted.scores, wanted.labels, *wanted.boxes.T)
    clear = wanted.scores > wanted.scores.min() + 1e-6  # of equal scores at the end either row may have been left out
    assert clear.sum() > 50
    for one, other in zip(in_order(got, clear.sum()), in_order(expected, clear.sum()), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-2)


def in_order(columns, count):
    """The best rows by score, those of equal scores by class and box: an untrained network has many of these."""
    columns = [np.asarray(column, np.float64)[:count] for column in columns]
    order = np.lexsort((*columns[:0:-1], -columns[0].round(5)))
    return [column[order] for column in columns]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "nms"), [("onnx", True), ("raw", False)])
def test_the_lines_of_the_document_give_what_the_detector_gives(kind, nms, exported, shared, tmp_path):
    assert_alike_in_plain_python(exported[kind], shared, tmp_path, nms=nms)


def gray_16_bits(levels):
    return Image.fromarray(levels.astype(np.uint16) * 257)


def half_transparent(levels):
    image = Image.fromarray(levels).convert("RGBA")
    image.putalpha(Image.fromarray(levels))
    return image


def gray_floats(levels):
    return Image.fromarray(levels.astype(np.float32) / 255)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("a.png", gray_16_bits),
        ("d.png", half_transparent),
        ("b.tif", gray_floats),
        ("c.tif", lambda levels: gray_floats(levels * 255.0)),
    ],
)
def test_the_lines_read_images_of_other_modes_as_ssd300_does(name, made, shared, tmp_path):
    with Image.open(photographs(shared)[0]) as photograph:
        levels = np.asarray(photograph.convert("L"))
    made(levels).save(tmp_path / name)
    text = lines_of_the_document()
    reading = text[text.index("image = ") : text.index("pixels = ")].replace("image.jpg", str(tmp_path / name))
    names = {"np": np, "Image": Image, "ImageOps": ImageOps, "facts": {"resize": "pillow-bilinear-antialias"}}
    with pytest.raises(AssertionError, match="this needs more lines"):
        exec(reading, names)  # the document's own lines
    convert = line_with("convert(", reading)
    more = block_of_the_document("alpha_composite")
    exec(without_refusal(reading).replace(convert, f"{more}{convert}"), names)
    np.testing.assert_array_equal(np.asarray(names["image"]), read_image(tmp_path / name))


@pytest.mark.slow
def test_the_lines_resize_without_antialiasing_where_the_file_says_so(light_run, shared, tmp_path):
    model, card = load_weights(light_run)
    save_weights(tmp_path / "w.safetensors", model, replace(card, resize=BILINEAR))
    assert main(["export", "-w", str(tmp_path / "w.safetensors"), "--out", str(tmp_path / "e/m.onnx")]) == 0
    assert_alike_in_plain_python(tmp_path / "e/m.onnx", shared, tmp_path, antialias=False)


@pytest.mark.slow
def test_openvino_loads_and_runs_a_file_without_a_word(exported, tmp_path):
    code = (
        "import sys; sys.modules['openvino_telemetry'] = None\n"  # as ssd300 does: it reports to Intel
        "import numpy, openvino\n"
        f"model = openvino.compile_model({str(exported['xml'])!r}, 'CPU')\n"
        "for count in (2, 0):\n"
        "    print(*model(numpy.zeros((count, 300, 300, 3), numpy.uint8))['boxes'].shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 8732 4\n0 8732 4\n", "")
