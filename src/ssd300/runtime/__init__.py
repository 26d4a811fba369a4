"""Runs exported detectors with numpy, Pillow and ONNX Runtime or OpenVINO, without importing torch."""

from ssd300.runtime.exported import ExportedNetwork, load_exported
from ssd300.runtime.manifest import Manifest

__all__ = ["ExportedNetwork", "Manifest", "load_exported"]
