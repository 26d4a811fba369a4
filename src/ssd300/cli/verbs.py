"""The verbs of `ssd300` in order of work: what each one's help says beside its options.

Nothing of a verb is imported here, so that `ssd300 --help` need not import all of them.
"""

from collections.abc import Mapping

from ssd300.cli.verb import DATA, DETECT, EVALUATE, START, TRAIN, WEIGHTS, Example, Verb

VERBS: Mapping[str, Verb] = {
    "demo": Verb(
        START,
        "Try everything on synthetic images, with a report at the end.",
        "[OPTIONS]",
        (
            Example("Draw images, train on them, measure, detect, and write a report", "ssd300 demo"),
            Example("The same in another folder, with other images", "ssd300 demo --out runs/demo --seed 1"),
        ),
        "first_hour.md",
    ),
    "label": Verb(
        DATA,
        "Draw and correct boxes in the browser, until Ctrl-C.",
        "FOLDER [OPTIONS]",
        (
            Example("A folder of images, at http://127.0.0.1:8301", "ssd300 label photos"),
            Example("With the boxes that a model proposes", "ssd300 label photos --weights runs/cells"),
        ),
        "label.md",
        "Each change is saved at once, in the files of the dataset; a folder without labels gets VOC's XML.",
    ),
    "check": Verb(
        DATA,
        "List problems of a dataset, and what SSD300 can learn from it.",
        "DATA... [OPTIONS]",
        (
            Example("All problems of a dataset, each with what to do", "ssd300 check VOCdevkit"),
            Example("The same as a page with pictures", "ssd300 check data/cells.json --html problems.html"),
        ),
        "data.md",
    ),
    "next": Verb(
        DATA,
        "Choose the images to label next: those a detector is unsure of.",
        "DATA... --weights WEIGHTS [OPTIONS]",
        (
            Example("Fifty images of a folder, as a list that other commands read", "ssd300 next photos --weights "
                    "runs/cells --count 50 --out next.txt"),
            Example("Those whose mirror image is seen differently, among the images without labels", "ssd300 next "
                    "data/cells --weights runs/cells --by flip \\\n    --unlabeled-only"),
        ),
        "evaluation.md",
        "A fifth of them is chosen at random. Near copies of a chosen image are passed over.",
    ),
    "review": Verb(
        DATA,
        "Find labels that may be wrong: where a detector disagrees.",
        "DATA... --weights WEIGHTS [OPTIONS]",
        (
            Example("The worst cases of a dataset", "ssd300 review data/cells --weights runs/cells"),
            Example("The same as a page with pictures", "ssd300 review data/cells --weights runs/cells "
                    "--html review.html"),
        ),
        "evaluation.md",
        "Objects without a label, of another class, labeled twice, with a loose box, or not seen by the detector.",
    ),
    "split": Verb(
        DATA,
        "Set a share of the images aside to measure on, as two lists.",
        "DATA... --out FOLDER --holdout SHARE [OPTIONS]",
        (
            Example("Hold out a fifth of the images", "ssd300 split data/cells --out lists --holdout 0.2"),
            Example("Then train on the rest, and measure on that fifth", "ssd300 train lists --out runs/cells"),
        ),
        "data.md",
        "Near copies stay together in one part. The lists are a folder that train, eval and check read as DATA. Images "
        "are not copied.",
    ),
    "convert": Verb(
        DATA,
        "Write a dataset in VOC, COCO or YOLO format, with its images.",
        "DATA --out FOLDER --to FORMAT [OPTIONS]",
        (
            Example("VOC to YOLO", "ssd300 convert VOCdevkit --out data/yolo --to yolo"),
            Example("Some classes only", "ssd300 convert data.yaml --out data/pets --to coco --only cat dog"),
        ),
        "data.md",
        "Boxes are written unchanged.",
    ),
    "shard": Verb(
        DATA,
        "Pack a dataset into tar shards, to train without its files.",
        "DATA --out FOLDER [OPTIONS]",
        (
            Example("Shards of 256 MB, for `ssd300 train shards`", "ssd300 shard VOCdevkit --out shards"),
            Example("Larger ones, into a bucket", "ssd300 shard data/cells.json --out s3://bucket/cells --size 1GB"),
        ),
        "scale.md",
        "Each image lies in a shard as its file was, with its labels beside it. WebDataset reads the shards too.",
    ),
    "prepare": Verb(
        DATA,
        "Write pytorch-SSD300's lists of training and test images.",
        "DATA... --out FOLDER [OPTIONS]",
        (
            Example("From one dataset", "ssd300 prepare data/cells --out lists"),
            Example(
                "From PASCAL VOC 2007 and 2012, as the tutorial does",
                "ssd300 prepare --voc07 VOC2007 --voc12 VOC2012 --out lists",
            ),
        ),
        "data.md",
    ),
    "train": Verb(
        TRAIN,
        "Train SSD300 on annotated images.",
        "DATA... --out RUN [OPTIONS]",
        (
            Example("On a CPU, with a fifth of the images held out to measure on", "ssd300 train data/cells "
                    "--out runs/cells --preset best \\\n    --holdout 0.2"),
            Example("Go on after a stop", "ssd300 train data/cells --out runs/cells --preset best \\\n    "
                    "--holdout 0.2 --resume"),
        ),
        "training.md",
        "An option that is left out has the preset's value. The training split is trained on; the test or val split "
        "of the same data is measured on, if there is one.",
    ),
    "eval": Verb(
        EVALUATE,
        "Measure the mAP of weights, or of stored predictions.",
        "DATA... --weights WEIGHTS [OPTIONS]",
        (
            Example("The mAP of a run, and a report", "ssd300 eval data/cells --weights runs/cells --out report"),
            Example(
                "Detections of another program, by two metrics",
                "ssd300 eval VOCdevkit --predictions results/VOC2007/Main \\\n    --metric voc07 voc12",
            ),
        ),
        "evaluation.md",
    ),
    "thresholds": Verb(
        EVALUATE,
        "Choose a confidence threshold per class on held-out images.",
        "DATA... --weights WEIGHTS [OPTIONS]",
        (
            Example(
                "The thresholds of the best F1, stored in the run's weights",
                "ssd300 thresholds data/cells --weights runs/cells --in-place",
            ),
            Example(
                "Few false detections: precision 0.95 or more",
                "ssd300 thresholds data/cells --weights runs/cells --precision 0.95 \\\n    --out strict.safetensors",
            ),
        ),
        "evaluation.md",
        "Detection uses the thresholds that the weights hold, unless it is given --min-score.",
    ),
    "compare": Verb(
        EVALUATE,
        "Compare two detectors: is B better than A, and how surely?",
        "A B DATA... [OPTIONS]",
        (
            Example("Two runs", "ssd300 compare runs/old runs/new data/cells"),
            Example(
                "A page with the images that changed most, and exit code 1 if B is worse",
                "ssd300 compare runs/old runs/new data/cells --html compare.html \\\n    --require not-worse",
            ),
        ),
        "evaluation.md",
        "The difference of mAP has a 95% confidence interval, from resampling the images.",
    ),
    "verify": Verb(
        EVALUATE,
        "Check that a run's weights and detections still give its mAP.",
        "RUN DATA... [OPTIONS]",
        (
            Example("A run, with the data of its training", "ssd300 verify runs/cells data/cells"),
            Example("For a program to read", "ssd300 verify runs/cells data/cells --json"),
        ),
        "evaluation.md",
        "If one of them does not, the exit code is 1.",
    ),
    "detect": Verb(
        DETECT,
        "Detect objects in images, folders, videos and camera streams.",
        "SOURCE... --weights WEIGHTS [OPTIONS]",
        (
            Example("One photo, with published weights for 80 kinds of objects", "ssd300 detect photo.jpg "
                    "--weights coco"),
            Example("A folder, with weights of your own", "ssd300 detect photos --weights runs/cells --out found "
                    "--min-score 0.4"),
        ),
        "detection.md",
    ),
    "benchmark": Verb(
        DETECT,
        "Time detection on this machine, and find the fastest settings.",
        "[SOURCE...] --weights WEIGHTS [OPTIONS]",
        (
            Example("With synthetic images", "ssd300 benchmark --weights runs/cells"),
            Example(
                "With your images, and more settings",
                "ssd300 benchmark photos --weights runs/cells --batch-size 1 8 16 \\\n    --threads 1 2 4",
            ),
        ),
        "performance.md",
    ),
    "plan": Verb(
        DETECT,
        "Say what detection on millions of images takes and costs.",
        "[IMAGES...] --images N --weights WEIGHTS [OPTIONS]",
        (
            Example("A billion images in a day, measured on generated images",
                    "ssd300 plan --images 1e9 --weights m.onnx"),
            Example(
                "With your images, on ten machines, packed into tar files of 1,000 images",
                "ssd300 plan photos --images 2e8 --weights m.onnx --machines 10 \\\n    --images-per-file 1000",
            ),
        ),
        "scale.md",
        "The speed, the size of the rows, and what planning and counting take are measured on this machine; the rest "
        "is arithmetic. Each number says whether it was measured, assumed or given.",
    ),
    "export": Verb(
        DETECT,
        "Export weights to ONNX, OpenVINO or a web page, and check it.",
        "[DATA...] --weights WEIGHTS --out FILE [OPTIONS]",
        (
            Example("For ONNX Runtime", "ssd300 export --weights runs/cells --out deploy/cells.onnx"),
            Example(
                "For OpenVINO, in 8 bits, with the mAP of both on labeled images",
                "ssd300 export data/cells --weights runs/cells --out deploy/cells.xml \\\n    "
                "--format openvino --precision int8",
            ),
        ),
        "deploy.md",
        "The file holds preprocessing, default boxes, decoding, class names and, for ONNX, non-maximum suppression. It "
        "is run on images and compared with the weights. If it differs too much, nothing is written and the exit "
        "code is 5. parity.json beside it holds the comparison; of a second file in the folder, <file>.parity.json. "
        "For web, --out is a folder for the file, a page and ONNX Runtime Web (`ssd300 download web-runtime`).",
    ),
    "serve": Verb(
        DETECT,
        "Serve a web page for images and an HTTP API, until Ctrl-C.",
        "--weights WEIGHTS [OPTIONS]",
        (
            Example("For this machine, at http://127.0.0.1:8300", "ssd300 serve --weights runs/cells"),
            Example(
                "For the network, with a token",
                "ssd300 serve --weights runs/cells --host 0.0.0.0 --token SECRET",
            ),
        ),
        "serve.md",
    ),
    "download": Verb(
        WEIGHTS,
        "Download published weights or VOC; without a name, list them.",
        "[NAME...] [OPTIONS]",
        (
            Example("A detector for the 80 kinds of objects of COCO", "ssd300 download coco"),
            Example("PASCAL VOC 2007 and 2012", "ssd300 download voc --root data"),
        ),
        "weights.md",
        "A download that stopped goes on where it was, and every file is checked against its published checksum.",
    ),
    "import": Verb(
        WEIGHTS,
        "Convert a checkpoint of other SSD300 code to a weights file.",
        "OLD NEW [OPTIONS]",
        (
            Example("A checkpoint of another code", "ssd300 import checkpoint.pth.tar imported.safetensors"),
            Example(
                "With classes of its own", "ssd300 import old.pth imported.safetensors --classes classes.txt"
            ),
        ),
        "weights.md",
        "The other code is not needed, and none of it is run.",
    ),
    "info": Verb(
        WEIGHTS,
        "Say what weights hold: model, classes, mAP, data, license.",
        "WEIGHTS [OPTIONS]",
        (
            Example("Of a run", "ssd300 info runs/cells"),
            Example("Of an exported file, for a program to read", "ssd300 info deploy/cells.onnx --json"),
        ),
        "weights.md",
    ),
    "env": Verb(
        WEIGHTS,
        "Say what this machine has: versions, processor, GPUs.",
        "[OPTIONS]",
        (
            Example("To read, or to paste into an issue", "ssd300 env"),
            Example("For a program to read", "ssd300 env --json"),
        ),
        "performance.md",
    ),
}  # fmt: skip
