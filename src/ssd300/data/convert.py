"""One form of labelled images as another. Boxes are written as they are: a way there and back changes nothing."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ssd300.data.dataset import Dataset
from ssd300.data.formats.coco import PREFIX, annotation_row, category_rows
from ssd300.data.formats.voc_xml import to_xml
from ssd300.data.formats.yolo import to_line
from ssd300.images.read import image_size_hw
from ssd300.types import Annotation

YOLO_KEYS: Mapping[str, str] = {"trainval": "train", "valid": "val", "test2017": "test"}


def write_voc(folder: Path, splits: Sequence[Dataset]) -> list[str]:
    """Annotations, JPEGImages and ImageSets/Main, with images copied. Answers what is lost: nothing."""
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    for dataset, names in _with_names(splits):
        for annotation, name in zip(dataset.annotations, names, strict=True):
            image = f"{name}{annotation.image_path.suffix}"
            objects = zip(
                (dataset.classes[label] for label in annotation.labels),
                map(tuple, annotation.boxes_px.tolist()),
                annotation.difficult.tolist(),
                annotation.crowd.tolist(),
                strict=True,
            )
            text = to_xml(image, _size(annotation), objects)
            (folder / "Annotations" / f"{name}.xml").write_text(text, encoding="utf-8")
            shutil.copyfile(annotation.image_path, folder / "JPEGImages" / image)
        ids = "".join(f"{name}\n" for name in names)
        (folder / "ImageSets" / "Main" / f"{dataset.split}.txt").write_text(ids, encoding="utf-8")
    return []


def write_coco(folder: Path, splits: Sequence[Dataset]) -> list[str]:
    """annotations/instances_<split>.json, and a folder of images a split. VOC's difficult is a key of its own."""
    (folder / "annotations").mkdir(parents=True)
    for dataset, names in _with_names(splits):
        files = folder / dataset.split
        files.mkdir()
        images: list[dict[str, Any]] = []
        objects: list[dict[str, Any]] = []
        for number, (annotation, name) in enumerate(zip(dataset.annotations, names, strict=True), start=1):
            height, width = _size(annotation)
            image = f"{name}{annotation.image_path.suffix}"
            images.append({"id": number, "file_name": image, "height": height, "width": width})
            shutil.copyfile(annotation.image_path, files / image)
            for row, box in enumerate(annotation.boxes_px.tolist()):
                label, crowd = int(annotation.labels[row]), bool(annotation.crowd[row])
                difficult = int(annotation.difficult[row])
                objects.append(annotation_row(len(objects) + 1, number, label, box, crowd=crowd, difficult=difficult))
        content = {"images": images, "annotations": objects, "categories": category_rows(dataset.classes)}
        text = json.dumps(content, ensure_ascii=False, allow_nan=False)
        (folder / "annotations" / f"{PREFIX}{dataset.split}.json").write_text(text, encoding="utf-8")
    return []


def write_yolo(folder: Path, splits: Sequence[Dataset]) -> list[str]:
    """data.yaml, images/<split> and labels/<split>. YOLO knows neither difficult objects nor crowds: says how many."""
    description: dict[str, Any] = {"path": "."}
    unsaid = 0
    for dataset, names in _with_names(splits):
        for kind in ("images", "labels"):
            (folder / kind / dataset.split).mkdir(parents=True)
        for annotation, name in zip(dataset.annotations, names, strict=True):
            size_hw = _size(annotation)
            objects = zip(annotation.labels.tolist(), annotation.boxes_px.tolist(), strict=True)
            lines = [to_line(label, box, size_hw) for label, box in objects]
            (folder / "labels" / dataset.split / f"{name}.txt").write_text("".join(lines), encoding="utf-8")
            image = f"{name}{annotation.image_path.suffix}"
            shutil.copyfile(annotation.image_path, folder / "images" / dataset.split / image)
            unsaid += int(annotation.difficult.sum())
        description[YOLO_KEYS.get(dataset.split, dataset.split)] = f"images/{dataset.split}"
    description["names"] = dict(enumerate(splits[0].classes))
    text = yaml.safe_dump(description, sort_keys=False, allow_unicode=True)
    (folder / "data.yaml").write_text(text, encoding="utf-8")
    return [f"YOLO cannot say that an object is difficult or a crowd: lost for {unsaid}"] if unsaid else []


WRITERS: Mapping[str, Callable[[Path, Sequence[Dataset]], list[str]]] = {
    "voc": write_voc,
    "coco": write_coco,
    "yolo": write_yolo,
}


def _with_names(splits: Sequence[Dataset]) -> Iterator[tuple[Dataset, list[str]]]:
    """A file name without ending for each image: its id, and the split's name where another split has the id too."""
    taken: set[str] = set()
    for dataset in splits:
        names = []
        for annotation in dataset.annotations:
            name = annotation.image_id.removesuffix(annotation.image_path.suffix).replace("/", "_")
            name = name if name not in taken else f"{dataset.split}_{name}"
            taken.add(name)
            names.append(name)
        yield dataset, names


def _size(annotation: Annotation) -> tuple[int, int]:
    return annotation.size_hw or image_size_hw(annotation.image_path)
