"""Layouts of COCO."""

from data.exports.drawn import Folder, Table, box_px, size_hw

COCO = Table()
TWO, THREE = {"train": (0, 1), "val": (2, 3)}, {"train": (0, 1), "valid": (2,), "test": (3,)}


def named(d: Folder, file: str, written: str, stored: str, numbers: tuple[int, ...]) -> None:
    """A file that calls its images by `written`, and the images where they are `stored`."""
    for n in numbers:
        d.image(stored.format(n), n)
    d.coco(file, {written.format(n): n for n in numbers})


@COCO.add("COCO", {"train2017": (0, 1), "val2017": (2, 3)}, "train2017", "val2017")
def coco(d):
    for split, numbers in {"train2017": (0, 1), "val2017": (2, 3)}.items():
        named(d, f"annotations/instances_{split}.json", "{:012}.jpg", f"{split}/{{:012}}.jpg", numbers)
        d.coco(f"annotations/captions_{split}.json", {})
        d.coco(f"annotations/person_keypoints_{split}.json", {f"{numbers[0]:012}.jpg": numbers[1]})
    d.coco("annotations/image_info_test2017.json", {})


@COCO.add("COCO, images in a folder of their own", {"train2017": (0, 1), "val2017": (2, 3)}, "train2017", "val2017")
def coco_below_images(d):
    for split, numbers in {"train2017": (0, 1), "val2017": (2, 3)}.items():
        named(d, f"annotations/instances_{split}.json", "{:012}.jpg", f"images/{split}/{{:012}}.jpg", numbers)


@COCO.add("Roboflow, COCO", THREE, "train", "test")
def roboflow(d):
    for split, numbers in THREE.items():
        named(d, f"{split}/_annotations.coco.json", "img{}_jpg.rf.37.jpg", f"{split}/img{{}}_jpg.rf.37.jpg", numbers)
    d.text("README.roboflow.txt", "export")


@COCO.add("CVAT, COCO 1.0", {"default": (0, 1, 2, 3)}, "default")
def cvat(d):
    named(d, "annotations/instances_default.json", "b 1/{}.jpg", "images/default/b 1/{}.jpg", (0, 1, 2, 3))


@COCO.add("CVAT, COCO 1.0 with subsets", {"Train": (0, 1), "Validation": (2,), "Test": (3,)}, "Train", "Test")
def cvat_subsets(d):
    for split, numbers in {"Train": (0, 1), "Validation": (2,), "Test": (3,)}.items():
        named(d, f"annotations/instances_{split}.json", "{}.jpg", f"images/{split}/{{}}.jpg", numbers)


@COCO.add("Label Studio, COCO", {"result": (0, 1, 2, 3)}, "result")
def label_studio(d):
    named(d, "result.json", "images/3c7a-{}.jpg", "images/3c7a-{}.jpg", (0, 1, 2, 3))


@COCO.add("Label Studio, COCO with paths of its server", {"result": (0, 1, 2, 3)}, "result")
def label_studio_paths(d):
    named(d, "result.json", "../../label-studio/data/media/upload/1/3c7a-{}.jpg", "images/3c7a-{}.jpg", (0, 1, 2, 3))


@COCO.add("FiftyOne, COCODetectionDataset", {"labels": (0, 1, 2, 3)}, "labels")
def fifty_one(d):
    named(d, "labels.json", "{:06}.jpg", "data/{:06}.jpg", (0, 1, 2, 3))


@COCO.add("Detectron", TWO, "train", "val")
def detectron(d):
    for split, numbers in TWO.items():
        named(d, f"{split}/annotations.json", "{}.jpg", f"{split}/{{}}.jpg", numbers)


@COCO.add("MMDetection", TWO, "train", "val")
def mmdetection(d):
    for split, numbers in TWO.items():
        named(d, f"annotations/{split}.json", "{}.jpg", "images/{}.jpg", numbers)


@COCO.add("COCO, split folders with images", TWO, "train", "val")
def nested_in_split(d):
    for split, numbers in TWO.items():  # the names are those of the other split
        for n in numbers:
            d.image(f"{split}/images/{n % 2}.jpg", n)
        d.coco(f"{split}/annotations.json", {f"{n % 2}.jpg": n for n in numbers})


@COCO.add("COCO, split folders with annotations", TWO, "train", "val")
def folder_in_split(d):
    for split, numbers in TWO.items():
        for n in numbers:
            d.image(f"{split}/images/{n % 2}.jpg", n)
        d.coco(f"{split}/annotations/instances.json", {f"{n % 2}.jpg": n for n in numbers})


@COCO.add("PaddleX, COCO", TWO, "train", "val")
def paddle(d):
    for split, numbers in TWO.items():
        named(d, f"annotations/instance_{split}.json", "{}.jpg", "JPEGImages/{}.jpg", numbers)


@COCO.add("COCO, a name before the split", TWO, "train", "val")
def prefixed(d):
    for split, numbers in TWO.items():
        named(d, f"drone_{split}.json", "{}.jpg", "images/{}.jpg", numbers)


@COCO.add("labelme2coco", {"annotations": (0, 1, 2, 3)}, "annotations", None, "image-without-annotation")
def labelme(d):
    named(d, "annotations.json", "JPEGImages/{}.jpg", "JPEGImages/{}.jpg", (0, 1, 2, 3))
    for n in range(4):
        d.image(f"Visualization/{n}.jpg", 9)


@COCO.add("TACO", {"data": (0, 1, 2, 3)}, "data")
def taco(d):
    for n in range(4):
        d.image(f"data/batch_{n % 2}/{n // 2}.jpg", n)
    d.coco("data/annotations.json", {f"batch_{n % 2}/{n // 2}.jpg": n for n in range(4)})


@COCO.add("COCO, one JSON file", {"labels_my-project_2024": (0, 1, 2, 3)}, "labels_my-project_2024")
def single(d):
    named(d, "labels_my-project_2024.json", "{}.jpg", "{}.jpg", (0, 1, 2, 3))
    return "labels_my-project_2024.json"


@COCO.add("COCO, segmentation alone", {"default": (0, 1, 2, 3)}, "default")
def segmentation(d):
    for n in range(4):
        d.image(f"images/{n}.jpg", n)

    def shape(n):
        (x1, y1, x2, y2), (height, width) = map(int, box_px(n)), size_hw(n)
        polygon = [x1, y1, x2, y1, x2, y2, x1, y2]
        runs = [x1 * height + y1] + [y2 - y1, height - (y2 - y1)] * (x2 - x1 - 1) + [y2 - y1]
        runs.append(height * width - sum(runs))
        shapes = [
            [polygon],
            {"size": [height, width], "counts": runs},
            {"size": [height, width], "counts": packed(runs)},
        ]
        return {"bbox": [], "segmentation": shapes[n % 3], "iscrowd": 0}

    d.coco("annotations/instances_default.json", {f"{n}.jpg": n for n in range(4)}, shape)


def packed(runs: list[int]) -> str:
    """As COCO's API packs run lengths."""
    text = ""
    for place, run in enumerate(runs):
        value, more = run - (runs[place - 2] if place > 2 else 0), True
        while more:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            text += chr(bits + 32 * more + 48)
    return text


@COCO.add("COCO, file names of another computer", {"default": (0, 1, 2, 3)}, "default")
def foreign(d):
    for n in range(4):
        d.image(f"images/set{n % 2}/{n // 2}.jpg", n)
    paths = (
        "/home/ann/images/set{}/{}.jpg",
        "D:\\data\\images\\set{}\\{}.jpg",
        "images\\set{}\\{}.jpg",
        "set{}/{}.JPG",
    )
    d.coco("annotations/instances_default.json", {paths[n].format(n % 2, n // 2): n for n in range(4)})


@COCO.add("A folder in a folder, COCO", TWO, "train", "val")
def unzipped(d):
    for split, numbers in TWO.items():
        named(d, f"archive/annotations/instances_{split}.json", "{}.jpg", f"archive/{split}/{{}}.jpg", numbers)
