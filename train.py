"""The seed's train.py: its constants as options, the paper's rules. The work is that of `ssd300 train`.

An iteration is one batch, as the option says. The seed itself counted its 120,000 in batches of 32 and made four times
as many of 8: that arithmetic, with its loss and default boxes, is `ssd300 train --preset seed`.
"""

import argparse
import sys

from ssd300.cli import main

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
parser.add_argument("--data_folder", "--data-folder", default="./", help="the folder of the lists, or a VOC folder")
parser.add_argument(
    "--keep_difficult",
    "--keep-difficult",
    default=True,
    action=argparse.BooleanOptionalAction,
    help="train on difficult objects too",
)
parser.add_argument("--checkpoint", help="a run folder to go on from")
parser.add_argument("--out", default="checkpoint_ssd300", help="the run folder of a new run")
parser.add_argument("--init", default="none", help="what VGG16 starts from: a file, or none")
parser.add_argument("--model", default="ssd300_vgg16", help="ssd300_vgg16 or ssd300_efficientnet_lite0")
parser.add_argument("--batch_size", "--batch-size", default=8, type=int, help="pictures an iteration")
parser.add_argument("--iterations", default=120_000, type=int, help="updates of the weights")
parser.add_argument("--workers", default=4, type=int, help="processes that decode pictures")
parser.add_argument("--print_freq", "--print-freq", default=200, type=int, help="iterations between lines of the log")
parser.add_argument("--lr", default=1e-3, type=float, help="learning rate of weights; biases have twice as much")
parser.add_argument(
    "--decay_lr_at",
    "--decay-lr-at",
    default=[80_000, 100_000],
    type=int,
    nargs="*",
    help="iterations at which the rate drops",
)
parser.add_argument(
    "--decay_lr_to", "--decay-lr-to", default=0.1, type=float, help="what the rate is multiplied by there"
)
parser.add_argument("--momentum", default=0.9, type=float, help="of SGD")
parser.add_argument("--weight_decay", "--weight-decay", default=5e-4, type=float, help="on weights")
parser.add_argument("--grad_clip", "--grad-clip", type=float, help="longest gradient norm")
parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
parser.add_argument("--seed", default=0, type=int, help="of everything that chance decides")

if __name__ == "__main__":
    args = parser.parse_args()
    options = {
        "--out": args.checkpoint or args.out, "--model": args.model, "--init": args.init, "--steps": args.iterations,
        "--batch-size": args.batch_size, "--workers": args.workers, "--log-every": args.print_freq, "--lr": args.lr,
        "--lr-drop-factor": args.decay_lr_to, "--momentum": args.momentum, "--weight-decay": args.weight_decay,
        "--grad-clip": args.grad_clip, "--device": args.device, "--seed": args.seed,
    }  # fmt: skip
    words = ["train", args.data_folder]
    words += [str(word) for pair in options.items() if pair[1] is not None for word in pair]
    words += ["--lr-drop", *map(str, args.decay_lr_at)] if args.decay_lr_at else []
    words += ["--resume"] if args.checkpoint else []
    sys.exit(main(words if args.keep_difficult else [*words, "--drop-difficult"]))
