"""The names of the files in a run folder, relative to it; those of an evaluation are relative to its own folder.

This folder is `EVALUATION` in a run, or what `ssd300 eval --out` names.
"""

from itertools import islice
from pathlib import Path

# Inputs of the run, its log, its rows and its results.
CONFIG = "config.yaml"
COMMAND = "command.txt"
ENVIRONMENT = "env.json"
DATA = "data.json"
LOG = "train.log"
RESULTS_CSV = "results.csv"
METRICS_JSONL = "metrics.jsonl"
SUMMARY = "summary.json"
LAUNCH = ".launch"  # of torchrun: which one wrote here last
REPORT = "report.html"

# Weights; the state to resume from, and the one before it.
BEST_WEIGHTS = "weights/best.safetensors"
LAST_WEIGHTS = "weights/last.safetensors"
LAST_AVERAGED_WEIGHTS = "weights/last_ema.safetensors"
STATE = "state/last.pt"
PREVIOUS_STATE = "state/previous.pt"

# Plots and images.
LOSS_PLOT = "plots/loss.png"
LEARNING_RATE_PLOT = "plots/lr.png"
MAP_PLOT = "plots/map.png"
LABELS_PLOT = "plots/labels.png"
EVALUATION_PLOT = "plots/{name}.png"
TRAINING_BATCH_IMAGE = "images/training_batch.jpg"
VALIDATION_IMAGE = "images/validation_{number}.jpg"
WORST_IMAGE = "images/worst_{number}.jpg"

# The folder of the best evaluation, and the files of an evaluation.
EVALUATION = "eval"
PER_CLASS_CSV = "per_class.csv"
DETECTIONS_JSONL = "detections.jsonl"
COMP4 = "comp4"
ERRORS = "failures.json"
SCORES = "scores.json"

# What a new run deletes of an earlier one in the same folder, so that the two are not mixed.
OF_A_RUN = ("weights", "state", "plots", "images", EVALUATION, REPORT, SUMMARY, METRICS_JSONL, RESULTS_CSV, LOG)

# What each save of a run writes.
OF_A_SAVE = (BEST_WEIGHTS, LAST_WEIGHTS, SUMMARY, REPORT)

MOST_FOLDERS = 2000  # that are looked at for runs


def newest_run() -> Path | None:
    """The run folder with the newest weights in `runs/` or the working folder, at most two folders down; or None."""
    folders = islice((path for pattern in ("runs/*", "*", "*/*") for path in Path().glob(pattern)), MOST_FOLDERS)
    best = {path: path / BEST_WEIGHTS for path in folders if (path / BEST_WEIGHTS).is_file()}
    return max(best, key=lambda path: best[path].stat().st_mtime, default=None)
