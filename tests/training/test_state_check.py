"""A state with any entry missing, or of a wrong type, size or value, counts as damaged: the previous one is resumed."""

from dataclasses import replace

import pytest
import torch

from ssd300.errors import RunError, UsageError
from ssd300.model import SSD
from ssd300.model.default_boxes import PAPER
from ssd300.run_layout import PREVIOUS_STATE, STATE
from ssd300.training.averaging import average_of
from ssd300.training.optimizer import make_optimizer
from ssd300.training.presets import light
from ssd300.training.state import TrainState
from ssd300.training.state_check import ENTRIES, OF_GROUP, VERSION, check_state
from ssd300.training.state_file import FORMAT_VERSION

JUNK = ("a string", None, -1, True, [], {}, torch.ones(3), float("nan"))


class Toy(SSD):
    """A layer of each kind in place of the detector."""

    def __init__(self, features: int = 2) -> None:
        torch.nn.Module.__init__(self)
        self.norm = torch.nn.BatchNorm1d(features)
        self.layer = torch.nn.Linear(features, 1)
        self.settings = PAPER
        self.register_buffer("default_boxes", torch.zeros(1, 4))

    def forward(self, images):
        return self.layer(self.norm(images)).sum()


def fresh(folder, *, features=2, **changes) -> TrainState:
    model = Toy(features)
    config = replace(light(folder), ema=True, **changes)
    optimizer = make_optimizer(model, kind=config.optimizer, momentum=config.momentum, weight_decay=config.weight_decay)
    return TrainState(
        config=config, model=model, optimizer=optimizer, average=average_of(model, decay=0.9), data="0123abcd" * 8
    )


def step(state: TrainState) -> None:
    state.model(torch.randn(4, state.model.layer.in_features)).backward()
    state.optimizer.step()
    state.average.update_parameters(state.model)
    best = {"metric": "voc", "map": 0.5, "per_class": {"a": {"ap": 0.5}}, "averaged": True, "min_scores": {"a": 0.5}}
    done = state.progress.step + 1
    state.progress = state.progress._replace(
        step=done, images_seen=8 * done, evaluated=done, seconds=1.5, best=best, skipped=("a.jpg",)
    )


@pytest.fixture
def folder(tmp_path):
    """A run with two states: after one step, and after two."""
    state = fresh(tmp_path)
    for _ in range(2):
        step(state)
        state.save()
    return tmp_path


def content_of(folder, name=STATE):
    return torch.load(str(folder / name), weights_only=True)


def places(value, path=()):
    """The path to each entry at any depth, but for what is inside of lists of numbers and the report of the best."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if path[-1:] == ("param_groups",) else ()
    for name, inner in items:
        yield (*path, name)
        if path[-1:] != ("best",):
            yield from places(inner, (*path, name))


def holder(content, path):
    for name in path[:-1]:
        content = content[name]
    return content


def resumed_step(folder, **changes):
    state = fresh(folder, **changes)
    state.load()
    return state.progress.step


def test_a_whole_state_is_taken(folder, caplog):
    assert resumed_step(folder) == 2
    assert not caplog.records


def is_refused(content, expected) -> bool:
    try:
        check_state(content, expected)
    except ValueError:
        return True
    return False


def test_an_entry_that_is_missing_counts_as_damage_wherever_it_is(folder):
    whole, expected = content_of(folder), fresh(folder)._expected()
    for path in list(places(whole)):
        if path[:2] == ("optimizer", "param_groups") and len(path) == 4 and path[-1] not in OF_GROUP["sgd"]:
            continue  # these are torch's own options, which differ between its versions
        if path[-1] == "min_scores":
            continue  # runs of earlier versions do not have it
        within = holder(whole, path)
        entry = within.pop(path[-1])
        assert is_refused(whole, expected), path
        within.insert(path[-1], entry) if isinstance(within, list) else within.update({path[-1]: entry})
    assert not is_refused(whole, expected)


@pytest.mark.slow
def test_an_entry_of_a_wrong_kind_counts_as_damage_wherever_it_is(folder):
    """Each entry in turn becomes each value of another type; no value is taken, and none ends in another exception."""
    whole, expected = content_of(folder), fresh(folder)._expected()
    optional = {("config", "grad_clip"), ("progress", "best"), ("progress", "best", "map")}
    for path in list(places(whole)):
        within = holder(whole, path)
        old = within[path[-1]]
        for junk in JUNK:
            number = {type(junk), type(old)} == {int, float}
            none = junk is None and (path in optional or path[-1] in {"momentum_buffer", "foreach", "fused"})
            text = path == ("config", "init_key") and isinstance(junk, str)
            if number or none or text or type(junk) is type(old):
                continue
            within[path[-1]] = junk
            assert is_refused(whole, expected), (path, junk)
        within[path[-1]] = old


def put(*path):
    def change(content, value):
        holder(content, path)[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "value"),
    [
        (put("unknown"), 1),
        (put("model", "more"), torch.zeros(1)),
        (put("model", "layer.weight"), torch.zeros(1, 3)),
        (put("model", "layer.weight"), torch.zeros(1, 2, dtype=torch.float64)),
        (put("model", "layer.weight"), torch.tensor([[0.0, torch.nan]])),
        (put("average", "module.layer.bias"), torch.tensor([torch.inf])),
        (put("average"), None),
        (put("optimizer", "state", 0, "momentum_buffer"), torch.zeros(7)),
        (put("optimizer", "state", 9), {"momentum_buffer": torch.zeros(1)}),
        (put("optimizer", "state"), {}),
        (put("optimizer", "param_groups", 0, "lr"), float("inf")),
        (put("optimizer", "param_groups", 0, "params"), [0, 1]),
        (put("optimizer", "param_groups"), []),
        (put("progress", "step"), -1),
        (put("progress", "images_seen"), 1),
        (put("progress", "evaluated"), 3),
        (put("progress", "seconds"), float("nan")),
        (put("progress", "precision"), torch.int64),
        (put("progress", "best", "map"), float("nan")),
        (put("progress", "skipped"), (1,)),
        (put("config", "steps"), 0),
        (put("config", "model"), "another"),
        (put("config", "lr_drop"), ["a"]),
        (put("config", "option"), 1),
        (put("data"), "of mine"),
        (put("scaler"), {"scale": 1.0}),
        (put("random"), torch.zeros(5056, dtype=torch.uint8)),
        (put("random"), torch.zeros(7, dtype=torch.uint8)),
        (put("random_cuda"), ["a"]),
        (put("format_version"), -1),
    ],
)
def test_a_value_that_no_run_writes_counts_as_damage(folder, change, value):
    content = content_of(folder)
    change(content, value)
    assert is_refused(content, fresh(folder)._expected())


@pytest.mark.parametrize("entry", [*ENTRIES, VERSION])
def test_the_previous_state_is_resumed_in_place_of_a_damaged_one(folder, caplog, entry):
    for damage in ({}, {entry: 3.5}):
        content = {name: value for name, value in content_of(folder).items() if name != entry}
        torch.save(content | damage, str(folder / STATE))
        assert resumed_step(folder) == 1
        assert "the run resumes from previous.pt" in caplog.text


@pytest.mark.parametrize("content", [[], {}, "a state", torch.zeros(1), {"model": {}}])
def test_without_a_whole_state_the_error_names_the_fault(folder, content):
    for name in (STATE, PREVIOUS_STATE):
        torch.save(content, str(folder / name))
    with pytest.raises(RunError, match=r"the state cannot be read \(.*the content"):
        resumed_step(folder)


def test_a_state_of_a_newer_version_is_refused_with_the_version_that_reads_it(folder):
    newer = FORMAT_VERSION + 1
    torch.save(content_of(folder) | {"format_version": newer, "written_by": "7.1"}, str(folder / STATE))
    with pytest.raises(RunError, match=rf"version {newer}; this ssd300 reads up to {FORMAT_VERSION}.*ssd300 7\.1"):
        resumed_step(folder)


def test_a_state_of_version_1_is_read(folder):
    content = content_of(folder)
    for name in ("format_version", "written_by"):
        del content[name]
    del content["config"]["save_minutes"]  # as before this option
    torch.save(content, str(folder / STATE))
    assert resumed_step(folder) == 2


def test_a_state_of_version_2_is_read_and_the_options_that_it_lacks_have_their_defaults(folder):
    content = content_of(folder) | {"format_version": 2}
    for name in ("box_loss", "box_weight", "freeze"):
        del content["config"][name]
    torch.save(content, str(folder / STATE))
    assert resumed_step(folder) == 2
    with pytest.raises(UsageError, match="box_loss: smooth_l1 -> giou"):
        resumed_step(folder, box_loss="giou")
    with pytest.raises(UsageError, match="freeze: none -> backbone"):
        resumed_step(folder, freeze="backbone")


def test_a_state_of_version_3_is_read_without_the_kind_of_heads_but_not_without_default_boxes(folder):
    content = content_of(folder) | {"format_version": 3}
    del content["config"]["heads"]
    assert not is_refused(content, fresh(folder)._expected())
    torch.save(content, str(folder / STATE))
    assert resumed_step(folder) == 2
    with pytest.raises(UsageError, match="heads: ssd -> ssdlite"):
        resumed_step(folder, heads="ssdlite")
    del content["default_boxes"]
    assert is_refused(content, fresh(folder)._expected())


def test_a_state_of_version_4_is_read_without_sync_norms_which_was_off(folder):
    content = content_of(folder)
    del content["config"]["sync_norms"]
    assert is_refused(content, fresh(folder)._expected()), "from version 5 on a state has it"
    torch.save(content | {"format_version": 4}, str(folder / STATE))
    assert resumed_step(folder) == 2
    with pytest.raises(UsageError, match="sync_norms: False -> True"):
        resumed_step(folder, sync_norms=True)


def test_a_state_of_version_5_is_read_without_the_images_seen_which_follow_from_its_batch_size(folder):
    content = content_of(folder)
    del content["progress"]["images_seen"]
    assert is_refused(content, fresh(folder)._expected()), "from version 6 on a state has it"
    torch.save(content | {"format_version": 5}, str(folder / STATE))
    state = fresh(folder, batch_size=2)
    state.load(override=True)
    assert state.progress.images_seen == 2 * light(folder).batch_size


def test_a_whole_state_of_other_options_is_not_called_damaged(folder):
    with pytest.raises(UsageError, match=r"lr: 0\.01 -> 0\.5"):
        resumed_step(folder, lr=0.5)
    with pytest.raises(UsageError, match="model: "):
        resumed_step(folder, features=3, model="ssd300_vgg16")


@pytest.mark.parametrize(
    ("option", "value", "advice"),
    [
        ("model", "ssd_lite0_fpn", "start a new run[.]"),
        ("heads", "ssdlite", "--init"),
        ("freeze", "backbone", "--init"),
        ("default_boxes", "coco", "--init"),
        ("image_size", 256, "--init"),
    ],
)
@pytest.mark.parametrize("override", [False, True])
def test_what_decides_layers_or_boxes_cannot_change_even_with_override(folder, option, value, advice, override):
    state = fresh(folder, **{option: value})
    if option != "image_size":
        state.optimizer.param_groups[-1]["params"].pop()  # as where there are fewer layers
    with pytest.raises(UsageError, match=rf"cannot change within a run: {option}: [^;]+ -> {value}.*{advice}"):
        state.load(override=override)


def test_a_state_of_adamw_is_taken_and_each_of_its_moments_is_checked(tmp_path):
    state = fresh(tmp_path, optimizer="adamw")
    step(state)
    state.save()
    whole, expected = content_of(tmp_path), fresh(tmp_path, optimizer="adamw")._expected()
    assert not is_refused(whole, expected)
    for name in ("step", "exp_avg", "exp_avg_sq"):
        moments = whole["optimizer"]["state"][0]
        good = moments.pop(name)
        assert is_refused(whole, expected), name
        moments[name] = torch.full_like(good, torch.nan)
        assert is_refused(whole, expected), name
        moments[name] = torch.zeros(7)
        assert is_refused(whole, expected), name
        moments[name] = good
    assert not is_refused(whole, expected)
