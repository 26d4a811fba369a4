"""CPU time of matching, hard negative mining and both losses with their gradients, for a batch of 8 images.

    python benchmarks/match_and_loss.py [--rounds 15] [--objects 8]

Objects and predictions are random. Ours is compared with pytorch-SSD300's loss, which goes image by image.
"""

import argparse

import torch

from alternate import alternate, table
from pytorch_ssd300 import multibox_loss
from ssd300.batches import Targets
from ssd300.model.default_boxes import PAPER, make_default_boxes
from ssd300.model.loss import MultiBoxLoss
from ssd300.model.matcher import match
from ssd300.model.predictions import Predictions

BATCH, CLASSES = 8, 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="measurements of each way")
    parser.add_argument("--objects", type=int, default=8, help="objects per image, at most")
    arguments = parser.parse_args()
    random = torch.Generator().manual_seed(0)
    default_boxes = make_default_boxes(PAPER)
    counts = torch.randint(1, arguments.objects + 1, (BATCH,), generator=random).tolist()
    boxes, labels = [], []
    for count in counts:
        size = torch.rand(count, 2, generator=random) * 0.5 + 0.08
        corner = torch.rand(count, 2, generator=random) * (1 - size)
        boxes.append(torch.cat([corner, corner + size], 1))
        labels.append(torch.randint(1, CLASSES + 1, (count,), generator=random))
    targets = Targets(
        boxes=torch.nn.utils.rnn.pad_sequence(boxes, batch_first=True),
        labels=torch.nn.utils.rnn.pad_sequence(labels, batch_first=True),
    )
    logits = torch.randn(BATCH, len(default_boxes), CLASSES + 1, generator=random).requires_grad_()
    offsets = torch.randn(BATCH, len(default_boxes), 4, generator=random).requires_grad_()
    loss = MultiBoxLoss(default_boxes, PAPER.variances)

    def ours() -> None:
        predictions = Predictions(logits, offsets)
        loss(predictions, targets, match(targets, default_boxes)).total.backward()

    def image_by_image() -> None:
        multibox_loss(logits, offsets, boxes, labels, default_boxes).backward()

    times = alternate({"pytorch-SSD300's way": image_by_image, "ours": ours}, rounds=arguments.rounds)
    print(table(f"match, mine and loss of {BATCH} images, {sum(counts)} objects", times))


if __name__ == "__main__":
    main()
