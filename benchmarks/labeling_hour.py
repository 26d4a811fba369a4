"""An hour of labeling by a simulated hand: with proposals and without, in random order and by entropy; mAP each round.

    python benchmarks/labeling_hour.py facemask --out runs/hour [--seeds 0 1] [--ways …] [--plot docs/labeling_hour.png]

The images of `trainval` lose their labels and are labeled anew through the API of `ssd300 label`, as its page does it.
The hand that draws is the dataset's own labels, so a drawn box is exact; an accepted proposal stays as the model drew
it. After each round a model is trained on what is labeled so far, a fifth held out as the page does it, from the
weights of the round before. Its time does not count. It is measured on `test`, and in the next round it proposes boxes
or orders the images as the page lists them: the least sure first, every fifth one by chance. SECONDS has what each act
takes: that of drawing was measured by others, the rest is assumed. An image that is begun is finished, so a round can
last longer. A round that is there is not made again.
"""

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ssd300.boxes import iou_px
from ssd300.data import load_dataset
from ssd300.labeling.ordering import least_sure_first

ROUNDS_MIN = (10, 20, 40, 60)
# A box takes 7 s with four clicks on the object's edges, and 35 s as ImageNet's were drawn (Papadopoulos et al.,
# Extreme clicking for efficient object annotation, ICCV 2017). The others are assumed: to look at an image and leave
# it; to judge a proposal and accept it or not; to drag one of two corners; to press the key of a class.
SECONDS = {"draw": 7.0, "image": 3.0, "judge": 1.5, "corner": 2.0, "class": 1.0}
FITS, IS_MEANT = 0.75, 0.4  # IoU with the true box: a proposal that is left as it is; one that is worth correcting
WAYS = {  # of labeling: whether a model proposes, and the order of the images
    "drawn, random order": (False, "random"),
    "drawn, by entropy": (False, "entropy"),
    "proposed, random order": (True, "random"),
    "proposed, by entropy": (True, "entropy"),
    "proposed, by mean-entropy": (True, "mean-entropy"),
    "proposed, by near-threshold": (True, "near-threshold"),
    "proposed, by flip": (True, "flip"),
}
USUAL = list(WAYS)[:4]
BATCH = 8
HELD_OUT = 0.2  # of the labeled images, so that the weights get confidence thresholds
Labels = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Round:
    """What is done at the end of a round, all rounds before it included."""

    seconds: float = 0.0
    images: int = 0
    drawn: int = 0
    accepted: int = 0
    corrected: int = 0
    refused: int = 0
    map: float = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a VOC folder with the splits trainval and test")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=USUAL)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--images", type=int, default=2000, help="that each training sees")
    parser.add_argument("--preset", default="best")
    parser.add_argument("--out", type=Path, default=Path("runs/labeling_hour"))
    parser.add_argument("--plot", type=Path, help="an image file for the curves of mAP")
    options = parser.parse_args()
    found = {}
    for way in options.ways:
        found[way] = [Hour(options, way, seed).rounds() for seed in options.seeds]
        print_rows(way, found[way])
    if options.plot:
        draw(found, options.plot)


class Hour:
    """One way of labeling, with one seed."""

    def __init__(self, options: argparse.Namespace, way: str, seed: int) -> None:
        self.options, self.seed = options, seed
        self.proposes, self.order = WAYS[way]
        self.home: Path = options.out / f"{options.data.name}_{way.replace(', ', '_').replace(' ', '-')}_{seed}"
        # Before there is a model all ways are the same: the first round is made once.
        self.first: Path = options.out / f"{options.data.name}_first_{seed}"
        data = load_dataset(options.data, split="trainval")
        self.images = {Path(one.image_path).name: Path(one.image_path).resolve() for one in data.annotations}
        self.truth = {
            Path(one.image_path).name: [
                {"name": data.classes[label], "box": box}
                for label, box in zip(one.labels.tolist(), one.boxes_px.tolist(), strict=True)
            ]
            for one in data.annotations
        }
        self.shuffled = random.Random(seed).sample(sorted(self.images), len(self.images))
        self.classes = data.classes
        self.class_list = options.out / "classes.txt"  # also of classes that have no box so far: their AP counts

    def rounds(self) -> list[Round]:
        done: list[Round] = []
        for number, minutes in enumerate(ROUNDS_MIN):
            home = self.first if number == 0 else self.home
            record = home / f"{minutes}.json"
            if not record.is_file():
                images = home / f"images_{minutes}"
                shutil.rmtree(images, ignore_errors=True)  # of a round that was stopped
                if done:
                    shutil.copytree(self.place(number - 1, "images"), images, symlinks=True)
                    labeled = self.label(images, done[-1], self.place(number - 1, "run"), minutes)
                else:
                    images.mkdir(parents=True)
                    for name, path in self.images.items():
                        (images / name).symlink_to(path)
                    labeled = self.label(images, Round(), None, minutes)
                begin = self.place(number - 1, "run") if done else "imagenet"
                score = self.train_and_measure(images, begin, self.place(number, "run"))
                record.write_text(json.dumps(asdict(replace(labeled, map=score)), indent=1))
            done.append(Round(**json.loads(record.read_text())))
        return done

    def place(self, number: int, what: str) -> Path:
        """The folder of the images or the run of a round."""
        return (self.first if number == 0 else self.home) / f"{what}_{ROUNDS_MIN[number]}"

    def label(self, images: Path, before: Round, weights: Path | None, minutes: int) -> Round:
        """Label images through the server until the time is over."""
        now = before
        self.class_list.write_text("".join(f"{name}\n" for name in self.classes))
        command = ["label", str(images), "--port", "0", "--classes", str(self.class_list)]
        if weights is not None and self.proposes:
            command += ["--weights", str(weights)]
        order = self.ordered(images, weights)
        with server(command) as address:
            project = ask(f"{address}/v1/label/project")
            numbers = {line["name"]: line["number"] for line in project["images"] if line["state"] != "done"}
            for name in (name for name in order if name in numbers):
                if now.seconds >= minutes * 60:
                    break
                number = numbers[name]
                proposals = proposed(address, number) if "--weights" in command else []
                labels, now = by_hand(self.truth[name], proposals, now)
                image = ask(f"{address}/v1/label/images/{number}")
                body = {"version": image["version"], "exists": True, "boxes": [{"key": "", **one} for one in labels]}
                ask(f"{address}/v1/label/images/{number}", body)
        return now

    def ordered(self, images: Path, weights: Path | None) -> list[str]:
        """The names of the images that have no labels, in the order in which they are labeled."""
        names = [name for name in self.shuffled if not (images / name).with_suffix(".xml").is_file()]
        if weights is None or self.order == "random":
            return names
        rated = run(
            "next", images, "--weights", weights, "--by", self.order, "--seed", self.seed, "--count", len(names),
            "--unlabeled-only", "--keep-near-copies", "--random-share", 0, "--json",
        )  # fmt: skip
        least_sure = {Path(one["image"]).name: place for place, one in enumerate(json.loads(rated)["chosen"])}
        doubt = {number: -least_sure[name] for number, name in enumerate(names) if name in least_sure}
        return [names[number] for number in least_sure_first(doubt, (), len(names))]

    def train_and_measure(self, images: Path, begin: Path | str, out: Path) -> float:
        steps = self.options.images // BATCH
        run(
            "train", images, "--out", out, "--init", begin, "--preset", self.options.preset, "--batch-size", BATCH,
            "--steps", steps, "--classes", self.class_list, "--seed", self.seed,
            "--holdout", HELD_OUT, "--eval-every", 0, "--on-bad-label", "drop-image", "--workers", 1, "--overwrite",
        )  # fmt: skip
        measured = run("eval", self.options.data, "--split", "test", "--weights", out, "--json")
        return float(json.loads(measured)["map"])


def by_hand(truth: Labels, proposals: Labels, before: Round) -> tuple[Labels, Round]:
    """The labels that the hand leaves in an image, and what is done with them.

    It judges each proposal. One that is about right is accepted, and its class or two of its corners are corrected if
    they are wrong. What has no proposal is drawn.
    """
    partner = partners(truth, proposals)
    labels, accepted, corrected, seconds = [], 0, 0, SECONDS["image"] + SECONDS["judge"] * len(proposals)
    for number, (true, overlap) in partner.items():
        name, is_loose = proposals[number]["name"], overlap < FITS
        labels.append({"name": true["name"], "box": true["box"] if is_loose else proposals[number]["box"]})
        seconds += (name != true["name"]) * SECONDS["class"] + is_loose * 2 * SECONDS["corner"]
        is_right = name == true["name"] and not is_loose
        accepted, corrected = accepted + is_right, corrected + (not is_right)
    kept = {id(true) for true, _ in partner.values()}
    missed = [true for true in truth if id(true) not in kept]
    seconds += SECONDS["draw"] * len(missed) + SECONDS["class"] * len({one["name"] for one in missed})
    return [*labels, *missed], replace(
        before,
        seconds=before.seconds + seconds,
        images=before.images + 1,
        drawn=before.drawn + len(missed),
        accepted=before.accepted + accepted,
        corrected=before.corrected + corrected,
        refused=before.refused + len(proposals) - len(partner),
    )


def partners(truth: Labels, proposals: Labels) -> dict[int, tuple[dict[str, Any], float]]:
    """For each proposal that shows a true box, by its number: that box and their IoU. Each is used once, best first."""
    if not truth or not proposals:
        return {}
    boxes, true_boxes = (np.array([one["box"] for one in some], dtype=float) for some in (proposals, truth))
    overlaps = iou_px(boxes[:, None], true_boxes[None])
    found: dict[int, tuple[dict[str, Any], float]] = {}
    while overlaps.max() >= IS_MEANT:
        number, true = divmod(int(overlaps.argmax()), len(truth))
        found[number] = truth[true], float(overlaps[number, true])
        overlaps[number], overlaps[:, true] = -1, -1
    return found


def proposed(address: str, number: int) -> Labels:
    """The proposals above the mean of the confidence thresholds of the weights."""
    while not (answer := ask(f"{address}/v1/label/proposals/{number}"))["is_ready"]:
        pass
    if answer["fault"]:
        raise RuntimeError(answer["fault"])
    return [one for one in answer["boxes"] if one["score"] >= np.mean([*answer["about"]["min_scores"].values()])]


@contextmanager
def server(command: Sequence[str]) -> Iterator[str]:
    """`ssd300 label` on a free port; its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ssd300", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                yield found[0]
                return
        raise RuntimeError("".join(said))
    finally:
        process.terminate()
        process.communicate()


def ask(url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def run(*words: object) -> str:
    command = [sys.executable, "-m", "ssd300", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


def print_rows(way: str, found: Sequence[Sequence[Round]]) -> None:
    """A row for each round: each value once for each seed."""
    for number, minutes in enumerate(ROUNDS_MIN):
        rounds = [rounds[number] for rounds in found]
        counts = [" ".join(f"{getattr(one, name):,}" for one in rounds) for name in COUNTED]
        lasted = " ".join(f"{one.seconds / 60:.1f}" for one in rounds)
        scores = " ".join(f"{one.map:.3f}" for one in rounds)
        print(" | ".join([f"| {way}", str(minutes), lasted, *counts, f"{scores} |"]), flush=True)


COUNTED = ("images", "drawn", "accepted", "corrected", "refused")


def draw(found: dict[str, list[list[Round]]], out: Path) -> None:
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", sharex=True)
    for way, by_seed in found.items():
        minutes = np.array([[one.seconds / 60 for one in rounds] for rounds in by_seed])
        style = "-" if WAYS[way][0] else "--"
        for panel, name in zip(axes, ("images", "map"), strict=True):
            values = np.array([[getattr(one, name) for one in rounds] for rounds in by_seed])
            (line,) = panel.plot(minutes.mean(axis=0), values.mean(axis=0), style, marker="o", label=way)
            panel.plot(minutes.T, values.T, style, color=line.get_color(), alpha=0.3, linewidth=1)
    axes[0].set(xlabel="minutes of labeling", ylabel="labeled images", ylim=0)
    axes[1].set(xlabel="minutes of labeling", ylabel="mAP on the test images")
    axes[0].legend(frameon=False)
    for panel in axes:
        panel.grid(alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(out, dpi=120)


if __name__ == "__main__":
    main()
