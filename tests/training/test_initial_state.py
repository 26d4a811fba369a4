from dataclasses import replace

import pytest
import torch

from ssd300.errors import UsageError, WeightsError
from ssd300.model.default_boxes import PAPER, PYTORCH_SSD300, make_default_boxes
from ssd300.model.ssd import NONE
from ssd300.training.distributed import ALONE, World
from ssd300.training.initial_state import initial_state
from ssd300.training.presets import PRESETS
from ssd300.weights import load_weights, save_weights

CPU = torch.device("cpu")


def test_the_optimizer_has_the_values_of_the_configuration(config, data):
    state, _ = initial_state(data, config("run", momentum=0.7, weight_decay=0.25, decay_biases=True), ALONE, CPU)
    groups = state.optimizer.param_groups
    assert {group["momentum"] for group in groups} == {0.7}
    assert [group["weight_decay"] for group in groups] == [0.25, 0.0, 0.25]


def test_the_seed_decides_the_weights(config, data):
    one, same, other = (initial_state(data, config("run", seed=seed), ALONE, CPU)[0].model for seed in (1, 1, 2))
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, same.state_dict()[name])
    assert any(not torch.equal(tensor, other.state_dict()[name]) for name, tensor in one.state_dict().items())


def test_the_rules_of_pytorch_ssd300_are_used(config, data):
    preset = PRESETS["pytorch-ssd300"]("run")
    chosen = {name: getattr(preset, name) for name in ("default_boxes", "rules", "normalization", "decay_biases")}
    state, card = initial_state(data, config("run", image_size=None, **chosen), ALONE, CPU)
    assert card.settings == state.model.settings == PYTORCH_SSD300
    assert card.normalization == state.model.normalization == NONE


def test_the_card_names_start_data_and_classes(config, data):
    state, card = initial_state(data, config("run"), ALONE, CPU)
    assert card.classes == ("blue", "red")
    assert card.source["start"] == "none"
    assert card.source["fingerprint"] == state.data == data.fingerprint()
    assert "recipe" not in card.source
    assert state.average is None


def test_choices_beyond_the_paper_are_in_the_card_and_in_the_optimizer(config, data, light_run):
    options = {"matching": "atss", "box_loss": "ciou", "backbone_lr": 0.5, "freeze_norms": True}
    state, card = initial_state(data, config("run", init=str(light_run), **options), ALONE, CPU)
    assert card.source["recipe"] == options
    assert {group["rate"] for group in state.optimizer.param_groups} == {0.5, 1.0, 2.0}
    assert not any(norm.training for norm in state.model.train().backbone.norms)
    assert state.model.extras.training


def test_the_pyramid_starts_from_imagenet_and_learns_at_the_full_rate(config, data):
    options = {"model": "ssd_lite0_fpn", "heads": "ssdlite", "backbone_lr": 0.1, "freeze_norms": True}
    state, card = initial_state(data, config("run", init="imagenet", freeze="stages:2", **options), ALONE, CPU)
    assert (card.model, card.heads) == ("ssd_lite0_fpn", "ssdlite")
    full = {one for group in state.optimizer.param_groups if group["rate"] >= 1 for one in group["params"]}
    assert set(state.model.pyramid.parameters()) < full
    assert not set(state.model.backbone.parameters()) & full
    norms = [module.training for module in state.model.train().pyramid.modules() if hasattr(module, "running_mean")]
    assert norms
    assert all(norms)


def test_a_run_folder_is_started_from_and_the_log_counts_its_classes(config, data, light_run, caplog):
    caplog.set_level("INFO")
    state, card = initial_state(data, config("run", init=str(light_run)), ALONE, CPU)
    assert "classes: 2 of 2 continue those of the file" in caplog.text
    assert card.source["start"] == str(light_run / "weights/best.safetensors")
    assert torch.equal(state.model.heads.logits[0].bias, load_weights(light_run)[0].heads.logits[0].bias)


@pytest.mark.parametrize(("processes", "accumulate"), [(3, 1), (1, 3), (2, 2)])
def test_a_batch_with_too_few_images_is_refused(config, data, processes, accumulate):
    options = config("run", batch_size=3, accumulate=accumulate)
    if processes * accumulate <= 3:
        initial_state(data, options, World(0, 1), CPU)
        return
    with pytest.raises(UsageError, match=f"no image for each of {processes} processes in {accumulate} parts"):
        initial_state(data, options, World(0, processes), CPU)


def test_fitted_default_boxes_are_in_the_card_and_a_resumed_run_keeps_those_that_it_began_with(
    config, data, tmp_path, monkeypatch
):
    options = config(tmp_path, image_size=None, default_boxes="fitted", ema=True)
    state, card = initial_state(data, options, ALONE, CPU)
    assert card.settings == state.model.settings
    assert card.settings.fitted_px
    assert card.settings.per_cell == PAPER.per_cell
    state.save()
    # A later version may fit otherwise.
    monkeypatch.setattr("ssd300.training.default_boxes.fit_default_boxes", lambda settings, *_: settings)
    again, _ = initial_state(data, options, ALONE, CPU)
    assert again.model.settings == PAPER
    again.load()
    for model in again.models():
        assert model.settings == card.settings
        assert torch.equal(model.default_boxes, make_default_boxes(card.settings))


def test_sizes_that_the_annotations_lack_are_read_from_the_images(config, data):
    unsized = replace(data, annotations=[replace(one, size_hw=None) for one in data.annotations])
    one, other = (initial_state(d, config("run", default_boxes="fitted"), ALONE, CPU)[1] for d in (data, unsized))
    assert one.settings == other.settings


@pytest.mark.parametrize("boxes", ["paper", "fitted"])
def test_the_image_size_is_in_the_card_and_boxes_are_scaled_with_it(config, data, boxes):
    state, card = initial_state(data, config("run", image_size=128, default_boxes=boxes), ALONE, CPU)
    assert card.image_size_px == state.model.settings.image_size_px == 128
    assert card.settings.map_sizes == (16, 8, 4, 2, 1, 1)
    assert bool(card.settings.fitted_px) == (boxes == "fitted")
    with torch.no_grad():
        assert state.model.eval()(torch.zeros(1, 3, 128, 128)).offsets.shape[1] == card.settings.count
    assert card.build().settings == card.settings


def test_default_boxes_that_a_model_lacks_are_refused(config, data):
    with pytest.raises(UsageError, match="torchvision; this model has paper"):
        initial_state(data, config("run", model="ssd512_vgg16", default_boxes="torchvision"), ALONE, CPU)


def test_weights_that_start_a_run_at_another_size_have_fitting_box_offsets(config, data, light_run, caplog):
    initial_state(data, config("run", init=str(light_run), image_size=128), ALONE, CPU)
    assert "other default boxes" not in caplog.text
    initial_state(data, config("run", init=str(light_run), image_size=None, default_boxes="fitted"), ALONE, CPU)
    assert "other default boxes (paper)" in caplog.text


@pytest.mark.parametrize("size_px", [300, 128])
def test_the_default_boxes_of_the_start_are_kept_with_its_heads(config, data, caplog, tmp_path, size_px):
    fitted, card = initial_state(data, config("fitted", default_boxes="fitted", image_size=300), ALONE, CPU)
    assert card.settings.fitted_px
    path = tmp_path / "fitted.safetensors"
    save_weights(path, fitted.model, card)
    other = replace(data, annotations=data.annotations[:1])  # to which other boxes would be fitted
    state, kept = initial_state(
        other, config("run", init=str(path), default_boxes="start", image_size=size_px), ALONE, CPU
    )
    assert kept.settings.image_size_px == size_px
    assert kept.settings.fits_like(card.settings)
    assert (kept.settings == card.settings) == (size_px == 300)
    assert "other default boxes" not in caplog.text
    assert torch.equal(state.model.heads.offsets[0].weight, fitted.model.heads.offsets[0].weight)


def test_default_boxes_of_a_start_that_has_none_for_this_model(config, data, tmp_path):
    for name in ("none", "imagenet", "vgg16_features"):  # nothing is downloaded
        with pytest.raises(UsageError, match=f"needs a detector to start from, and --init is {name}"):
            initial_state(data, config("run", init=name, default_boxes="start"), ALONE, CPU)
    torch.save({"conv1_1.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "backbone.pth")
    with pytest.raises(WeightsError, match=r"backbone\.pth: the file does not say its default boxes"):
        initial_state(data, config("run", init=str(tmp_path / "backbone.pth"), default_boxes="start"), ALONE, CPU)
    state, card = initial_state(data, config("512", model="ssd512_vgg16", image_size=None), ALONE, CPU)
    save_weights(tmp_path / "512.safetensors", state.model, card)
    with pytest.raises(UsageError, match="the default boxes are for 7 maps; this model has 6"):
        initial_state(data, config("run", init=str(tmp_path / "512.safetensors"), default_boxes="start"), ALONE, CPU)
