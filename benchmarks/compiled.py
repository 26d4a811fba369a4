"""CPU time of the network for one image by torch, compiled in two ways, and by the runtimes. Alternating, one thread.

    python benchmarks/compiled.py --weights runs/light [--rounds 30] [--exports folder]

torch runs it as it is, by torch.compile, and from a package of AOTInductor (torch.export, compiled to a library). The
runtimes run files of `ssd300 export` in float32. The scores of all ways are compared first. Compiling needs a C++
compiler and takes a minute or more each time, which is printed.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from alternate import alternate, table
from ssd300.data.synthetic import write_synthetic_dataset
from ssd300.export import export
from ssd300.images.read import read_image
from ssd300.images.resize import to_size
from ssd300.images.to_tensor import WHITE
from ssd300.model import SSD
from ssd300.runtime.sessions import open_session
from ssd300.weights import load_weights

IMAGES = 4
TOLERANCE = 1e-3  # of the scores


class Scores(torch.nn.Module):
    """From pixels to scores, as in an exported file."""

    def __init__(self, model: SSD) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        pixels = images.permute(0, 3, 1, 2).to(torch.float32) / WHITE
        return self.model(pixels).logits.softmax(dim=2)[..., 1:]


def packaged(network: Scores, example: torch.Tensor, file: Path) -> Callable[[torch.Tensor], torch.Tensor]:
    """The network from a package of AOTInductor, which is written to `file`."""
    program = torch.export.export(network, (example,))
    torch._inductor.aoti_compile_and_package(program, package_path=str(file))
    found: Callable[[torch.Tensor], torch.Tensor] = torch._inductor.aoti_load_package(str(file))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True, help="a run folder or weights file")
    parser.add_argument(
        "--exports", type=Path, default=Path("exports"), help="folder for the files; those there are used"
    )
    parser.add_argument("--rounds", type=int, default=30, help="measurements of each way")
    options = parser.parse_args()
    options.exports.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    write_synthetic_dataset(options.exports / "images", train=0, test=IMAGES)
    paths = sorted((options.exports / "images/JPEGImages").glob("*.jpg"))
    model, card = load_weights(options.weights)
    network = Scores(model.to(memory_format=torch.channels_last)).eval()
    image = to_size(read_image(paths[0]), model.settings.image_size_px, card.resize)[None].copy()
    tensor = torch.from_numpy(image)

    ways: dict[str, Callable[[], np.ndarray]] = {}
    with torch.no_grad():
        ways["torch"] = lambda: network(tensor).numpy()
        for name, compile_it in {
            "torch.compile": lambda: torch.compile(network),
            "AOTInductor": lambda: packaged(network, tensor, options.exports / "m.pt2"),
        }.items():
            start = time.monotonic()
            compiled = compile_it()
            compiled(tensor)
            print(f"{name}: compiled in {time.monotonic() - start:.0f} s", flush=True)
            ways[name] = lambda compiled=compiled: compiled(tensor).numpy()
        for format_, name in (("onnx", "m.onnx"), ("openvino", "m.xml")):
            file = options.exports / format_ / name
            if not file.exists():
                export(options.weights, file, format=format_, precision="fp32", image_paths=paths, nms=False)
            session = open_session(file, threads=1)
            ways[f"{format_}, fp32"] = lambda session=session: session.run({"images": image})["scores"]
        wanted = ways["torch"]()
        for name, run in ways.items():
            difference = np.abs(run() - wanted).max()
            if difference > TOLERANCE:
                raise SystemExit(f"{name}: a score differs by {difference:.3g}")
        print(table(f"{card.model}, one image, float32", alternate(ways, rounds=options.rounds)))


if __name__ == "__main__":
    main()
