"""mAP of recipes of training on several datasets, by runs that see equally many images: tables of docs/results.md.

    python benchmarks/recipes.py bccd facemask chess --recipes light best --seeds 0 1 2 --images 4000 --split test

Each dataset is a VOC folder with the splits train, val, trainval and test. Recipes are compared on `val` after training
on `train`; what was chosen is measured on `test` after training on `trainval`. A score that is there is not made again,
and a run goes on from its state, so the command can be repeated after a stop or with more seeds. With `--jobs 2` and
OMP_NUM_THREADS=1, two runs at a time use two cores better than one does.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from ssd300.training.presets import PRESETS

METRICS = ("voc07", "coco")
SPLITS = {"val": ("train", "val"), "test": ("trainval", "test")}  # trained on, measured on; once, at the end of the run
FITTED = "--preset light --default-boxes fitted"
SMALL = f"{FITTED} --batch-size 8"
BEST = "--preset best --eval-every 0"  # measured once, so no evaluation chooses the weights
RECIPES = {
    "light": "--preset light",
    "light-norms": "--preset light --freeze-norms",
    "fitted": FITTED,
    "b8": SMALL,
    "b4": f"{FITTED} --batch-size 4",
    "b8-adamw": f"{SMALL} --optimizer adamw --lr 1e-3 --weight-decay 0.05",
    "b8-pyramid": f"{SMALL} --model ssd_lite0_fpn",
    "b8-rate2": f"{SMALL} --lr 2e-2",
    "b8-prior": f"{SMALL} --class-prior 0.05",
    "b4-prior": f"{FITTED} --batch-size 4 --class-prior 0.05",
    "best": BEST,
    "best-rate8": f"{BEST} --lr 8e-2",
    "best-atss": f"{BEST} --matching atss",
    "best-atss-pisa": f"{BEST} --matching atss --weighting pisa",
    "best-pisa": f"{BEST} --weighting pisa",
    "best-giou": f"{BEST} --box-loss giou --box-weight 2",
    "best-average": f"{BEST} --ema --ema-decay 0.99",
    "best-balanced": f"{BEST} --sampling balanced",
    "best-mosaic": f"{BEST} --mosaic 0.5",
    "best-mixup": f"{BEST} --mixup 0.2",
    "best-backbone": f"{BEST} --backbone-lr 0.3",
    "best-pyramid": f"{BEST} --model ssd_lite0_fpn",
    "best-ssdlite": f"{BEST} --heads ssdlite",
    "best-lite1": f"{BEST} --model ssd300_efficientnet_lite1",
    "best-lite2": f"{BEST} --model ssd300_efficientnet_lite2",
    "best-384": f"{BEST} --image-size 384",
    "best-512": f"{BEST} --image-size 512",
    "best-512-pisa": f"{BEST} --image-size 512 --weighting pisa",
}


class Run(NamedTuple):
    recipe: str
    data: Path
    seed: int
    images: int
    split: str

    @property
    def name(self) -> str:
        return f"{self.recipe}_{self.data.name}_{self.split}_{self.images}_{self.seed}"

    def train_command(self, out: Path) -> list[str]:
        words = RECIPES[self.recipe].split()
        values = dict(zip(words[::2], words[1::2], strict=False))
        batch = int(values.get("--batch-size", PRESETS[values["--preset"]](out).batch_size))
        trained, measured = SPLITS[self.split]
        return [
            "train", str(self.data), "--split", trained, "--eval-split", measured, "--out", str(out), *words,
            "--steps", str(self.images // batch), "--seed", str(self.seed), "--workers", "1",
        ]  # fmt: skip

    def eval_command(self, out: Path) -> list[str]:
        measured = SPLITS[self.split][1]
        return ["eval", str(self.data), "--split", measured, "--weights", str(out), "--metric", *METRICS, "--json"]


class Score(NamedTuple):
    """mAP by each of METRICS."""

    voc07: float
    coco: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path, help="VOC folders")
    parser.add_argument("--recipes", nargs="+", choices=list(RECIPES), default=list(RECIPES), help="by name")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--images", type=int, default=4000, help="that each run sees")
    parser.add_argument("--split", choices=list(SPLITS), default="val", help="that is measured on")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--out", type=Path, default=Path("runs/recipes"), help="the folder of runs and scores")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    runs = [
        Run(recipe, data, seed, options.images, options.split)
        for recipe in options.recipes
        for seed in options.seeds
        for data in options.data
    ]
    with ThreadPoolExecutor(options.jobs) as pool:
        found = dict(zip(runs, pool.map(lambda run: score(run, options.out), runs), strict=True))
    print(" | ".join(["| recipe", *(data.name for data in options.data), "mean |"]))
    print("|---" * (len(options.data) + 2) + "|")
    for recipe in options.recipes:
        scores = {
            data: [found[Run(recipe, data, seed, options.images, options.split)] for seed in options.seeds]
            for data in options.data
        }
        means = [
            Score(*map(statistics.mean, zip(*of_seed, strict=True))) for of_seed in zip(*scores.values(), strict=True)
        ]
        print(" | ".join([f"| {recipe}", *map(cell, scores.values()), f"{cell(means)} |"]), flush=True)


def score(run: Run, folder: Path) -> Score:
    """The score of a run, which is made if it is not there."""
    out, scores = folder / run.name, folder / f"{run.name}.json"
    if not scores.is_file():
        ssd300([*run.train_command(out), *(["--resume"] if (out / "state").is_dir() else [])])
        scores.write_text(ssd300(run.eval_command(out)))
    return Score(*(one["map"] for one in json.loads(scores.read_text())["metrics"]))


def ssd300(words: Iterable[str]) -> str:
    done = subprocess.run([sys.executable, "-m", "ssd300", *words], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def mean(scores: Sequence[Score]) -> Score:
    return Score(*(statistics.mean(found) for found in zip(*scores, strict=True)))


def cell(scores: Sequence[Score]) -> str:
    """VOC07 / COCO: the mean of the seeds, with the lowest and the highest of several."""
    parts = []
    for middle, found in zip(mean(scores), zip(*scores, strict=True), strict=True):
        parts.append(f"{middle:.3f}" + (f" ({min(found):.3f} to {max(found):.3f})" if len(found) > 1 else ""))
    return " / ".join(parts)


if __name__ == "__main__":
    main()
