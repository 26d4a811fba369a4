import pytest
import torch

from ssd300.model import BUILDERS
from ssd300.training import preset_choice
from ssd300.training.preset_choice import choose_preset
from ssd300.training.presets import PRESETS
from ssd300.weights import Card, save_weights


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A function that makes this a machine with a device, and with weights that are downloaded."""
    monkeypatch.setenv("SSD300_CACHE", str(tmp_path / "cache"))

    def make(device, *downloaded):
        monkeypatch.setattr(preset_choice, "_device", lambda _: device)
        from ssd300.weights.named import NAMED

        (tmp_path / "cache").mkdir()
        for name in downloaded:
            (tmp_path / "cache" / NAMED[name].file.name).touch()

    return make


@pytest.mark.parametrize(
    ("device", "downloaded", "name", "init", "words"),
    [
        ("cpu", ("vgg16",), "best", "imagenet", "as there is no GPU"),
        ("cuda", (), "best", "imagenet", "`ssd300 download vgg16_features` gets it"),
        ("cuda", ("coco",), "best", "imagenet", "nothing to start VGG16 from"),
        ("cuda", ("vgg16",), "paper", "vgg16", "with --init vgg16, as there is a GPU"),
        ("cuda", ("vgg16", "vgg16_features"), "paper", "vgg16_features", "as there is a GPU"),
    ],
)
def test_what_the_machine_can_do_decides_and_is_said(machine, device, downloaded, name, init, words):
    machine(device, *downloaded)
    choice = choose_preset({})
    assert choice.name == name
    assert PRESETS[choice.name]("run", **choice.options).init == init
    assert choice.describe().startswith(f"preset {name}")
    assert words in choice.describe()


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"model": "ssd300_vgg16"}, "paper"),
        ({"model": "ssd300_efficientnet_lite0"}, "best"),
        ({"init": "coco"}, "paper"),
        ({"init": "imagenet"}, "best"),
        ({"init": "none"}, "best"),
        ({"init": "nowhere.safetensors"}, "best"),
        ({"init": "coco", "model": "ssd300_efficientnet_lite0"}, "best"),
    ],
)
def test_model_and_start_come_before_the_machine(machine, given, name):
    machine("cpu")
    assert choose_preset(given).name == name


@pytest.mark.parametrize(("model", "name"), [("ssd300_vgg16", "paper"), ("ssd300_efficientnet_lite0", "best")])
def test_a_start_from_weights_of_ours_takes_the_preset_of_their_model(machine, tmp_path, model, name):
    machine("cpu")
    detector = BUILDERS[model](2)
    card = Card(model=model, classes=("a", "b"), settings=detector.settings, normalization=detector.normalization)
    save_weights(tmp_path / "run/weights/best.safetensors", detector, card)
    assert choose_preset({"init": str(tmp_path / "run")}).name == name


@pytest.mark.parametrize(
    ("names", "preset"),
    [
        (("features.0.weight", "features.2.weight", "features.5.weight"), "paper"),  # torchvision's vgg16
        (("0.weight", "2.weight", "5.weight"), "paper"),  # vgg16_reducedfc
        (("conv_stem.weight", "blocks.0.0.conv_dw.weight"), "best"),  # EfficientNet-Lite0 of timm
        (("layer1.0.downsample.0.weight", "layer1.0.conv1.weight"), "best"),  # ResNet
    ],
)
def test_a_start_from_a_file_of_another_program_takes_the_preset_of_what_it_holds(machine, tmp_path, names, preset):
    machine("cpu")
    torch.save({name: torch.zeros(1) for name in names}, tmp_path / "weights.pth")
    assert choose_preset({"init": str(tmp_path / "weights.pth")}).name == preset


@pytest.mark.parametrize("name", PRESETS)
def test_a_resumed_run_keeps_its_preset_on_another_machine(machine, tmp_path, name):
    import yaml

    from ssd300.training.state import describe

    machine("cpu")
    given = {"workers": 0, "batch_size": 2}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(describe(PRESETS[name](tmp_path, **given))))
    assert choose_preset(given, resumed=tmp_path).name == name
    assert choose_preset(given, resumed=tmp_path / "nothing").name == "best"


@pytest.mark.parametrize("given", [{"patience": 3}, {"freeze_norms": True}])
def test_a_preset_that_refuses_the_options_does_not_hide_the_one_of_the_run(machine, tmp_path, given):
    import yaml

    from ssd300.training.state import describe

    machine("cuda")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(describe(PRESETS["best"](tmp_path, **given))))
    choice = choose_preset(given, resumed=tmp_path)
    assert (choice.name, choice.why) == ("best", ", that of the run")
