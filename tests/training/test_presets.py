import subprocess
import sys
from pathlib import Path

import pytest

from ssd300.model.default_boxes import SETTINGS
from ssd300.training.presets import PRESETS


def test_the_papers_schedule(tmp_path):
    paper, pytorch_ssd300 = PRESETS["paper"](tmp_path), PRESETS["pytorch-ssd300"](tmp_path)
    rates = [paper.learning_rate(step) for step in (0, 79_999, 80_000, 99_999, 100_000)]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4, 1e-5])
    assert paper.steps * paper.batch_size == pytorch_ssd300.steps * pytorch_ssd300.batch_size


def test_the_papers_schedule_and_default_boxes_for_coco(tmp_path):
    coco = PRESETS["paper-coco"](tmp_path)
    rates = [coco.learning_rate(step) for step in (0, 279_999, 280_000, 359_999, 360_000, 399_999)]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5])
    assert (coco.steps, coco.batch_size) == (400_000, 32)
    assert SETTINGS[coco.default_boxes].sizes_px == (21, 45, 99, 153, 207, 261)
    assert SETTINGS[coco.default_boxes].next_sizes_px[-1] == 315
    same = {"steps": 120_000, "lr_drop": (80_000, 100_000), "default_boxes": "paper"}
    assert PRESETS["paper-coco"](tmp_path, **same) == PRESETS["paper"](tmp_path)


def test_presets_are_imported_from_the_package_without_torch():
    code = """
import sys
from ssd300 import presets
assert presets.light(out="runs/a").out.name == "a"
sys.exit(any(name in sys.modules for name in ("torch", "numpy", "PIL")))
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("name", PRESETS)
def test_out_may_be_text_or_a_path(name):
    assert PRESETS[name]("runs/a") == PRESETS[name](Path("runs/a"))
    assert isinstance(PRESETS[name]("runs/a").out, Path)


@pytest.mark.parametrize("name", PRESETS)
def test_each_docstring_gives_the_cost_and_whether_the_map_was_measured(name):
    text = PRESETS[name].__doc__
    for word in ("Cost", "mAP", "measured"):
        assert word in text


@pytest.mark.parametrize(
    ("changes", "warmup"),
    [({}, 50), ({"steps": 200}, 20), ({"steps": 5}, 0), ({"steps": 200, "warmup_steps": 150}, 150)],
    ids=["its own", "a tenth of the run", "none", "the one that is asked for"],
)
def test_fields_are_changed_and_the_warm_up_is_at_most_a_tenth_of_the_run(changes, warmup):
    config = PRESETS["light"]("run", **changes)
    assert config.warmup_steps == warmup
    assert config.steps == changes.get("steps", 500)


def test_a_change_of_a_field_that_does_not_exist_names_it():
    with pytest.raises(TypeError, match="epoch"):
        PRESETS["light"]("run", epoch=3)


@pytest.mark.parametrize(
    ("changes", "every"),
    [({}, 100), ({"steps": 2000}, 200), ({"steps": 55}, 50), ({"steps": 3}, 50), ({"steps": 55, "eval_every": 0}, 0)],
)
def test_best_evaluates_ten_times_unless_it_is_told_otherwise(changes, every):
    assert PRESETS["best"]("run", **changes).eval_every == every


def test_best_sees_as_many_images_as_light():
    best, light = PRESETS["best"]("run"), PRESETS["light"]("run")
    assert best.steps * best.batch_size == light.steps * light.batch_size


def test_a_backbone_takes_the_place_of_the_presets_model():
    config = PRESETS["light"]("run", backbone="timm:resnet18")
    assert (config.model, config.backbone, config.lr) == ("ssd300_timm", "timm:resnet18", PRESETS["light"]("run").lr)
    with pytest.raises(ValueError, match="ssd300_vgg16 has its own"):
        PRESETS["light"]("run", backbone="timm:resnet18", model="ssd300_vgg16")
