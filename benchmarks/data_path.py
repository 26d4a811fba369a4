"""CPU time of reading training data, from JPEG files to augmented 300 x 300 uint8, compared with torchvision's recipe.

    python benchmarks/data_path.py path/to/VOC2012 [--rounds 5]

torchvision's recipe is the preset "ssd" of its references (photometric distortion, zoom-out, IoU crop, flip, in that
order) with the resize that its model does, on tensors. Ours samples the augmentation and resamples the pixels here; its
colors change later, one batch at a time, and are timed separately. One thread; rounds alternate in one process, so read
the ratios.
"""

import argparse
from pathlib import Path

import torch
from torchvision import tv_tensors
from torchvision.io import decode_image
from torchvision.transforms import v2

from alternate import alternate, table
from ssd300.data import load_dataset
from ssd300.data.augmented_images import AugmentedImages, at_network_size
from ssd300.data.cache import ImageCache
from ssd300.data.loader import collate
from ssd300.data.photometric import apply_photometric
from ssd300.data.samples import read_sample
from ssd300.data.sampling import Key
from ssd300.images import read
from ssd300.types import Annotation

SIZE = 300
BATCH = 32
MEAN = (123.0, 117.0, 104.0)


def torchvisions_recipe() -> v2.Compose:
    return v2.Compose(
        [
            v2.RandomPhotometricDistort(),
            v2.RandomZoomOut(fill=dict.fromkeys([tv_tensors.Image], MEAN)),
            v2.RandomIoUCrop(),
            v2.RandomHorizontalFlip(p=0.5),
            v2.SanitizeBoundingBoxes(),
            v2.Resize((SIZE, SIZE), antialias=False),
        ]
    )


def torchvisions_sample(annotation: Annotation) -> dict[str, torch.Tensor]:
    image = tv_tensors.Image(decode_image(str(annotation.image_path), mode="RGB"))
    boxes = tv_tensors.BoundingBoxes(
        torch.from_numpy(annotation.boxes_px), format="XYXY", canvas_size=tuple(image.shape[1:])
    )
    return {"image": image, "boxes": boxes, "labels": torch.from_numpy(annotation.labels)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a dataset; all images of its trainval are used")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each way")
    options = parser.parse_args()
    annotations = load_dataset(options.data, split="trainval").annotations
    recipe, epoch = torchvisions_recipe(), iter(range(1_000_000))
    augmented = AugmentedImages(annotations, size=SIZE, seed=0, augment=True)
    cached = AugmentedImages(annotations, size=SIZE, seed=0, augment=True, cache=ImageCache(annotations))
    for index in range(len(annotations)):
        cached[Key(0, index)]
    faster = read.simplejpeg

    def ours() -> None:
        number = next(epoch)
        for index in range(len(annotations)):
            augmented[number, index]

    def from_the_cache() -> None:
        number = next(epoch)
        for index in range(len(annotations)):
            cached[number, index]

    def with_pillow_alone() -> None:
        read.simplejpeg = None
        ours()
        read.simplejpeg = faster

    def torchvisions() -> None:
        for annotation in annotations:
            recipe(torchvisions_sample(annotation))

    def decode_and_resize() -> None:
        for annotation in annotations:
            at_network_size(read_sample(annotation), SIZE)

    batch = collate([augmented[Key(0, index % len(annotations))] for index in range(BATCH)])
    fill = torch.tensor(MEAN).view(3, 1, 1) / 255

    def colors() -> None:
        apply_photometric(batch.images, batch.photometric, fill)

    ways = {
        "torchvision's recipe": torchvisions,
        "ours": ours,
        "ours, Pillow's decoder": with_pillow_alone,
        "ours, --cache ram": from_the_cache,
        "decode and resize alone": decode_and_resize,
    }
    times = alternate(ways, rounds=options.rounds)
    print(table(f"{len(annotations)} images", times))
    for name, way in times.items():
        print(f"{name}: {len(annotations) / way.median:.0f} images/s per core")
    print(table(f"colors of a batch of {BATCH}", alternate({"ours": colors}, rounds=options.rounds)))


if __name__ == "__main__":
    main()
