"""The detectors by name: parameters, GMAC, and CPU time for one image by their exported files. Alternating, one thread.

    python benchmarks/family.py [--models ssd_lite0_fpn …] [--format openvino|onnx] [--rounds 10]

Each has the heads that it can have. Weights are random: time does not depend on them. So an int8 file has in float32
only the layers that every export has; `ssd300 export` may leave more of them. Selection is not in the files.
"""

import argparse
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from alternate import Times, alternate
from network import CLASSES
from ssd300.export.building import SUFFIXES, Format, write_raw
from ssd300.export.graph import IMAGES, to_onnx
from ssd300.export.kept_nodes import decoding_nodes, first_convolution, heads, length_nodes
from ssd300.export.onnx_int8 import quantize_onnx, ranges_of
from ssd300.export.openvino_int8 import names_in_openvino, quantize
from ssd300.model import BUILDERS, SSD
from ssd300.model.heads import HeadKind
from ssd300.runtime.manifest import Manifest
from ssd300.runtime.sessions import open_session, openvino_core
from ssd300.system.temporary import temporary_folder
from ssd300.types import Selection
from ssd300.weights import Card

PRECISIONS = ("fp32", "int8")
MAC = 2  # floating-point operations
CALIBRATION_IMAGES = 2


@dataclass(frozen=True)
class Member:
    """A detector and its heads, and what can be counted."""

    card: Card
    parameters: int
    macs: int

    @property
    def label(self) -> str:
        return f"{self.card.model} | {self.card.heads} | {self.card.image_size_px}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=list(BUILDERS), default=list(BUILDERS), help="by name")
    parser.add_argument("--format", choices=get_args(Format), default="openvino", help="of the exported files")
    parser.add_argument("--rounds", type=int, default=10, help="measurements of each file")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    members, ways = [], {}
    with temporary_folder() as folder:
        for name, kind in wanted(options.models):
            model = BUILDERS[name](CLASSES, heads=kind).eval()
            member = count(name, kind, model)
            members.append(member)
            for precision, file in exported(model, member.card, options.format, folder / f"{name}_{kind}").items():
                ways[f"{member.label}, {precision}"] = run_of(file, member.card.image_size_px)
            print(f"exported: {name}, {kind}", flush=True)
        times = alternate(ways, rounds=options.rounds)
    print(table(members, times, options.format))


def wanted(names: list[str]) -> Iterator[tuple[str, HeadKind]]:
    """Each model with each kind of heads that it can have."""
    for name in names:
        yield name, "ssd"
        if "vgg16" not in name:
            yield name, "ssdlite"


def count(name: str, kind: HeadKind, model: SSD) -> Member:
    size = model.settings.image_size_px
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, size, size))
    card = Card(
        model=name,
        classes=tuple(f"class {number}" for number in range(CLASSES)),
        settings=model.settings,
        normalization=model.normalization,
        heads=kind,
    )
    return Member(card, sum(one.numel() for one in model.parameters()), counter.get_total_flops() // MAC)


def exported(model: SSD, card: Card, format: Format, folder: Path) -> dict[str, Path]:
    """A file for each precision."""
    proto = to_onnx(model, card)
    random = np.random.default_rng(0)
    size = card.image_size_px
    batches = [random.integers(0, 256, (1, size, size, 3), dtype=np.uint8) for _ in range(CALIBRATION_IMAGES)]
    keep = [*decoding_nodes(proto), *length_nodes(proto), *first_convolution(proto)]
    if format == "onnx":
        in_8_bits = quantize_onnx(proto, ranges_of(proto, batches), keep=[*keep, *heads(proto)])
    else:
        network = openvino_core().read_model(proto.SerializeToString())
        in_8_bits = quantize(network, batches, keep=names_in_openvino(keep))
    files = {}
    for precision, graph in zip(PRECISIONS, (proto, in_8_bits), strict=True):
        manifest = Manifest(
            model=card.model,
            classes=card.classes,
            image_size_px=size,
            resize=card.resize,
            precision=precision,
            suppresses=False,
        )
        files[precision] = folder / f"{precision}{SUFFIXES[format]}"
        write_raw(graph, files[precision], manifest, Selection())
    return files


def run_of(file: Path, size: int) -> Callable[[], object]:
    session = open_session(file, threads=1)
    image = np.random.default_rng(1).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    return lambda: session.run({IMAGES: image})


def table(members: list[Member], times: dict[str, Times], format: Format) -> str:
    rows = [
        f"| model, {CLASSES} classes | heads | px | parameters, million | GMAC | {format} fp32, CPU ms: median (range) "
        "| int8 | int8 relative to fp32 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for member in members:
        fp32, int8 = (times[f"{member.label}, {precision}"] for precision in PRECISIONS)
        faster = statistics.median(slow / fast for slow, fast in zip(fp32.seconds, int8.seconds, strict=True))
        counted = f"{member.parameters / 1e6:.2f} | {member.macs / 1e9:.3f}"
        rows.append(f"| {member.label} | {counted} | {in_ms(fp32)} | {in_ms(int8)} | {faster:.2f} times as fast |")
    return "\n".join(rows)


def in_ms(times: Times) -> str:
    low, high = min(times.seconds) * 1e3, max(times.seconds) * 1e3
    return f"{times.median * 1e3:.3g} ({low:.3g} to {high:.3g})"


if __name__ == "__main__":
    main()
