"""Words that people know from other detectors, and what they are called here."""

from collections.abc import Container, Sequence

from ssd300.errors import alike

VERBS_ELSEWHERE = {
    "predict": ("detect",), "infer": ("detect",), "inference": ("detect",), "run": ("detect",), "track": ("detect",),
    "annotate": ("label",), "draw": ("label",), "labelimg": ("label",),
    "val": ("eval",), "valid": ("eval",), "validate": ("eval",), "validation": ("eval",), "evaluate": ("eval",),
    "evaluation": ("eval",), "score": ("eval",), "map": ("eval",), "test": ("eval", "detect"),
    "fit": ("train",), "learn": ("train",), "training": ("train",), "finetune": ("train",), "fine-tune": ("train",),
    "resume": ("train",), "tutorial": ("demo",), "example": ("demo",), "quickstart": ("demo",), "start": ("demo",),
    "doctor": ("check",), "lint": ("check",), "inspect": ("check", "info"), "stats": ("check",), "analyze": ("check",),
    "speed": ("benchmark",), "bench": ("benchmark",), "profile": ("benchmark",), "time": ("benchmark",),
    "server": ("serve",), "api": ("serve",), "web": ("serve",), "app": ("serve",), "ui": ("serve",),
    "diff": ("compare",), "tune": ("thresholds",), "calibrate": ("thresholds",), "onnx": ("export",),
    "get": ("download",), "fetch": ("download",), "models": ("download",), "weights": ("download",),
    "list": ("download",), "system": ("env",), "checks": ("env",), "devices": ("env",), "show": ("info",),
    "create-data-list": ("prepare",), "lists": ("prepare",), "holdout": ("split",),
}  # fmt: skip

# For each option of ours, and words of the command line that are no option, what others call it. The first one that the
# verb has is offered.
_ELSEWHERE: dict[str, str] = {
    "SOURCE": "source src input i image images img imgs video file",
    "DATA": "data dataset d data-dir data-path dataset-dir root source input i images coco-path voc-root",
    "--out": "o output output-dir outdir out-dir project name save-dir save-path dest destination run exp run-dir",
    "--min-score": "threshold thres thresh conf-thres conf-thresh conf-threshold confidence confidence-threshold score "
    "scores score-thr score-threshold score-thresh min-conf min-confidence minscore c",
    "--max-overlap": "iou-thres iou-thresh iou-threshold nms nms-iou nms-threshold nms-thresh overlap-threshold",
    "--top-k": "topk k max-detections max-dets maxdets keep-top-k limit",
    "--weights": "model m checkpoint ckpt weight model-path weights-file pretrained load",
    "--init": "weights w weight pretrained checkpoint ckpt trained-model load start-from basenet backbone-weights",
    "--preset": "config cfg c recipe hyp",
    "--steps": "iterations iters iter n-iters max-iter max-iters max-steps num-steps",
    "--epochs": "epoch e n-epochs num-epochs max-epochs nepochs",
    "--batch-size": "batch b bs batchsize batches",
    "--lr": "learning-rate lr0 learningrate rate base-lr",
    "--lr-drop": "milestones lr-steps lr-decay-epochs decay-lr-at",
    "--lr-drop-factor": "gamma lr-gamma lr-decay decay-lr-to",
    "--workers": "num-workers j jobs n-workers worker",
    "--device cuda": "gpu gpus cuda use-cuda use-gpu",
    "--device cpu": "cpu no-cuda no-gpu",
    "--holdout": "val-split val-ratio validation-split test-size val-size test-split val-share",
    "--eval-split": "val val-set test-set eval-set",
    "--suppress": "exclude ignore ignore-classes exclude-classes hide",
    "--only": "filter include-classes keep class classes",
    "--classes": "names labels label-map class-names class-list labelmap",
    "--save yolo": "save-txt",
    "--save yolo-scores": "save-conf",
    "--save crops": "save-crop save-crops",
    "--save coco": "save-json",
    "--overwrite": "exist-ok force f y yes replace",
    "--resume": "continue r",
    "--amp": "fp16 half mixed-precision bf16",
    "--precision": "half fp16 bf16 int8 quantize dtype quantization",
    "--format": "include f type export-format",
    "--to": "format f output-format to-format type",
    "--image-size": "imgsz img-size input-size size resolution",
    "--seed": "random-seed random-state s",
    "--metric": "metrics eval-type use-07-metric",
    "--frames": "max-frames num-frames",
    "--every": "vid-stride frame-stride stride skip-frames every-nth nth",
    "--fps": "frame-rate framerate rate sample-fps",
    "--track": "tracker tracking persist",
}
OPTIONS_ELSEWHERE: dict[str, tuple[str, ...]] = {}
for _ours, _theirs in _ELSEWHERE.items():
    for _word in _theirs.split():
        OPTIONS_ELSEWHERE[_word] = (*OPTIONS_ELSEWHERE.get(_word, ()), _ours)

# What has no counterpart, and what to do in its place.
NOT_HERE = {
    "imgsz": "The input size is that of the weights. For small objects in large images: `detect --tile 300`.",
    "split": "Leave it out: this command takes all images of the data.",
    "holdout": "To set images aside: `ssd300 split DATA --out FOLDER --holdout 0.2`; `train` takes --holdout too.",
    "show": "Look at the annotated images in the folder of --out.",
    "verbose": "Leave it out: what happens is always said. --debug shows where an error comes from.",
    "quiet": "Leave it out, and send the progress away with `2> log.txt`.",
}
_SAME = {
    "img-size": "imgsz", "image-size": "imgsz", "size": "imgsz", "input-size": "imgsz", "resolution": "imgsz",
    **dict.fromkeys(_ELSEWHERE["--holdout"].split(), "holdout"),
    "view-img": "show", "display": "show", "view": "show", "v": "verbose", "q": "quiet", "silent": "quiet",
}  # fmt: skip


def verbs_for(word: str, verbs: Sequence[str]) -> list[str]:
    """The verbs that `word` may mean."""
    plain = word.casefold().replace("_", "-")
    return list(VERBS_ELSEWHERE.get(plain, ())) or alike(word, verbs, most=2)


def option_for(word: str, options: Sequence[str], positional: Container[str]) -> str | None:
    """The option that `word`, with its hyphens, may mean, with a value if it implies one; or the name of a positional
    argument such as 'DATA'. None if there is nothing like it.
    """
    plain = _plain(word)
    for ours in OPTIONS_ELSEWHERE.get(plain, ()):
        if ours.split()[0] in options or ours in positional:
            return ours
    if plain in NOT_HERE or plain in _SAME or len(plain) == 1:
        return None
    names = [one.removeprefix("--") for one in options if one.startswith("--")]
    return next((f"--{name}" for name in alike(plain, names, most=1)), None)


def instead_of(word: str) -> str | None:
    """What to do in place of an option that has no counterpart; None if it is not known."""
    plain = _plain(word)
    return NOT_HERE.get(_SAME.get(plain, plain))


def _plain(word: str) -> str:
    return word.lstrip("-").replace("_", "-").casefold()
