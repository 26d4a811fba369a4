import numpy as np
import pytest

from ssd300.errors import RunError, WeightsError
from ssd300.export.place import naming, put, reserved
from ssd300.runtime.sessions import OpenVinoSession
from ssd300.system.lock import InUseError


def test_two_exports_into_one_file_at_once_are_refused_and_others_are_not(tmp_path):
    out = tmp_path / "made/here/m.xml"
    with reserved(out):
        with pytest.raises(InUseError, match="another run is writing here"), reserved(out):
            pass
        with reserved(out.with_name("other.xml")):
            pass
    assert not (tmp_path / "made").exists()  # nothing was written, so no folder is left


def test_a_folder_with_a_file_in_it_stays(tmp_path):
    out = tmp_path / "made/m.onnx"
    with reserved(out):
        out.write_bytes(b"")
    assert [path.name for path in out.parent.iterdir()] == ["m.onnx"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RunError, match=r"m\.onnx"), reserved(tmp_path / "file/m.onnx"):
        pass


@pytest.mark.parametrize("error", [RuntimeError("Check failed\nwriting m.bin failed"), OSError(28, "No space left")])
def test_a_full_disk_of_temporary_files_is_named(error, tmp_path):
    with pytest.raises(RunError, match=r"m\.xml cannot be built") as raised, naming(tmp_path / "m.xml"):
        raise error
    assert raised.value.where == str(tmp_path)
    assert "TMPDIR" in str(raised.value.fix)


def test_the_file_that_is_loaded_is_replaced_last(tmp_path, monkeypatch):
    """With the disk full at the .xml, the .bin is new; the .xml says so when it is loaded (below)."""
    names = []
    monkeypatch.setattr("ssd300.export.place.write_atomically", lambda path, write: names.append(path.name))
    put([tmp_path / "a.xml", tmp_path / "a.bin"], tmp_path / "b.xml")
    assert names == ["b.bin", "b.xml"]


@pytest.mark.slow
def test_a_bin_file_of_another_export_is_refused(exported, tmp_path):
    path = tmp_path / "m.xml"
    path.write_bytes(exported["xml"].read_bytes())
    weights = np.frombuffer(exported["xml"].with_suffix(".bin").read_bytes(), np.uint8).copy()
    path.with_suffix(".bin").write_bytes(weights.tobytes())
    OpenVinoSession(path)
    weights[1000] ^= 1
    path.with_suffix(".bin").write_bytes(weights.tobytes())
    with pytest.raises(WeightsError, match="belongs to another export"):
        OpenVinoSession(path)
