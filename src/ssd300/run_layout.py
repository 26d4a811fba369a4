"""The name of every file of a run folder, relative to it. `eval --out` writes some of them too, by the same names."""

# What the run was given, what it says of itself, and its rows.
CONFIG = "config.yaml"
COMMAND = "command.txt"
ENVIRONMENT = "env.json"
DATA = "data.json"
LOG = "train.log"
RESULTS_CSV = "results.csv"
METRICS_JSONL = "metrics.jsonl"
SUMMARY = "summary.json"
REPORT = "report.html"
LOCK = ".lock"

# Weights, and the state to resume from with the one before it.
BEST_WEIGHTS = "weights/best.safetensors"
LAST_WEIGHTS = "weights/last.safetensors"
LAST_AVERAGED_WEIGHTS = "weights/last_ema.safetensors"
STATE = "state/last.pt"
PREVIOUS_STATE = "state/previous.pt"

# Plots and images for people.
LOSS_PLOT = "plots/loss.png"
LEARNING_RATE_PLOT = "plots/lr.png"
MAP_PLOT = "plots/map.png"
LABELS_PLOT = "plots/labels.png"
EVALUATION_PLOT = "plots/{name}.png"
TRAINING_BATCH_IMAGE = "images/training_batch.jpg"
VALIDATION_IMAGE = "images/validation_{number}.jpg"
WORST_IMAGE = "images/worst_{number}.jpg"

# The best evaluation.
EVALUATION = "eval"
PER_CLASS_CSV = "per_class.csv"
DETECTIONS_JSONL = "detections.jsonl"
COMP4 = "comp4"
ERRORS = "failures.json"
SCORES = "scores.json"

# What a new run takes away of an earlier one in the same folder: all that it would otherwise be mixed with.
OF_A_RUN = ("weights", "state", "plots", "images", EVALUATION, REPORT, SUMMARY, METRICS_JSONL, RESULTS_CSV, LOG)
