import io
import pickle
import zipfile

import pytest

from ssd300.errors import WeightsError
from ssd300.weights.inert_pickle import Inert, InertUnpickler, RefusedPickleError
from ssd300.weights.pickled import read_pickled

PROGRAMS = [
    b"cbuiltins\nexec\n(Vx=1\ntR.",
    b"cposix\nsystem\n(Vtrue\ntR.",
    b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.",
    b"(ios\nsystem\n(Vtrue\ntR.",
]


def load(program):
    return InertUnpickler(io.BytesIO(program), {}, {}).load()


@pytest.mark.parametrize("opcodes", PROGRAMS)
def test_names_of_pythons_own_library_are_refused_however_they_are_written(tmp_path, opcodes):
    with pytest.raises(RefusedPickleError):
        load(opcodes)
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
        archive.writestr("a/data.pkl", opcodes)
    with pytest.raises(WeightsError, match="would run"):
        read_pickled(tmp_path / "a.pth")


def test_an_unknown_class_becomes_an_object_that_stores_what_it_is_given():
    found = load(b"cnowhere.at_all\nThing\n(Vword\ntR}Vname\nI3\nsb.")
    assert isinstance(found, Inert)
    assert (found.arguments, found.state) == (("word",), {"name": 3})


@pytest.mark.parametrize(
    "opcodes", [b"\x80\x05\x96\x02\x00\x00\x00\x00\x00\x00\x00ab.", b"ctorch._utils\n_rebuild_tensor_v2\n}b."]
)
def test_opcodes_that_no_checkpoint_has_are_refused(opcodes):
    """A byte array, for which Python would allocate any size; and attributes set on a function of ours."""
    with pytest.raises(pickle.UnpicklingError):
        load(opcodes)
