"""Exported files run without torch: neither the library nor the command imports it."""

import subprocess
import sys

import pytest

CODE = """
import sys
from pathlib import Path
{body}
assert "torch" not in sys.modules, "torch was imported"
assert "openvino_telemetry" not in sys.modules or sys.modules["openvino_telemetry"] is None
"""
LIBRARY = """
from ssd300.detection.network import detect
from ssd300.runtime import load_exported
from ssd300.types import Selection
import numpy as np
network = load_exported(Path({file!r}))
(found,) = detect(network, [np.zeros((40, 60, 3), np.uint8)], Selection())
assert found.classes == ("blue", "red")
"""
DETECTOR = """
from ssd300 import Detector
result = Detector.load({file!r})({image!r}, min_score=0.0)
assert len(result), result
"""
COMMAND = """
from ssd300.cli import main
assert main(["detect", {image!r}, "--weights", {file!r}, "--out", {out!r}]) == 0
"""
EVALUATION = """
from ssd300.cli import main
assert main(["eval", {data!r}, "--weights", {file!r}]) == 0
assert main(["compare", {file!r}, {file!r}, {data!r}]) == 0
assert main(["info", {file!r}]) == 0
"""
LABELS = """
from ssd300.cli import main
assert main(["next", {data!r}, "--weights", {file!r}, "--by", "flip", "--count", "2"]) == 0
assert main(["review", {data!r}, "--weights", {file!r}]) == 0
"""
BODIES = {"library": LIBRARY, "detector": DETECTOR, "command": COMMAND, "evaluation": EVALUATION, "labels": LABELS}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("ending", ["onnx", pytest.param("xml", marks=pytest.mark.slow)])
def test_torch_is_not_imported(body, ending, exported, coloured, tmp_path):
    image = str(coloured / "JPEGImages/p4.jpg")
    names = {"file": exported[ending], "image": image, "out": tmp_path / "out", "data": coloured}
    code = CODE.format(body=body.format(**{name: str(value) for name, value in names.items()}))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
