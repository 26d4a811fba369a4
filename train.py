"""pytorch-SSD300's train.py, with its constants as options, and with the paper's rules unless options name others.

It runs `ssd300 train`; options that are not listed here are passed on to it. With `--preset` the preset has the
defaults, in place of those below.

An iteration is one batch. pytorch-SSD300 itself counts iterations in batches of 32 and makes four times as many of 8:
`--preset pytorch-ssd300` has that schedule, with its loss, default boxes and normalization.
"""

import sys
from pathlib import Path

from ssd300.cli.scripts import Script
from ssd300.data.formats.lists import has_lists

script = Script("train", __doc__)
option = script.option
option("--data_folder", default="./", help="the folder of the lists, or a VOC folder")
option("--keep_difficult", nargs="?", const="True", default="True", choices=["True", "False"],
       help="whether to train on difficult objects")  # fmt: skip
option("--checkpoint", same_as="--resume", help="a run folder to resume; the other options must be those of that run")
option("--out", "--out", default="checkpoint_ssd300", help="the run folder of a new run")
option("--init", "--init", default="none", help="weights to start from: a file, or none")
option("--model", "--model", default="ssd300_vgg16", help="ssd300_vgg16 or ssd300_efficientnet_lite0")
option("--default_boxes", "--default-boxes", default="paper", help="paper or pytorch-ssd300")
option("--rules", "--rules", default="paper", help="matching and loss: paper or pytorch-ssd300")
option("--batch_size", "--batch-size", default=8, help="images per iteration")
option("--iterations", "--steps", default=120_000, help="updates of the weights")
option("--workers", "--workers", default=4, help="processes that decode images")
option("--print_freq", "--log-every", default=200, help="iterations between lines of the log")
option("--lr", "--lr", default=1e-3, help="learning rate of weights; that of biases is twice as high")
option("--decay_lr_at", "--lr-drop", default=[80_000, 100_000], nargs="+", help="iterations before each drop")
option("--decay_lr_to", "--lr-drop-factor", default=0.1, help="the rate is multiplied by this at each drop")
option("--momentum", "--momentum", default=0.9, help="momentum of SGD")
option("--weight_decay", "--weight-decay", default=5e-4, help="weight decay on weights; biases have none")
option("--grad_clip", "--grad-clip", help="a gradient with a larger norm is scaled down to this norm")
option("--device", "--device", default="auto", help="auto, cpu, cuda or mps")
option("--seed", "--seed", default=0, help="seed of random numbers")

if __name__ == "__main__":
    args, typed, others = script.parse()
    others_names = {word.split("=")[0] for word in others}
    given = typed if "--preset" in others_names else args
    # Epochs are in place of iterations, not beside those that nobody typed.
    if "--epochs" in others_names:
        given = {name: value for name, value in given.items() if name != "iterations" or name in typed}
    words = [args["data_folder"], *others, "--out", args["checkpoint"] or args["out"]]
    for word, (name, *_) in script.words.items():
        value = given.get(name[2:])
        if word != "--out" and value is not None:
            words += [word, *map(str, value if isinstance(value, list) else [value])]
    # The lists may lie beside the VOCdevkit that they were made from, and then --format auto would be ambiguous.
    words += ["--format", "lists"] if has_lists(Path(args["data_folder"])) else []
    words += ["--resume"] if args["checkpoint"] else []
    words += [] if "--preset" in others_names else ["--preset", "paper"]
    words += ["--drop-difficult"] if args["keep_difficult"] == "False" else []
    sys.exit(script.run(words))
