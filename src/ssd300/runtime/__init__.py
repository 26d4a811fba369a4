"""Runs exported detectors with numpy, Pillow and ONNX Runtime or OpenVINO: torch is never imported."""

from ssd300.runtime.exported import ExportedNetwork, load_exported
from ssd300.runtime.manifest import Manifest

__all__ = ["ExportedNetwork", "Manifest", "load_exported"]
