import pytest
import torch

from ssd300.data.loader import training_batches
from ssd300.errors import UsageError
from ssd300.model import ssd300_efficientnet_lite0, ssd300_vgg16
from ssd300.model.backbone import TimmBackbone
from ssd300.training.distributed import ALONE
from ssd300.training.freezing import backbone_stages, freeze
from ssd300.training.initial_state import initial_state
from ssd300.training.step import TrainStep

CPU = torch.device("cpu")


def weights_of(stage):
    return sum(parameter.numel() for part in stage for parameter in part.parameters())


def test_the_stages_of_vgg16_are_those_of_the_paper():
    backbone = ssd300_vgg16(2).backbone
    stages = backbone_stages(backbone)
    assert [weights_of(stage) for stage in stages] == [38_720, 221_440, 1_475_328, 5_899_776, 7_079_424, 4_719_616,
                                                       1_049_600]  # fmt: skip
    assert sum(map(weights_of, stages)) == sum(p.numel() for p in backbone.parameters()) - 512  # the scale of L2Norm


def test_the_stages_of_the_light_model_are_the_stem_and_the_blocks():
    backbone = ssd300_efficientnet_lite0(2).backbone
    stages = backbone_stages(backbone)
    assert len(stages) == 8
    assert weights_of(stages[0]) == 3 * 32 * 9 + 2 * 32
    assert sum(map(weights_of, stages)) == sum(p.numel() for p in backbone.body.parameters())


@pytest.mark.parametrize(
    ("network", "count"),
    [
        ("resnet18", 5),
        ("convnext_atto", 5),
        ("mobilenetv3_small_050", 7),
        ("regnetx_002", 5),
        ("swin_tiny_patch4_window7_224", 5),  # its stages have linear layers and no convolutions
        ("tresnet_m", 5),  # its first part has no weights
    ],
)
def test_each_stage_of_a_network_of_timm_has_weights(network, count):
    with torch.device("meta"):
        backbone = TimmBackbone(network)
    stages = [weights_of(stage) for stage in backbone_stages(backbone)]
    assert len(stages) == count
    assert min(stages) > 0
    assert sum(stages) == sum(p.numel() for p in backbone.body.parameters())


@pytest.mark.parametrize("build", [ssd300_vgg16, ssd300_efficientnet_lite0])
@pytest.mark.parametrize(("what", "count"), [("stages:2", 2), ("backbone", None)])
def test_the_first_stages_are_frozen_and_counted(build, what, count):
    model = build(2)
    stages = backbone_stages(model.backbone)
    frozen = freeze(model, what, filled=())
    assert frozen.weights == sum(map(weights_of, stages[:count]))
    assert frozen.trained_weights == sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert all(p.requires_grad for stage in stages[len(stages) if count is None else count :] for part in stage
               for p in part.parameters())  # fmt: skip
    assert all(p.requires_grad for part in (model.heads, model.extras) for p in part.parameters())
    assert frozen.random
    assert ("all " if count is None else f"the first {count} of ") + f"{len(stages)} stages" in frozen.describe()


def test_nothing_is_frozen_without_the_option():
    model = ssd300_vgg16(2)
    assert freeze(model, "none", filled=()) is None
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_more_stages_than_there_are_is_refused():
    with pytest.raises(UsageError, match="this backbone has 7 stages"):
        freeze(ssd300_vgg16(2), "stages:8", filled=())


def test_frozen_layers_and_their_statistics_stay_and_the_rest_learns(config, data, caplog):
    caplog.set_level("INFO")
    state, _ = initial_state(data, config("run", freeze="stages:3", ema=True), ALONE, CPU)
    assert "frozen: the first 3 of 8 stages of the backbone" in caplog.text
    assert "of the frozen layers are randomly initialized, as none does not fill them" in caplog.text
    before = {name: tensor.clone() for name, tensor in state.model.state_dict().items()}
    size = state.model.settings.image_size_px
    batches = training_batches(data.annotations, size=size, batch_size=2, seed=0, workers=0)
    state.model.train()  # as after an evaluation
    TrainStep(state, CPU)(next(batches), 0)
    changed = {name for name, tensor in state.model.state_dict().items() if not torch.equal(tensor, before[name])}
    parts = tuple(f"backbone.body.{part}" for part in ("conv_stem", "bn1", "blocks.0.", "blocks.1."))
    frozen = [name for name in before if name.startswith(parts)]
    assert frozen
    assert not changed & set(frozen)
    assert "backbone.body.blocks.2.0.bn1.running_mean" in changed
    assert "backbone.norms.0.running_mean" in changed
    assert "heads.logits.0.weight" in changed


@pytest.mark.parametrize("value", ["", "heads", "stages", "stages:0", "stages:-1", "stages:x", "Stages:2"])
def test_other_values_are_refused(config, value):
    with pytest.raises(ValueError, match="it must be none, backbone or stages:N"):
        config("run", freeze=value)
