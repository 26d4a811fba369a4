"""Layouts of YOLO."""

from data.exports.drawn import Folder, Table

YOLO = Table()
TWO, THREE = {"train": (0, 1), "val": (2, 3)}, {"train": (0, 1), "valid": (2,), "test": (3,)}
UNSPLIT = {"all": (0, 1, 2, 3)}
NAMES = "nc: 2\nnames: ['{}', '{}']\n"


def ultralytics(d: Folder, yaml: str, shape=None) -> None:
    """images/train and labels/train, with the classes in a data.yaml; `shape` are the columns of an image."""
    for split, numbers in TWO.items():
        for n in numbers:
            d.yolo_pair(f"images/{split}/{n}.jpg", f"labels/{split}/{n}.txt", n, shape(n) if shape else None)
    d.text("data.yaml", yaml)


@YOLO.add("Ultralytics", TWO, "train", "val")
def plain(d):
    ultralytics(d, "path: ../datasets/here\ntrain: images/train\nval: images/val\ntest: # none\n" + mapping(d))


def mapping(d: Folder) -> str:
    return f"names:\n  0: '{d.classes[0]}'\n  1: '{d.classes[1]}'\n"


@YOLO.add("Ultralytics, segments", TWO, "train", "val")
def segments(d):
    ultralytics(d, "path: .\ntrain: images/train\nval: images/val\n" + mapping(d), d.corners)


@YOLO.add("Ultralytics, oriented boxes", TWO, "train", "val")
def oriented(d):
    ultralytics(d, "path: .\ntrain: images/train\nval: images/val\n" + mapping(d), d.corners)


@YOLO.add("Ultralytics, poses", TWO, "train", "val")
def poses(d):
    points = (0.1, 0.2, 2.0, 0.9, 0.9, 1.0)
    yaml = "path: .\ntrain: images/train\nval: images/val\nkpt_shape: [2, 3]\nflip_idx: [1, 0]\n"
    ultralytics(d, yaml + mapping(d), lambda n: (*d.relative(n), *points))


@YOLO.add("Roboflow, YOLOv5 to v12", TWO | {"test": ()}, "train", "val")
def roboflow(d):
    for split, numbers in {"train": (0, 1), "valid": (2, 3)}.items():
        for n in numbers:
            d.yolo_pair(f"{split}/images/{n}_jpg.rf.37.jpg", f"{split}/labels/{n}_jpg.rf.37.txt", n)
    splits = "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\n"
    d.text("data.yaml", splits + NAMES.format(*d.classes) + "\nroboflow:\n  workspace: w\n  version: 1\n")


@YOLO.add("Roboflow, YOLO Darknet", THREE, "train", "test")
def roboflow_darknet(d):
    for split, numbers in THREE.items():
        for n in numbers:
            d.yolo_pair(f"{split}/{n}_jpg.rf.37.jpg", f"{split}/{n}_jpg.rf.37.txt", n)
        d.lines(f"{split}/_darknet.labels", *d.classes)
    d.text("README.roboflow.txt", "export")


@YOLO.add("CVAT, YOLO 1.1", {"train": (0, 1, 2, 3)}, "train")
def cvat(d):
    for n in range(4):
        d.yolo_pair(f"obj_train_data/b 1/{n}.jpg", f"obj_train_data/b 1/{n}.txt", n)
    d.lines("obj.data", "classes = 2", "names = data/obj.names", "train = data/train.txt", "backup = backup/")
    d.lines("obj.names", *d.classes)
    d.lines("train.txt", *(f"data/obj_train_data/b 1/{n}.jpg" for n in range(4)))


@YOLO.add("CVAT, YOLO 1.1 with subsets", {"train": (0, 1), "valid": (2, 3)}, "train", "valid")
def cvat_subsets(d):
    for split, numbers in {"train": (0, 1), "valid": (2, 3)}.items():
        for n in numbers:
            d.yolo_pair(f"obj_{split}_data/{n}.jpg", f"obj_{split}_data/{n}.txt", n)
        d.lines(f"{split}.txt", *(f"data/obj_{split}_data/{n}.jpg" for n in numbers))
    d.lines("obj.data", "classes = 2", "train = data/train.txt", "valid = data/valid.txt", "names = data/obj.names")
    d.lines("obj.names", *d.classes)


@YOLO.add("CVAT, Ultralytics YOLO Detection", TWO, "train", "val")
def cvat_ultralytics(d):
    ultralytics(d, "names:\n  0: '{}'\n  1: '{}'\npath: .\ntrain: train.txt\nval: val.txt\n".format(*d.classes))
    for split, numbers in TWO.items():
        d.lines(f"{split}.txt", *(f"data/images/{split}/{n}.jpg" for n in numbers))


@YOLO.add("Label Studio, YOLO with images", UNSPLIT, "all")
def label_studio(d):
    for n in range(4):
        d.yolo_pair(f"images/3c7a-{n}.jpg", f"labels/3c7a-{n}.txt", n)
    d.lines("classes.txt", *d.classes)
    d.text("notes.json", '{"categories": [{"id": 0, "name": "cat"}], "info": {"year": 2024}}')


@YOLO.add("labelImg, YOLO", UNSPLIT, "all")
def label_img(d):
    for n in range(4):
        d.yolo_pair(f"img {n}.jpg", f"img {n}.txt", n)
    d.lines("classes.txt", *d.classes)


@YOLO.add("labelImg, YOLO with labels/classes.txt", UNSPLIT, "all")
def label_img_folders(d):
    for n in range(4):
        d.yolo_pair(f"images/{n}.jpg", f"labels/{n}.txt", n)
    d.lines("labels/classes.txt", *d.classes)


@YOLO.add("classes.txt in each split folder", TWO, "train", "val")
def folders(d):
    for split, numbers in TWO.items():
        for n in numbers:
            d.yolo_pair(f"{split}/{n % 2}.jpg", f"{split}/{n % 2}.txt", n)
        d.lines(f"{split}/classes.txt", *d.classes)


@YOLO.add("classes.txt above split folders", TWO, "train", "val")
def split_in_nested(d):
    for split, numbers in TWO.items():
        for n in numbers:
            d.yolo_pair(f"images/{split}/{n % 2}.jpg", f"labels/{split}/{n % 2}.txt", n)
    d.lines("classes.txt", *d.classes)


@YOLO.add("classes.txt above folders of classes", UNSPLIT, "all")
def folders_of_classes(d):
    for n in range(4):
        d.yolo_pair(f"images/{d.label(n)}/{n // 2}.jpg", f"labels/{d.label(n)}/{n // 2}.txt", n)
    d.lines("classes.txt", *d.classes)


@YOLO.add("classes.txt beside lists", TWO, "train", "val")
def lists_beside_classes(d):
    for n in range(4):
        d.yolo_pair(f"images/{n}.jpg", f"labels/{n}.txt", n)
    for split, numbers in TWO.items():
        d.lines(f"{split}.txt", *(f"./images/{n}.jpg" for n in numbers))
    d.lines("classes.txt", *d.classes)


@YOLO.add("FiftyOne, YOLOv5Dataset", TWO, "train", "val")
def fifty_one(d):
    ultralytics(d, "")
    (d.root / "data.yaml").unlink()
    d.text("dataset.yaml", mapping(d) + "path: /home/ann/export\ntrain: ./images/train/\nval: ./images/val/\n")


@YOLO.add("FiftyOne, YOLOv4Dataset", UNSPLIT, "all")
def fifty_one_4(d):
    for n in range(4):
        d.yolo_pair(f"data/{n}.jpg", f"data/{n}.txt", n)
    d.lines("obj.names", *d.classes)
    d.lines("images.txt", *(f"data/{n}.jpg" for n in range(4)))


@YOLO.add("Supervisely, YOLO", TWO, "train", "val")
def supervisely(d):
    ultralytics(d, "")
    (d.root / "data.yaml").unlink()
    splits = "train: ../lemons/images/train\nval: ../lemons/images/val\n"
    d.text("data_config.yaml", splits + "colors: [[1, 2, 3], [4, 5, 6]]\n" + NAMES.format(*d.classes))


@YOLO.add("Darknet", {"train": (0, 1), "valid": (2, 3)}, "train", "valid")
def darknet(d):
    for n in range(4):
        d.yolo_pair(f"images/{n}.jpg", f"labels/{n}.txt", n)
    for split, numbers in {"train": (0, 1), "valid": (2, 3)}.items():
        d.lines(f"{split}.txt", *(f"/home/ann/drone/images/{n}.jpg" for n in numbers))
    d.lines("drone.data", "classes= 2", "train  = /home/ann/drone/train.txt", "valid  = /home/ann/drone/valid.txt",
            "names = /home/ann/drone/drone.names", "backup = backup")  # fmt: skip
    d.lines("drone.names", *d.classes)


@YOLO.add("YOLO, lists of another computer", TWO, "train", "val")
def foreign(d):
    ultralytics(d, "path: C:\\data\\drone\ntrain: train.txt\nval: val.txt\n" + mapping(d))
    d.lines("train.txt", "/home/ann/drone/images/train/0.jpg", "D:\\drone\\images\\train\\1.jpg")
    d.lines("val.txt", ".\\images\\val\\2.jpg", "images/val/3.jpg")


@YOLO.add("YOLO, lists of folders", {"train": (0, 1, 2), "val": (3,)}, "train", "val")
def several_folders(d):
    for folder, numbers in {"a": (0, 1), "b": (2,), "c": (3,)}.items():
        for n in numbers:
            d.yolo_pair(f"{folder}/images/{n}.jpg", f"{folder}/labels/{n}.txt", n)
    d.text("data.yaml", "train: [a/images, b/images]\nval:\n  - c/images\n" + NAMES.format(*d.classes))


@YOLO.add("YOLO, other keys", {"train": (0, 1), "validation": (2, 3)}, "train", "validation")
def other_key(d):
    ultralytics(d, "train: images/train\nvalidation: images/val\n" + NAMES.format(*d.classes))


@YOLO.add("A folder in a folder, YOLO", TWO, "train", "val")
def unzipped(d):
    ultralytics(Folder(d.root / "archive", d.classes), "train: images/train\nval: images/val\n" + mapping(d))
