"""CPU time from JPEG to boxes: SSD300-VGG16 by torchvision, by torch here, and exported. Alternating, on one thread.

    python benchmarks/detect.py path/to/data --weights runs/vgg [--rounds 5] [--exports folder]

The weights are a trained SSD300-VGG16, the data annotated images of its classes. Each way runs on the same 8 images,
together as in `ssd300 detect`, and one at a time; the mAP of each is over all images. torchvision's detector gets the
same tensors, so that it selects from the same scores. Its default boxes differ, so its boxes have no meaning and it
has no mAP.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import torch
from torchvision.io import decode_image
from torchvision.models.detection import ssd300_vgg16

from alternate import alternate, table
from ssd300.data import load_dataset
from ssd300.detection.detector import Detector, load_network
from ssd300.detection.network import Network, detect
from ssd300.evaluation.evaluator import evaluate_detector
from ssd300.export import export
from ssd300.images.read import read_image
from ssd300.runtime import load_exported
from ssd300.types import EVALUATION_MIN_SCORE, Selection
from ssd300.weights import load_weights
from ssd300.weights.foreign import import_weights

IMAGES = 8
SELECTION = Selection(min_score=EVALUATION_MIN_SCORE)  # of an evaluation, and torchvision's own
EXPORTED = (
    ("openvino", "fp32"),
    ("openvino", "bf16"),
    ("openvino", "int8"),
    ("onnx", "fp32"),
    ("onnx", "int8"),
)


def torchvisions(weights: str, folder: Path) -> torch.nn.Module:
    """Build torchvision's detector with the tensors of our weights."""
    ours, card = load_weights(weights)
    theirs = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=len(card.classes) + 1).eval()
    torch.save(theirs.state_dict(), folder / "theirs.pth")
    _, _, report = import_weights(folder / "theirs.pth", classes=card.classes)
    tensors = ours.state_dict()
    state = theirs.state_dict() | {theirs_name: tensors[our_name] for theirs_name, our_name in report.matched}
    theirs.load_state_dict(state)
    return theirs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a dataset: its test images are timed, its training images quantize")
    parser.add_argument("--weights", required=True, help="a run folder or weights file of ssd300_vgg16")
    parser.add_argument(
        "--exports", type=Path, default=Path("exports"), help="folder of exported files; existing ones are used"
    )
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each way")
    options = parser.parse_args()
    options.exports.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    annotated = load_dataset(options.data, purpose="test", on_bad_label="drop-box")
    training = load_dataset(options.data, purpose="train", on_bad_label="drop-box")
    images = [annotation.image_path for annotation in annotated.annotations[:IMAGES]]

    peer = torchvisions(options.weights, options.exports)

    def by_torchvision(batch: int) -> Callable[[], object]:
        @torch.no_grad()
        def run() -> None:
            for first in range(0, len(images), batch):
                peer([decode_image(str(path), mode="RGB").float() / 255 for path in images[first : first + batch]])

        return run

    networks: dict[str, Network] = {
        "torch here, float32": load_network(options.weights),
        "torch here, bfloat16": load_network(options.weights, precision="bfloat16"),
    }
    for format_, precision in EXPORTED:
        path = options.exports / f"{format_}_{precision}" / ("m.onnx" if format_ == "onnx" else "m.xml")
        if not path.exists():
            export(
                options.weights,
                path,
                format=format_,
                precision=precision,
                image_paths=[annotation.image_path for annotation in training.annotations],
            )
        networks[f"{format_}, {precision}"] = load_exported(path, threads=1)

    for batch in (IMAGES, 1):
        ways: dict[str, Callable[[], object]] = {"torchvision ssd300_vgg16": by_torchvision(batch)}
        ways |= {name: whole_way(network, images, batch) for name, network in networks.items()}
        times = alternate(ways, rounds=options.rounds)
        print(table(f"{len(images)} JPEGs to boxes, {batch} at a time", times, unit="s"), flush=True)
        print()
    print("| way | decode, CPU ms per image | preprocess | network | select | mAP |")
    print("|---|---|---|---|---|---|")
    for name, network in networks.items():
        stages = " | ".join(f"{1e3 * seconds:.1f}" for seconds in stage_seconds(network, images))
        report = evaluate_detector(Detector(network), annotated)
        print(f"| {name} | {stages} | {report.map:.4f} |", flush=True)
    print(f"\nmAP: {report.metric} on {report.images} images")


def whole_way(network: Network, images: list[Path], batch: int) -> Callable[[], object]:
    def run() -> None:
        for first in range(0, len(images), batch):
            detect(network, [read_image(path) for path in images[first : first + batch]], SELECTION)

    return run


def stage_seconds(network: Network, images: list[Path]) -> list[float]:
    """CPU seconds of decode, preprocess, network and select: medians over the images."""
    rows = []
    for path in images:
        marks = [time.process_time()]
        image = read_image(path)
        marks.append(time.process_time())
        prepared = network.prepare(image)
        marks.append(time.process_time())
        predictions = network.predict([prepared], SELECTION)
        marks.append(time.process_time())
        network.select(predictions, SELECTION)
        marks.append(time.process_time())
        rows.append([end - start for start, end in pairwise(marks)])
    return [statistics.median(column) for column in zip(*rows, strict=True)]


if __name__ == "__main__":
    main()
