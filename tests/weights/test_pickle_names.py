"""What a training script leaves beside its weights is read, inert; what would run code is refused in sober words."""

import argparse
import collections
import datetime
import decimal
import enum
import functools
import logging
import pathlib
import random
import types
import uuid

import numpy as np
import pytest
import torch

from ssd300.errors import WeightsError
from ssd300.weights.pickle_names import is_refused, would_run
from ssd300.weights.pickled import read_pickled


class Color(enum.IntEnum):
    RED = 1


HARMLESS = {
    "partial": functools.partial(dict, a=1),
    "namespace": types.SimpleNamespace(lr=0.1),
    "arguments": argparse.Namespace(lr=0.1),
    "numpy": (np.float64(0.77), np.random.get_state(), np.arange(3)),  # noqa: NPY002  # as scripts save it
    "random": random.getstate(),
    "when": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    "path": pathlib.PurePosixPath("/x"),
    "decimal": decimal.Decimal("1.5"),
    "uuid": uuid.UUID(int=3),
    "log": collections.defaultdict(list, a=[1]),
    "counter": collections.Counter("ab"),
    "deque": collections.deque([1]),
    "level": logging.getLogger("a"),
    "error": ValueError("a"),
    "size": torch.Size([3]),
    "function": len,
}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_objects_beside_the_weights_are_read_over(tmp_path, name, legacy):
    found = {"model": {"a": torch.ones(2)}, "beside": HARMLESS[name]}
    torch.save(found, tmp_path / "a.pth", _use_new_zipfile_serialization=not legacy)
    assert "model.a" in read_pickled(tmp_path / "a.pth").tensors


@pytest.mark.parametrize(
    "name",
    [
        "os.system", "posix.system", "subprocess.Popen", "builtins.eval", "builtins.exec", "builtins.__import__",
        "builtins.open", "builtins.compile", "importlib.import_module", "socket.socket", "shutil.rmtree", "ctypes.CDLL",
        "runpy.run_path", "pickle.loads", "operator.attrgetter", "operator.methodcaller", "functools.reduce",
        "types.FunctionType", "webbrowser.open", "logging.FileHandler", "pty.spawn", "code.InteractiveInterpreter.run",
        "codecs.builtins.exec",
    ],
)  # fmt: skip
def test_names_that_run_code_are_refused(name):
    module, _, rest = name.partition(".")
    assert is_refused(module, rest)


def test_what_is_only_unknown_is_not_accused():
    for module, name in (("builtins", "getattr"), ("sched", "scheduler")):
        assert is_refused(module, name)
        assert not would_run(module, name)
    assert not is_refused("my_project.models", "Detector")


class Method:
    def __reduce__(self):
        return getattr, ("a", "upper")


def test_a_refusal_says_how_to_save_the_file_so_that_it_is_read(tmp_path):
    torch.save({"model": {"a": torch.ones(2)}, "x": Method()}, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=r"holds \w+\.getattr.*nothing in it was run.*state_dict\(\)"):
        read_pickled(tmp_path / "a.pth")
