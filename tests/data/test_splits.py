import itertools

import pytest

from ssd300.data.splits import candidates, find_split, in_order, role_of

SPELLINGS = {
    "train": ["train", "Train", "TRAIN", "training", "Training", "train2017", "train_2017", "coco_train",
              "instances_train", "instance_train", "trainset", "train_set", "train-set", "train_list", "train set",
              "train ", "trn", "voc/train", "train_zip", "VOC2012_train", "ｔｒａｉｎ"],
    "trainval": ["trainval", "TrainVal", "train_val", "train-val", "trainval2007",
                 "VOC2012_train_val", "train+val"],
    "val": ["val", "Val", "valid", "Valid", "validation", "Validation", "val2017", "coco_val", "validate", "dev",
            "eval", "holdout", "hold-out", "held_out", "holdout_set"],
    "test": ["test", "Test", "TEST", "testing", "test2007", "test_set", "testset", "test_list", "test-dev", "tst"],
    None: ["", "default", "all", "labels", "result", "data", "coco", "2017", "car_train", "cat", "training_camp",
           "latest", "contest", "trains", "devkit", "valley", "set1", "train_test"],
}  # fmt: skip


@pytest.mark.parametrize(("role", "name"), [(role, name) for role, names in SPELLINGS.items() for name in names])
def test_role_of(role, name):
    assert role_of(name) == role


@pytest.mark.parametrize(
    ("names", "to_train", "to_test"),
    [
        (["trainval", "train", "val", "test"], ["trainval", "train"], ["test", "val"]),
        (["test", "val", "train", "trainval"], ["trainval", "train"], ["test", "val"]),
        (["Train", "Validation", "Test"], ["Train"], ["Test", "Validation"]),
        (["train", "valid", "validation"], ["train"], ["valid", "validation"]),
        (["train2017", "val2017"], ["train2017"], ["val2017"]),
        # Data that is not split serves both; what is called test or val is not trained on.
        (["all"], ["all"], ["all"]),
        (["default"], ["default"], ["default"]),
        (["train"], ["train"], ["train"]),
        (["test"], [], ["test"]),
        (["val"], [], ["val"]),
        # Beside a test split, the only other one is for training.
        (["default", "test"], ["default"], ["test"]),
        (["default", "holdout"], ["default"], ["holdout"]),
        (["a", "b", "test"], [], ["test"]),
        (["a", "b"], [], []),
        (["train", "a"], ["train"], []),
        ([], [], []),
    ],
)
def test_candidates(names, to_train, to_test):
    for order in itertools.permutations(names):
        assert candidates(order, "train") == [name for name in in_order(order) if name in to_train]
        assert sorted(candidates(order, "test")) == sorted(to_test)
    assert candidates(names, "test") == to_test


@pytest.mark.parametrize(
    ("names", "wanted", "found"),
    [
        (["train", "val"], "val", "val"),
        (["Train", "Val"], "val", "Val"),
        (["train", "Train"], "Train", "Train"),
        (["TRAIN", "TEST"], "test", "TEST"),
        (["train", "valid"], "val", "valid"),
        (["train", "validation"], "valid", "validation"),
        (["train2017", "val2017"], "train", "train2017"),
        (["default"], "Default", "default"),
        (["default"], "train", None),
        (["valid", "holdout"], "val", None),  # which of them?
        (["Train", "TRAIN"], "train", None),
        (["trainval"], "train", None),  # trainval has more than train
        (["train"], "", None),
        ([], "train", None),
    ],
)
def test_find_split(names, wanted, found):
    assert find_split(names, wanted) == found


def test_order():
    names = ["zoo", "test", "Test", "val", "holdout", "train2017", "train", "trainval", "all"]
    assert in_order(names) == ["trainval", "train", "train2017", "val", "holdout", "Test", "test", "all", "zoo"]
