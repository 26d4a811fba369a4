"""CPU time around the network for one photograph: decode, resize, normalize, select from 2,000 candidates.

    python benchmarks/around_network.py path/to/VOC2012 [--rounds 9]

The network's predictions are random, as in `select_detections.py`. Ours is compared with torchvision's decoder, the
operations of its SSD's transform (normalize, then resize) and those of its selection. One thread.
"""

import argparse
from pathlib import Path

import torch.nn.functional as F
from torchvision.io import decode_image

from alternate import alternate, table
from select_detections import PER_CLASS, ours, predictions_with, torchvisions
from ssd300.data import load_dataset
from ssd300.images.read import read_image
from ssd300.images.resize import ANTIALIASED
from ssd300.images.to_tensor import to_input
from ssd300.model import ssd300_efficientnet_lite0

SIZE, CANDIDATES, IMAGES = 300, 2_000, 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a VOC folder; the first 50 images of its trainval are used")
    parser.add_argument("--rounds", type=int, default=9, help="measurements of each way")
    options = parser.parse_args()
    paths = [annotation.image_path for annotation in load_dataset(options.data, split="trainval").annotations]
    paths = paths[:IMAGES]
    predictions = predictions_with(CANDIDATES)
    model = ssd300_efficientnet_lite0(20)
    mean, std = model.mean, model.std

    def ourselves() -> None:
        for path in paths:
            (to_input(read_image(path), SIZE, ANTIALIASED) - mean) / std
            ours(predictions, PER_CLASS)

    def torchvision() -> None:
        for path in paths:
            pixels = decode_image(str(path), mode="RGB").float() / 255
            F.interpolate(((pixels - mean) / std)[None], (SIZE, SIZE), mode="bilinear", align_corners=False)
            torchvisions(predictions, PER_CLASS)

    times = alternate({"torchvision's operations": torchvision, "ours": ourselves}, rounds=options.rounds)
    print(table(f"{len(paths)} images", times))
    for name, way in times.items():
        print(f"{name}: {1e3 * way.median / len(paths):.2f} ms per image")


if __name__ == "__main__":
    main()
