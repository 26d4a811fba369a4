"""What a new user gets for wrong input: the exit code, and the sentences, by theme. Nothing is written for any of them.

The commands are typed in a folder with `data` (a VOC folder of red and blue rectangles), `runs/mine` (a run), `dog.jpg`
and some other things: see `folder`.
"""

import re
import shlex
import shutil
import urllib.error

import pytest

from conftest import object_xml, write_coloured, write_drawn_weights, write_voc
from ssd300.cli import main
from ssd300.system import download

NEWEST = "for the newest run here"
VERBS_AND_OPTIONS = [
    ("no-such-verb", "trian data", 2, ["there is no command 'trian'", "Did you mean `ssd300 train data`?"]),
    ("predict", "predict dog.jpg -w runs/mine", 2, ["`ssd300 detect dog.jpg -w runs/mine`"]),
    ("infer", "infer dog.jpg", 2, ["`ssd300 detect dog.jpg`"]),
    ("val", "val data", 2, ["`ssd300 eval data`"]),
    ("validate", "validate data", 2, ["`ssd300 eval data`"]),
    ("test", "test data", 2, ["`ssd300 eval data` or `ssd300 detect data`"]),
    ("annotate", "annotate data", 2, ["Did you mean `ssd300 label data`?"]),
    ("label-nothing", "label", 2, ["label needs FOLDER\n", "Type `ssd300 label FOLDER`."]),
    ("label-two", "label data empty", 2, ["'empty' is too much"]),
    ("fit", "fit data --out r", 2, ["`ssd300 train data --out r`"]),
    ("unknown-word", "abracadabra", 2, ["The usual ones are train, eval and detect"]),
    ("image-without-verb", "dog.jpg", 2, ["the command comes first", "`ssd300 detect dog.jpg`"]),
    ("option-without-verb", "--weights runs/mine", 2, ["The command comes first"]),
    ("help-of-unknown", "help predict", 2, ["there is no command 'predict'"]),
    ("threshold", "detect dog.jpg -w runs/mine --threshold 0.5", 2, ["no option --threshold", "mean --min-score?"]),
    ("conf-thres", "detect dog.jpg -w runs/mine --conf-thres 0.5", 2, ["Did you mean --min-score?"]),
    ("iou-thres", "detect dog.jpg -w runs/mine --iou-thres=0.5", 2, ["no option --iou-thres", "mean --max-overlap?"]),
    ("project", "train data --project r", 2, ["no option --project", "Did you mean --out?"]),
    ("source", "detect --source dog.jpg -w runs/mine", 2, ["Write SOURCE without an option", "`ssd300 detect SOURCE`"]),
    ("data", "eval --data data -w runs/mine", 2, ["Write DATA without an option"]),
    ("model", "detect dog.jpg --model runs/mine", 2, ["no option --model", "Did you mean --weights?"]),
    ("pretrained", "train data --out r --pretrained runs/mine", 2, ["Did you mean --init?"]),
    ("imgsz", "detect dog.jpg -w runs/mine --imgsz 640", 2, ["no option --imgsz", "--tile"]),
    ("imgsz-of-train", "train data --out r --imgsz 512", 2, ["Did you mean --image-size?"]),
    ("epoch", "train data --out r --epoch 3", 2, ["Did you mean --epochs?"]),
    ("batch", "train data --out r --batch 3", 2, ["Did you mean --batch-size?"]),
    ("gpu", "train data --out r --gpu 0", 2, ["Did you mean --device cuda?"]),
    ("mistyped", "train data --out r --stepps 3", 2, ["no option --stepps", "Did you mean --steps?"]),
    ("file-like-an-option", "detect -x.tif -w runs/mine", 2, ["no option -x.tif", "write ./-x.tif"]),
    ("behind-two-hyphens", "detect -- -x.tif", 2, ["needs --weights", "detect --weights runs/mine -- -x.tif`"]),
    ("split-of-label", "label data --split test", 2, ["label has no option --split", "takes all images of the data"]),
    ("holdout-of-prepare", "prepare data --out r --holdout 0.2", 2, ["no option --holdout", "`ssd300 split DATA"]),
    ("val-split", "prepare data --out r --val-split 0.2", 2, ["no option --val-split", "`ssd300 split DATA"]),
    ("of-another-verb", "train data --out r --max-det 3", 2, ["train has no option --max-det\n", "train --help"]),
    ("nothing-alike", "detect dog.jpg -w runs/mine --frobnicate 3", 2, ["no option --frobnicate", "detect --help"]),
]
VALUES = [
    ("min-score", "eval data -w runs/mine --min-score 3", 2, ["--min-score is 3.0; it must be in 0..1"]),
    (
        "as-typed",
        "detect dog.jpg -w runs/mine --conf 3 --max-det 0",
        2,
        ["--conf is 3.0; it must be in 0..1", "--max-det is 0; it must be 1 or more"],
    ),
    (
        "of-data-without-data",
        "export -w runs/mine --out m.onnx --split test --data-format voc",
        2,
        ["--split is for DATA, which is not given", "--data-format is for DATA, which is not given"],
    ),
    ("overlap", "thresholds data -w runs/mine --iou 7", 2, ["--iou is 7.0; it must be in 0..1"]),
    ("no-number", "detect dog.jpg -w runs/mine --top-k many", 2, ["--top-k is many; it must be a whole number"]),
    ("empty-value", "detect dog.jpg -w runs/mine --top-k=", 2, ["--top-k needs a value"]),
    ("exponent", "train data --out r --steps 1e3", 2, ["--steps is 1e3; it must be a whole number", "Write 1000."]),
    ("positional", "compare runs/mine", 2, ["compare needs A, B and DATA, in this order", "`ssd300 compare A B DATA`"]),
    (
        "preset-as-a-folder",
        "train data --out r --preset photographs",
        2,
        ["--preset is photographs; it must be one of"],
    ),
    ("patience", "train data --out r --preset light --patience 3", 2, ["--patience is 3; it counts evaluations"]),
    ("drop-of-a-cosine", "train data --out r --preset best --lr-drop 9", 2, ["no effect without --schedule multistep"]),
    ("decay-of-no-average", "train data --out r --ema-decay 0.9", 2, ["--ema-decay has no effect without --ema"]),
    ("no-epochs", "train data --out r --epochs 0", 2, ["--epochs is 0; it must be above 0"]),
    ("epochs-and-steps", "train data --out r --epochs 1 --steps 9", 2, ["--epochs and --steps exclude each other"]),
    ("no-value", "detect dog.jpg -w runs/mine --top-k", 2, ["--top-k needs a value"]),
    ("percent", "split data --out r --holdout 20%", 2, ["--holdout is 20%; it must be a number", "Write 0.2."]),
    ("share", "split data --out r --holdout 20", 2, ["--holdout is 20; it must be between 0 and 1", "Write 0.2."]),
    (
        "choice",
        "detect dog.jpg -w runs/mine --save jpg",
        2,
        ["--save is jpg; it must be one of image, jsonl", "comp4, crops"],
    ),
    ("choice-with-commas", "detect dog.jpg -w runs/mine --save jsonl,jpg", 2, ["--save is jpg; it must be"]),
    ("folder-jpg", "detect dog.jpg -w runs/mine -o found.jpg", 2, ["this name ends in .jpg", "--out found."]),
    ("folder-pt", "train data -o m.pt --steps 0", 2, ["this name ends in .pt", "--out m.", "--steps is 0"]),
    ("folder-html", "demo -o demo.html", 2, ["this name ends in .html", "--out demo."]),
    ("swallowed", "detect -w runs/mine --save image dog.jpg", 2, ["Write dog.jpg before --save"]),
    ("model-vgg16", "train data --out r --model vgg16", 2, ["--model is vgg16", "Did you mean ssd300_vgg16"]),
    ("model-yolo", "train data --out r --model yolo", 2, ["--model is yolo; it must be one of ssd300_vgg16"]),
    ("twice", "detect dog.jpg -w runs/mine -w coco", 2, ["-w is given twice"]),
    ("too-many-words", "info runs/mine dog.jpg", 2, ["'dog.jpg' is too much"]),
    (
        "steps-and-rate",
        "train data --out r --steps 0 --lr -1",
        2,
        ["--steps is 0; it must be 1 or more", "--lr is -1.0; it must be above 0"],
    ),
    ("drops", "train data --out r --lr-drop 5 3", 2, ["--lr-drop is 5 3; drops are steps"]),
    ("device", "train data --out r --device gpu", 2, ["the device gpu is not available", "Did you mean cuda?"]),
    ("tile", "detect dog.jpg -w runs/mine --tile 0", 2, ["--tile is 0; it must be 1 or more"]),
    (
        "score-of-no-score",
        "detect dog.jpg -w runs/mine --min-score-of red",
        2,
        ["takes CLASS=SCORE", "red=0.4"],
    ),
    ("score-of-two-words", "detect dog.jpg -w runs/mine --min-score-of red 0.5", 2, ["Write --min-score-of red=0.5."]),
    ("score-of-number", "detect dog.jpg -w runs/mine --min-score-of 0.5", 2, ["Write --min-score-of CLASS=0.5."]),
    ("score-of-range", "detect dog.jpg -w runs/mine --min-score-of red=2", 2, ["the score must be in 0..1"]),
    ("suffix", "export -w runs/mine --out m.pt", 2, ["onnx files end in .onnx", "--out m.onnx"]),
    ("suffix-of-openvino", "export -w runs/mine --out m.xml", 2, ["add --format openvino"]),
    ("suffix-of-onnx", "export -w runs/mine --format openvino --out m.onnx", 2, ["add --format onnx"]),
    ("label-port", "label data --port 99999", 2, ["--port is 99999"]),
    ("label-out-is-file", "label data --out notes.md", 2, ["a file where a folder is needed"]),
    ("label-out", "label data --out a.xml", 2, ["this name ends in .xml", "Name a folder: --out a."]),
    ("label-missing", "label dta", 3, ["there is no such folder", "Did you mean data?"]),
    ("label-file", "label dog.jpg", 3, ["this is a file", "Name the folder that it is in."]),
    ("label-empty", "label empty", 3, ["there are no images in this folder"]),
    ("label-part", "label data/JPEGImages", 3, ["holds no dataset", "Name data, which holds PASCAL VOC."]),
    ("label-format", "label data --format coco", 3, ["not of the format 'coco'"]),
    ("label-weights", "label data -w runs/mien", 4, ["Did you mean runs/mine or"]),
    ("file-for-a-site", "export -w runs/mine --format web --out site.zip", 2, ["--out is a folder", "--out site."]),
    ("site-in-bf16", "export -w runs/mine --format web --precision bf16 --out s", 2, ["cannot run files in bf16"]),
    ("port", "serve -w runs/mine --port 99999", 2, ["--port is 99999"]),
    ("overrides", "train data --out r --override", 2, ["--override goes with --resume"]),
    ("exclusive", "train data --out r --holdout 0.2 --eval-split test", 2, ["--holdout and --eval-split exclude"]),
]
CLASSES = [
    ("suppress", "detect dog.jpg -w runs/mine --suppress RED", 2, ["no class 'RED'", "Did you mean red?"]),
    ("suppress-unlike", "detect dog.jpg -w runs/mine --suppress dog", 2, ["Their classes: blue, red."]),
    ("score-of", "detect dog.jpg -w runs/mine --min-score-of bleu=0.3", 2, ["no class 'bleu'", "Did you mean blue?"]),
    ("only", "train data --out r --only bleu", 3, ["--only names bleu", "Did you mean blue?"]),
    ("class-list", "train data --out r --classes names.txt", 3, ["the class list cannot be read", "names.txt"]),
]
WEIGHTS = [
    ("detect-without", "detect dog.jpg", 2, ["needs --weights", "`ssd300 detect dog.jpg --weights runs/mine`", NEWEST]),
    ("eval-without", "eval data", 2, ["--weights or --predictions", "`ssd300 eval data --weights runs/mine`"]),
    ("eval-positional", "eval data runs/mine", 2, ["runs/mine is weights", "`ssd300 eval data --weights runs/mine`."]),
    ("detect-positional", "detect dog.jpg runs/mine", 2, ["`ssd300 detect dog.jpg --weights runs/mine`"]),
    ("detect-name", "detect dog.jpg coco", 2, ["coco is weights", "`ssd300 detect dog.jpg --weights coco`"]),
    ("export-without", "export --out m.onnx", 2, ["`ssd300 export --out m.onnx --weights runs/mine`"]),
    ("store", "detect s3://b/x -w runs/mine", 2, ["addresses of a store are read by jobs", "Add --save parquet"]),
    ("serve-without", "serve", 2, ["serve needs --weights", "`ssd300 serve --weights runs/mine`"]),
    ("serve-stray", "serve runs/mien", 2, ["`ssd300 serve --weights runs/mine`", "no words without an option"]),
    ("thresholds-of-nothing", "thresholds data -w gone.onnx --in-place", 4, ["there is no such weights file"]),
    ("thresholds-published", "thresholds data -w coco --in-place", 2, ["published weights stay as they are"]),
    ("thresholds-without", "thresholds data", 2, ["`ssd300 thresholds data --weights runs/mine`"]),
    ("benchmark-without", "benchmark", 2, ["`ssd300 benchmark --weights runs/mine`"]),
    ("info-without", "info", 2, ["`ssd300 info runs/mine`"]),
    ("mistyped-run", "detect dog.jpg -w runs/mien", 4, ["there is no such weights file", "Did you mean runs/mine or"]),
    ("mistyped-name", "detect dog.jpg -w COCO", 4, ["Did you mean coco?"]),
    ("foreign-name", "detect dog.jpg -w yolov8n", 4, ["Name a run folder", "The newest run here is runs/mine."]),
    ("backbone", "detect dog.jpg -w vgg16", 4, ["vgg16 is a backbone", "`ssd300 train DATA --init vgg16 --out RUN`"]),
    ("no-run-folder", "detect dog.jpg -w runs", 4, ["has no weights/best.safetensors", "newest run here is runs/mine"]),
    ("no-weights-file", "detect dog.jpg -w dog.jpg", 4, ["dog.jpg"]),
    ("start-of-labels", "train data --out r --init papers/a.xml", 4, ["this is an XML file, not weights"]),
    ("start-of-an-image", "train data --out r --init dog.jpg", 4, ["this is an image, not weights"]),
    ("start", "train data --out r --init vgg61", 4, ["there is no such file to start from", "Did you mean vgg16?"]),
    ("verify-swapped", "verify data runs/mine", 2, ["the run first", "`ssd300 verify runs/mine data`"]),
    ("compare-order", "compare data runs/mine runs/mine", 2, ["`ssd300 compare runs/mine runs/mine data`"]),
    ("out", "export -w runs/mine", 2, ["export needs --out", "Add --out model.onnx"]),
    ("benchmark", "benchmark -w missing --rounds 0 --batch-size 0", 2, ["--rounds is 0", "--batch-size is 0"]),
    ("address", "detect http://example.org/a.jpg -w runs/mine --out q", 1, ["nothing was received (Name or"]),
    ("download", "download cocoo", 2, ["there is no 'cocoo' to download", "Did you mean coco"]),
    ("offline", "detect dog.jpg -w coco", 4, ["no network? the weights 'coco'", "put the file into"]),
    ("offline-start", "train data --out r --init vgg16_features --steps 1 --workers 0 --device cpu", 4,
     ["no network? the weights 'vgg16_features'", "put the file into"]),
]  # fmt: skip
SOURCES = [
    ("camera-number", "detect 0 -w runs/mine", 3, ["Name the camera camera:0."]),
    ("webcam", "detect webcam -w runs/mine", 3, ["Name the camera camera:0."]),
    ("camera", "detect camera -w runs/mine", 3, ["Name the camera camera:0."]),
    ("near-name", "detect dgo.jpg -w runs/mine", 3, ["there is no such image", "Did you mean dog.jpg?"]),
    ("no-folder", "detect photos/dog.jpg -w runs/mine", 3, ["There is no folder photos either."]),
    ("no-scheme", "detect www.example.org/dog.jpg -w runs/mine", 3, ["https://www.example.org/dog.jpg"]),
    ("empty-folder", "detect empty -w runs/mine", 3, ["the folder has no images; it is empty"]),
    ("other-files", "detect papers -w runs/mine", 3, ["it holds 2 .xml, 1 folder", "Name its images: papers/scans."]),
    ("pattern", "detect '*.png' -w runs/mine", 3, ["no image matches the pattern"]),
    ("none", "detect -w runs/mine", 2, ["no image was named"]),
    ("no-image", "detect notes.md -w runs/mine --out q", 3, ["notes.md"]),
    ("no-data", "train dataa --out r", 3, ["there is no such folder or file", "Did you mean data?"]),
    ("no-labels", "train photographs --out r", 3, ["images without annotations", "`ssd300 detect photographs"]),
    ("no-predictions", "eval data --predictions found.jsonl", 3, ["there are no such predictions"]),
    ("eval-split", "train data --out r --eval-split nowhere", 3, ["there is no split 'nowhere'"]),
]
OUTPUTS = [
    (
        "run-exists",
        "train data --out runs/mine",
        2,
        ["--out runs/mine-2", "--resume to resume the run", "--overwrite deletes what a run wrote there."],
    ),
    ("nothing-to-resume", "train data --out r --resume", 1, ["there is no state to resume from"]),
    ("resume-and-overwrite", "train data --out r --resume --overwrite", 2, ["--resume and --overwrite exclude"]),
    (
        "state-is-gone",
        "train data --out runs/left --resume",
        1,
        ["no state", "without --resume, with --init runs/left --out runs/left-2"],
    ),
    ("options-are-gone", "train data --out runs/mine --resume", 2, ["config.yaml", "Name the preset of the run"]),
    ("out-is-data", "train data --out data --overwrite", 2, ["is what is read", "--out data-2"]),
    ("out-is-data-of-eval", "eval data -w runs/mine --out ./data --overwrite", 2, ["is what is read"]),
    ("out-is-run-of-eval", "eval data -w runs/mine --out runs/mine --overwrite", 2, ["is what is read"]),
    ("out-is-data-of-convert", "convert data --to coco --out data --overwrite", 2, ["is what is read"]),
    (
        "out-is-start",
        "train data --out runs/left --init runs/left --overwrite",
        2,
        ["replace the weights that it starts from", "--out runs/left-2"],
    ),
    ("out-exists", "detect dog.jpg -w runs/mine --out full", 2, ["not empty", "--out full-2"]),
    ("out-numbered", "convert data --to coco --out runs/mine-7", 2, ["--out runs/mine-8"]),
    ("out-is-file", "prepare data --out notes.md", 2, ["a file where a folder is needed"]),
    ("page-exists", "check data --html page.html", 2, ["the file exists", "--html page-2.html"]),
    ("file-exists", "export -w runs/mine --out m.onnx", 2, ["the file exists", "--out m-2.onnx", "--overwrite"]),
    ("thresholds-exist", "thresholds data -w runs/mine --out w.safetensors", 2, ["--out w-2.safetensors"]),
    ("source-stays", "detect dog.jpg -w runs/mine --out . --overwrite", 2, ["overwrite a source"]),
]
TOGETHER = [
    ("image-and-weights", "detect missing.jpg --weights missing", 3, ["no such image", "no such weights"]),
    ("labels-and-device", "train bad --out r --device foo", 2, ["the device foo", "bad", "--on-bad-label"]),
    ("range-and-image", "detect missing.jpg -w runs/mine --min-score 3 --top-k 0", 2,
     ["--min-score is 3.0", "--top-k is 0", "no such image"]),
    ("words-and-image", "detect missing.jpg --threshold 3", 2,
     ["no option --threshold", "detect needs --weights", "--min-score is 3.0", "no such image"]),
    ("words", "train data --modell vgg16 --stepps x --batch-size y", 2,
     ["no option --modell", "no option --stepps", "--batch-size is y", "--model is vgg16", "train needs --out"]),
    ("unknown-words", "detect dog.jpg -w runs/mine --foo 3 --bar", 2, ["no option --foo", "no option --bar"]),
    ("serve", "serve -w missing --port -1 --batch-size 0 --timeout 0", 2,
     ["--port is -1", "--batch-size is 0", "--timeout is 0.0", "no such weights"]),
    ("label", "label dta -w missing --port -1 --classes nope.txt", 4,
     ["--port is -1", "no such weights", "class list cannot be read", "no such folder"]),
    ("compare", "compare runs/mine missing dataa --resamples 0", 2,
     ["--resamples is 0", "no such weights", "no such folder"]),
    ("export", "export dataa -w missing --out m.pt --images empty", 2,
     ["end in .onnx", "no such weights", "no images", "no such folder"]),
    ("prepare", "prepare dataa --out full --classes names.txt", 2, ["not empty", "class list", "no such folder"]),
    ("convert", "convert dataa --to coco --out full", 2, ["not empty", "no such folder"]),
    ("start-and-data", "train dataa --out runs/mine --init vgg61", 2, ["not empty", "to start from", "no such folder"]),
]  # fmt: skip
ALL = VERBS_AND_OPTIONS + VALUES + CLASSES + WEIGHTS + SOURCES + OUTPUTS + TOGETHER
PYTHON_WORDS = re.compile(r"Traceback|NoneType|PosixPath|tuple|\bNone\b|<class|object at 0x|\w+Error\b")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    write_coloured(home / "data")
    images = sorted((home / "data/JPEGImages").iterdir())
    write_drawn_weights(home / "runs/left")
    run = write_drawn_weights(home / "runs/mine")
    for folder in ("runs/mine-7", "full", "empty", "papers/scans", "photographs", "runs/mine/state"):
        (home / folder).mkdir(parents=True)
    for file in ("runs/mine-7/a", "full/a", "papers/a.xml", "papers/b.xml", "page.html", "m.onnx", "w.safetensors",
                 "notes.md", "runs/mine/state/last.pt"):  # fmt: skip
        (home / file).write_text("something")
    for copy in ("dog.jpg", "-x.tif", "papers/scans/a.jpg", "photographs/a.jpg", "photographs/b.jpg"):
        shutil.copy(images[0], home / copy)
    write_voc(home / "bad", {"p0": object_xml("red", (50, 50, 10, 10))}, {"trainval": ["p0"]})
    shutil.copy(images[0], home / "bad/JPEGImages/p0.jpg")
    assert run.is_dir()
    return home


@pytest.fixture
def here(folder, monkeypatch, tmp_path):
    """The folder as the working one, without a network and with an empty cache of weights."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SSD300_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(download, "PAUSE_S", 0)
    monkeypatch.setattr("urllib.request.urlopen", _unreachable)
    return folder


def _unreachable(*_args, **_more):
    raise urllib.error.URLError("Name or service not known")


@pytest.mark.parametrize(("words", "code", "sentences"), [pytest.param(*row[1:], id=row[0]) for row in ALL])
def test_wrong_input_is_told_in_sentences_and_writes_nothing(here, capsys, words, code, sentences):
    before = sorted(here.rglob("*"))
    got = main(shlex.split(words))
    out, err = capsys.readouterr()
    assert (got, out) == (code, ""), err
    for sentence in sentences:
        assert sentence in err
    assert not PYTHON_WORDS.search(err)
    assert all(len(told.splitlines()) <= 4 for told in err.split("ssd300: error: ")[1:])
    assert sorted(here.rglob("*")) == before


def test_nothing_is_said_of_a_value_that_was_not_typed(here, capsys):
    for size in ("300x300", "300,300"):
        assert main(["train", "data", "--out", "r", "--image-size", size, "--momentum", "-1"]) == 2
        err = capsys.readouterr().err
        assert (err.count("--image-size"), err.count("--momentum")) == (1, 1), err


def test_the_table_is_long_and_says_each_thing_once():
    assert len(ALL) >= 100
    assert len({words for _, words, *_ in ALL}) == len(ALL)
    assert len({name for name, *_ in ALL}) == len(ALL)
