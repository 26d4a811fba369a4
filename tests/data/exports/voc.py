"""Layouts of PASCAL VOC."""

from data.exports.drawn import Folder, Table

VOC = Table()
TWO, THREE = {"train": (0, 1), "test": (2, 3)}, {"train": (0, 1), "valid": (2,), "test": (3,)}
UNSPLIT = {"all": (0, 1, 2, 3)}


def kit(d: Folder, base: str, names: dict[int, str], ending: str = ".jpg") -> None:
    for number, name in names.items():
        d.voc_pair(f"{base}JPEGImages/{name}{ending}", f"{base}Annotations/{name}.xml", number)


def year(d: Folder, base: str, numbers: tuple[int, int]) -> None:
    """All that an unpacked year of VOC has."""
    first, second = (f"2007_{number:06}" for number in numbers)
    kit(d, base, {numbers[0]: first, numbers[1]: second})
    for split, ids in {"trainval": [first, second], "train": [first], "val": [second]}.items():
        for use in ("Main", "Layout", "Segmentation"):
            d.lines(f"{base}ImageSets/{use}/{split}.txt", *ids)
        for name in d.classes:
            d.lines(f"{base}ImageSets/Main/{name}_{split}.txt", *(f"{i} {-1 if i == second else ' 1'}" for i in ids))
    for folder in ("SegmentationClass", "SegmentationObject"):
        d.image(f"{base}{folder}/{first}.png", 9)


@VOC.add("VOCdevkit", {"trainval": (0, 1, 2, 3), "train": (0, 2), "val": (1, 3)}, "trainval")
def devkit(d):
    year(d, "VOCdevkit/VOC2007/", (0, 1))
    year(d, "VOCdevkit/VOC2012/", (2, 3))


@VOC.add("VOC2007", {"trainval": (0, 1), "train": (0,), "val": (1,)}, "trainval")
def one_year(d):
    year(d, "", (0, 1))


@VOC.add("VOC as Kaggle has it", {"trainval": (0, 1), "test": (2, 3)}, "trainval", "test")
def kaggle_kits(d):
    for split, numbers in {"trainval": (0, 1), "test": (2, 3)}.items():
        base = f"VOC{split}_06-Nov-2007/VOCdevkit/VOC2007/"
        kit(d, base, {n: f"{n:06}" for n in numbers})
        d.lines(f"{base}ImageSets/Main/{split}.txt", *(f"{n:06}" for n in numbers))


@VOC.add("VOC2012 as Kaggle has it", {"trainval": (0, 1), "test": (2, 3)}, "trainval", "test")
def kaggle_2012(d):
    for folder, split, numbers in (("train_val", "trainval", (0, 1)), ("test", "test", (2, 3))):
        base = f"VOC2012_{folder}/VOC2012_{folder}/"
        kit(d, base, {n: f"{n:06}" for n in numbers})
        d.lines(f"{base}ImageSets/Main/{split}.txt", *(f"{n:06}" for n in numbers))


@VOC.add("Roboflow, Pascal VOC", THREE, "train", "test")
def roboflow(d):
    for split, numbers in THREE.items():
        for n in numbers:
            name = f"{split}/img{n}_jpg.rf.376be08df50f4850e6fd70f287a649cc"
            d.voc_pair(f"{name}.jpg", f"{name}.xml", n)
    d.text("README.roboflow.txt", "export")
    d.text("README.dataset.txt", "export")


@VOC.add("CVAT, PASCAL VOC 1.1", {"default": (0, 1, 2, 3)}, "default")
def cvat(d):
    names = {0: "batch1/img 1", 1: "batch1/img 2", 2: "batch2/img 1", 3: "top"}
    kit(d, "", names, ".png")
    d.lines("ImageSets/Main/default.txt", *names.values())
    d.lines("labelmap.txt", "# label:color_rgb:parts:actions", "background:0,0,0::", "cat:255,0,0::")


@VOC.add("CVAT, PASCAL VOC 1.1 with subsets", {"Train": (0, 1), "Validation": (2,), "Test": (3,)}, "Train", "Test")
def cvat_subsets(d):
    kit(d, "", {0: "a", 1: "b", 2: "c", 3: "d"})
    for split, ids in {"Train": "ab", "Validation": "c", "Test": "d"}.items():
        d.lines(f"ImageSets/Main/{split}.txt", *ids)


@VOC.add("Label Studio, Pascal VOC XML", UNSPLIT, "all")
def label_studio(d):
    for n in range(4):
        d.voc_pair(f"images/3c7a-{n}.jpg", f"Annotations/3c7a-{n}.xml", n)


@VOC.add("labelImg, PascalVOC", UNSPLIT, "all")
def label_img(d):
    for n in range(4):
        d.voc_pair(f"img {n}.JPG", f"img {n}.xml", n)
    d.lines("predefined_classes.txt", *d.classes)


@VOC.add("RectLabel", UNSPLIT, "all")
def rect_label(d):
    for n in range(4):
        d.voc_pair(f"{n}.jpg", f"annotations/{n}.xml", n)


@VOC.add("VoTT, Pascal VOC", {"train": (0, 1, 2), "val": (3,)}, "train", "val")
def vott(d):
    kit(d, "", {n: f"img {n}" for n in range(4)})
    for name in d.classes:
        for split, numbers in {"train": (0, 1, 2), "val": (3,)}.items():
            d.lines(
                f"ImageSets/Main/{name}_{split}.txt",
                *(f"img {n}.jpg {1 if d.name(n) == name else -1}" for n in numbers),
            )
    d.text("pascal_label_map.pbtxt", "item { id: 1 name: 'cup' }")


@VOC.add("PaddleX, Pascal VOC", {"train_list": (0, 1), "val_list": (2,), "test_list": (3,)}, "train_list", "test_list")
def paddle_x(d):
    kit(d, "", {n: f"a {n}" for n in range(4)})
    for split, numbers in {"train": (0, 1), "val": (2,), "test": (3,)}.items():
        d.lines(f"{split}_list.txt", *(f"JPEGImages/a {n}.jpg Annotations/a {n}.xml" for n in numbers))
    d.lines("labels.txt", *d.classes)


@VOC.add("PaddleDetection, VOC", {"train": (0, 1, 2), "valid": (3,)}, "train", "valid")
def paddle_detection(d):
    for n in range(4):
        d.voc_pair(f"images/road{n}.png", f"annotations/road{n}.xml", n)
    for split, numbers in {"train": (0, 1, 2), "valid": (3,)}.items():
        d.lines(f"{split}.txt", *(f"./images/road{n}.png ./annotations/road{n}.xml" for n in numbers))
    d.lines("label_list.txt", *d.classes)


@VOC.add("Kaggle, annotations and images", UNSPLIT, "all")
def kaggle(d):
    for n in range(4):
        d.voc_pair(f"images/road{n}.png", f"annotations/road{n}.xml", n)


@VOC.add("Kaggle, train and test", TWO, "train", "test")
def kaggle_folders(d):
    for split, numbers in TWO.items():
        for n in numbers:
            d.voc_pair(f"{split}/img_{n}.jpg", f"{split}/img_{n}.xml", n)


@VOC.add("Kaggle, train_zip and test_zip", {"train_zip": (0, 1), "test_zip": (2, 3)}, "train_zip", "test_zip")
def kaggle_zips(d):
    for split, numbers in TWO.items():
        for n in numbers:
            d.voc_pair(f"{split}_zip/{split}/img_{n}.jpg", f"{split}_zip/{split}/img_{n}.xml", n)


@VOC.add("Split folders with images and annotations", TWO, "train", "test")
def nested_in_split(d):
    for split, numbers in TWO.items():
        for n in numbers:  # the names are those of the other split
            d.voc_pair(f"{split}/images/{n % 2}.jpg", f"{split}/annotations/{n % 2}.xml", n)


@VOC.add("Images and annotations with split folders", TWO, "train", "test")
def split_in_nested(d):
    for split, numbers in TWO.items():
        for n in numbers:
            d.voc_pair(f"images/{split}/{n % 2}.jpg", f"annotations/{split}/{n % 2}.xml", n)


@VOC.add("Images with split folders", TWO, "train", "test")
def images_in_splits(d):
    for split, numbers in TWO.items():
        for n in numbers:
            d.voc_pair(f"images/{split}/{n}.jpg", f"annotations/{n}.xml", n)


@VOC.add("TensorFlow Object Detection API", TWO, "train", "test")
def object_detection_api(d):
    for split, numbers in TWO.items():
        for n in numbers:
            d.voc_pair(f"images/{split}/{n}.jpg", f"images/{split}/{n}.xml", n)
        d.text(f"annotations/{split}.record", "")
        d.text(f"images/{split}_labels.csv", "filename,width,height,class,xmin,ymin,xmax,ymax\n")
    d.text("annotations/label_map.pbtxt", "item { id: 1 name: 'cup' }")


@VOC.add("Raccoon", UNSPLIT, "all")
def raccoon(d):
    for n in range(4):
        d.voc_pair(f"images/raccoon-{n}.jpg", f"annotations/raccoon-{n}.xml", n)
    d.text("data/train_labels.csv", "filename,width,height,class,xmin,ymin,xmax,ymax\n")


@VOC.add("Oxford-IIIT Pet", UNSPLIT, "all", None, "image-without-annotation", "litter")
def pets(d):
    for n in range(4):
        d.voc_pair(f"images/Abyssinian_{n}.jpg", f"annotations/xmls/Abyssinian_{n}.xml", n)
        d.image(f"annotations/trimaps/Abyssinian_{n}.png", 8)
        d.image(f"annotations/trimaps/._Abyssinian_{n}.png", 8)
    for name in ("list", "trainval", "test"):
        d.lines(f"annotations/{name}.txt", "#Image CLASS-ID SPECIES BREED ID", "Abyssinian_0 1 1 1")


@VOC.add("FiftyOne, VOCDetectionDataset", UNSPLIT, "all")
def fifty_one(d):
    for n in range(4):
        d.voc_pair(f"data/{n:06}.jpg", f"labels/{n:06}.xml", n)


@VOC.add("Supervisely, Pascal VOC", {"train": (0, 1, 2), "val": (3,), "trainval": (0, 1, 2, 3)}, "trainval")
def supervisely(d):
    kit(d, "", {n: f"ds_{n}" for n in range(4)})
    for split, numbers in {"trainval": (0, 1, 2, 3), "train": (0, 1, 2), "val": (3,)}.items():
        d.lines(f"ImageSets/Segmentation/{split}.txt", *(f"ds_{n}" for n in numbers))
        d.lines(f"ImageSets/Main/{split}.txt", *(f"ds_{n}" for n in numbers))
        d.lines(f"ImageSets/Main/cup_{split}.txt", *(f"ds_{n} 1" for n in numbers))
    for n in range(4):
        d.image(f"SegmentationClass/ds_{n}.png", 7)
    d.text("colors.txt", "cat 255 0 0\n")


@VOC.add("Lists in ImageSets", TWO, "train", "test")
def image_sets(d):
    kit(d, "", {n: f"{n}" for n in range(4)})
    for split, numbers in TWO.items():
        d.lines(f"ImageSets/{split}.txt", *map(str, numbers))


@VOC.add("Lists of file names", TWO, "train", "test")
def names_in_lists(d):
    kit(d, "", {n: f"v1.{n}" for n in range(4)})
    d.lines("train.txt", "v1.0.jpg", "v1.1.jpg")
    d.lines("test.txt", "v1.2.xml", "v1.3.xml")


@VOC.add("Lists of paths of another computer", TWO, "train", "test")
def foreign_lists(d):
    kit(d, "", {n: f"{n}" for n in range(4)})
    d.lines("ImageSets/Main/train.txt", "/home/ann/d/JPEGImages/0.jpg", "/home/ann/d/JPEGImages/1.jpg")
    d.lines("ImageSets/Main/test.txt", "D:\\data\\JPEGImages\\2.jpg", "JPEGImages\\3.jpg")


@VOC.add("A folder in a folder, VOC", TWO, "train", "test")
def unzipped(d):
    for n in range(4):
        d.voc_pair(f"archive/images/{n}.jpg", f"archive/Annotations/{n}.xml", n)
    for split, numbers in TWO.items():
        d.lines(f"archive/{split}.txt", *map(str, numbers))
    d.text("__MACOSX/archive/._x", "")
