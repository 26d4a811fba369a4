"""The same three detections in the format of every tool."""

import json

import numpy as np
import pytest

from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.data.predictions.foreign import foreign_reader
from ssd300.data.predictions.read import read_predictions
from ssd300.errors import DataError

# Images are 160 x 120; the classes blue, red. Image, label, score, half-open corners.
ROWS = [
    ("p0", "red", 0.75, (0, 12, 40, 60)),
    ("p3", "blue", 0.5, (16, 0, 80, 120)),
    ("p0", "red", 0.25, (80, 60, 160, 90)),
]


def relative(box):
    return [box[0] / 160, box[1] / 120, (box[2] - box[0]) / 160, (box[3] - box[1]) / 120]


def write_coco(folder):
    rows = [
        {"image_id": int(image[1]), "category_id": {"red": 7, "blue": 3}[name], "score": score,
         "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]]}
        for image, name, score, box in ROWS
    ]  # fmt: skip
    (folder / "results.json").write_text(json.dumps(rows))
    (folder / "truth.json").write_text(json.dumps({
        "images": [{"id": number, "file_name": f"p{number}.jpg"} for number in range(4)],
        "categories": [{"id": 7, "name": "red"}, {"id": 3, "name": "blue"}], "annotations": [],
    }))  # fmt: skip
    return folder / "results.json", folder / "truth.json"


def write_coco_annotations(folder):
    results, truth = (json.loads(path.read_text()) for path in write_coco(folder))
    (folder / "coco.json").write_text(json.dumps(truth | {"annotations": results}))
    return folder / "coco.json", None


def write_ours(folder, indent=None):
    images = [
        {"image": f"shots/{image}.jpg", "width": 160, "height": 120, "detections": [
            {"label": name, "score": score, "box": dict(zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))}
            for one, name, score, box in ROWS if one == image
        ]}
        for image in ("p0", "p3")
    ]  # fmt: skip
    (folder / "detections.json").write_text(json.dumps({"images": images}, indent=indent))
    return folder if indent else folder / "detections.json", None


def write_fiftyone(folder):
    labels = {image: [] for image, *_ in ROWS} | {"p2": None}
    for image, name, score, box in ROWS:
        label = ["blue", "red"].index(name) if image == "p3" else name  # both are allowed
        labels[image].append({"label": label, "bounding_box": relative(box), "confidence": score})
    (folder / "labels.json").write_text(json.dumps({"classes": ["blue", "red"], "labels": labels}))
    return folder, None


def write_yolo(folder, listed=True):
    for image, name, score, box in ROWS:
        x, y, width, height = relative(box)
        number = (["red", "blue"] if listed else ["blue", "red"]).index(name)
        with (folder / f"{image}.txt").open("a") as file:
            file.write(f"{number} {x + width / 2!r} {y + height / 2!r} {width!r} {height!r} {score}\n")
    if listed:
        (folder / "classes.txt").write_text("red\nblue\n")
    return folder, None


def write_xml(folder):
    for image in ("p0", "p3"):
        objects = "".join(
            f"<object><name>{name}</name><{tag}>{score}</{tag}><bndbox><xmin>{b[0] + 1}</xmin><ymin>{b[1] + 1}</ymin>"
            f"<xmax>{b[2]}</xmax><ymax>{b[3]}</ymax></bndbox></object>"
            for (one, name, score, b), tag in zip(ROWS, ("score", "confidence", "score"), strict=True)
            if one == image
        )
        (folder / f"{image}.xml").write_text(f"<annotation>{objects}</annotation>")
    return folder, None


@pytest.fixture
def data(coloured):
    return load_dataset(coloured)


@pytest.mark.parametrize(
    ("format_name", "write"),
    [
        ("coco", write_coco),
        ("coco", write_coco_annotations),
        ("json", write_ours),  # as the API responds, in one line
        ("json", lambda folder: write_ours(folder, indent=1)),
        ("fiftyone", write_fiftyone),
        ("yolo", write_yolo),
        ("yolo", lambda folder: write_yolo(folder, listed=False)),
        ("voc", write_xml),
    ],
)
def test_every_format_gives_the_same_rows(data, tmp_path, format_name, write):
    (tmp_path / "stored").mkdir()
    path, ids_of = write(tmp_path / "stored")
    stored = read_predictions(path, data.annotations, data.classes, ids_of=ids_of)
    assert stored.format == format_name
    order = np.argsort(-stored.table.scores)
    found = stored.table
    assert [data.annotations[i].image_id for i in found.image_index[order]] == ["p0", "p3", "p0"]
    assert [data.classes[label] for label in found.labels[order]] == ["red", "blue", "red"]
    assert found.scores[order].tolist() == [0.75, 0.5, 0.25]
    np.testing.assert_allclose(found.boxes_px[order], [row[3] for row in ROWS], atol=1e-9)
    without = "row in the predictions, and count as without detections" if format_name == "json" else "detection"
    assert f"2 of 4 images have no {without}" in stored.notes


def test_labels_without_scores_count_with_score_1_and_a_note_says_so(data, tmp_path):
    (tmp_path / "p0.txt").write_text("0 0.5 0.5 0.1 0.1\n1 0.5 0.5 0.1 0.1 0.25\n")
    stored = read_predictions(tmp_path, data.annotations, data.classes)
    assert stored.table.scores.tolist() == [1, 0.25]
    assert any("1 row without a score: each counts with score 1" in note for note in stored.notes)


def test_ids_without_their_annotations_are_an_error(data, tmp_path):
    path, ids_of = write_coco(tmp_path)
    with pytest.raises(DataError, match="is not known") as caught:
        read_predictions(path, data.annotations, data.classes)
    assert "--ids-of" in caught.value.fix
    path.write_text(json.dumps([{"image_id": 99, "category_id": 7, "score": 1, "bbox": [0, 0, 1, 1]}]))
    with pytest.raises(DataError, match="image id 99"):
        read_predictions(path, data.annotations, data.classes, ids_of=ids_of)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p0.txt", "0 0.5 0.5 0.1\n", "4 columns"),
        ("p0.txt", "9 0.5 0.5 0.1 0.1 0.5\n", r"class number 9"),
        ("p0.txt", "0 0.5 0.5 0.1 0.1 nan\n", "not finite"),
        ("nobody.txt", "0 0.5 0.5 0.1 0.1 0.5\n", "'nobody' is not in the data"),
        ("p0.xml", "<annotation><object><name>red</name></object></annotation>", "bndbox><xmin> is missing"),
        ("p0.xml", "<annotation><object>", "not XML"),
        ("labels.json", '{"labels": {"p0": [{"label": "red"}]}}', "'bounding_box' is missing"),
        ("labels.json", '{"tags": 1}', "none of the keys 'labels'"),
        ("labels.json", '{"labels": 1}', "none of the keys 'labels'"),
        ("labels.json", '{"labels": ', "cannot be read"),
    ],
)
def test_a_fault_is_named_with_its_place(data, tmp_path, name, content, message):
    (tmp_path / "stored").mkdir()
    (tmp_path / "stored" / name).write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        read_predictions(tmp_path / "stored", data.annotations, data.classes)
    assert name in str(caught.value.where)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"images": [{"image": "p0"}]}, "'detections' is missing"),
        ({"images": [{"image": "", "detections": []}]}, "do not name their image"),
        ({"images": [{"image": "p0", "detections": []}] * 2}, r"is at .*image 1 already"),
        ({"images": [{"image": "p0", "detections": [{"label": "red"}]}]}, "'box' is missing"),
        ({"images": [{"image": "p0", "detections": [{"box": 5}]}]}, "not subscriptable"),
        ({"images": [5]}, "not subscriptable"),
        ({"images": [{"id": 1}], "annotations": [{}]}, "not COCO annotations"),
        ({"images": [{"id": 1, "file_name": "p0.jpg"}], "categories": [{"id": 1, "name": "red"}],
          "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}]}, "no score"),
        ({"images": 5}, "none of the keys"),
        ([5], "ids in COCO results"),
    ],
)  # fmt: skip
def test_a_fault_in_one_json_file_is_named(data, tmp_path, content, message):
    file = tmp_path / "stored.json"
    file.write_text(json.dumps(content))
    with pytest.raises(DataError, match=message) as caught:
        read_predictions(file, data.annotations, data.classes)
    assert "stored.json" in str(caught.value.where)


def test_the_command_takes_the_ids_of_the_data(coloured, tmp_path, capsys):
    """COCO data, and results with its ids: nothing else has to be named."""
    assert main(["convert", str(coloured), str(tmp_path / "coco"), "--to", "coco"]) == 0
    file = next((tmp_path / "coco").rglob("*test*.json"))
    truth = json.loads(file.read_text())
    results = [
        {"image_id": entry["image_id"], "category_id": entry["category_id"], "bbox": entry["bbox"], "score": 0.9}
        for entry in truth["annotations"]
    ]
    (tmp_path / "results.json").write_text(json.dumps(results))
    capsys.readouterr()
    words = ["--predictions", str(tmp_path / "results.json"), "--metric", "voc07", "coco", "--json"]
    assert main(["eval", str(tmp_path / "coco"), *words]) == 0
    scores = json.loads(capsys.readouterr().out)["metrics"]
    assert [score["map"] for score in scores] == [1.0, 1.0]
    assert scores[1]["numbers"]["AP50"] == 1.0


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "coco_ids.json",
            {"images": [{"id": 1}], "categories": [], "annotations": []},
            r"list of ids.*Name .*coco\.json",
        ),
        ("truth.json", {"images": [{"id": 1}], "categories": [], "annotations": []}, "holds no prediction"),
        ("labels.json", {"labels": {}}, "holds no prediction"),
        ("detections.json", {"images": []}, "holds no prediction"),
    ],
)
def test_a_file_without_any_prediction_is_an_error(tmp_path, name, content, words):
    (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(DataError, match=words):
        foreign_reader(tmp_path / name)


def test_a_detector_that_finds_nothing_is_told_by_its_images_or_an_empty_list(tmp_path):
    for name, content in (("a.json", []), ("b.json", {"images": [{"image": "p0.jpg", "detections": []}]})):
        (tmp_path / name).write_text(json.dumps(content))
        assert foreign_reader(tmp_path / name) is not None
