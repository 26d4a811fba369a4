"""pytorch-SSD300's train.py, with its constants as options, and with the paper's rules unless options name others.

It runs `ssd300 train`; options that are not listed here are passed on to it.

An iteration is one batch. pytorch-SSD300 itself counts iterations in batches of 32 and makes four times as many of 8:
`ssd300 train --preset pytorch-ssd300` has that schedule, with its loss, default boxes and normalization.
"""

import argparse
import sys
from pathlib import Path

from ssd300.cli import main
from ssd300.data.formats.lists import has_lists

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
)
option = parser.add_argument
option("--data_folder", "--data-folder", default="./", help="the folder of the lists, or a VOC folder")
option("--keep_difficult", "--keep-difficult", nargs="?", const="True", default="True", choices=["True", "False"],
       help="whether to train on difficult objects")  # fmt: skip
option("--checkpoint", help="a run folder to resume; the other options must be those of that run")
option("--out", default="checkpoint_ssd300", help="the run folder of a new run")
option("--init", default="none", help="weights to start from: a file, or none")
option("--model", default="ssd300_vgg16", help="ssd300_vgg16 or ssd300_efficientnet_lite0")
option("--default_boxes", "--default-boxes", default="paper", help="paper or pytorch-ssd300")
option("--rules", default="paper", help="matching and loss: paper or pytorch-ssd300")
option("--batch_size", "--batch-size", default=8, help="images per iteration")
option("--iterations", default=120_000, help="updates of the weights")
option("--workers", default=4, help="processes that decode images")
option("--print_freq", "--print-freq", default=200, help="iterations between lines of the log")
option("--lr", default=1e-3, help="learning rate of weights; that of biases is twice as high")
option("--decay_lr_at", "--decay-lr-at", default=[80_000, 100_000], nargs="+", help="iterations before each drop")
option("--decay_lr_to", "--decay-lr-to", default=0.1, help="the rate is multiplied by this at each drop")
option("--momentum", default=0.9, help="momentum of SGD")
option("--weight_decay", "--weight-decay", default=5e-4, help="weight decay on weights; biases have none")
option("--grad_clip", "--grad-clip", help="a gradient with a larger norm is scaled down to this norm")
option("--device", default="auto", help="auto, cpu, cuda or mps")
option("--seed", default=0, help="seed of random numbers")

if __name__ == "__main__":
    args, others = parser.parse_known_args()
    options = {
        "--out": args.checkpoint or args.out, "--model": args.model, "--init": args.init, "--steps": args.iterations,
        "--default-boxes": args.default_boxes, "--rules": args.rules, "--batch-size": args.batch_size,
        "--workers": args.workers, "--log-every": args.print_freq, "--lr": args.lr,
        "--lr-drop-factor": args.decay_lr_to, "--momentum": args.momentum, "--weight-decay": args.weight_decay,
        "--grad-clip": args.grad_clip, "--device": args.device, "--seed": args.seed,
    }  # fmt: skip
    words = ["train", args.data_folder, *others]
    words += [str(word) for pair in options.items() if pair[1] is not None for word in pair]
    words += ["--lr-drop", *map(str, args.decay_lr_at)]
    # The lists may lie beside the VOCdevkit that they were made from, and then --format auto would be ambiguous.
    words += ["--format", "lists"] if has_lists(Path(args.data_folder)) else []
    words += ["--resume"] if args.checkpoint else []
    words += [] if any(word.partition("=")[0] == "--preset" for word in others) else ["--preset", "paper"]
    sys.exit(main(words if args.keep_difficult == "True" else [*words, "--drop-difficult"]))
