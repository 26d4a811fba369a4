import json

from ssd300.export.record import record_path


def write(path, file):
    path.write_text(json.dumps({"file": file}))


def test_two_exports_in_a_folder_have_a_record_each(tmp_path):
    first, second = tmp_path / "m.onnx", tmp_path / "m.xml"
    assert record_path(first).name == "parity.json"
    write(tmp_path / "parity.json", "m.onnx")
    assert record_path(first).name == "parity.json"
    assert record_path(second).name == "m.xml.parity.json"
    write(tmp_path / "m.xml.parity.json", "m.xml")
    (tmp_path / "parity.json").unlink()
    assert record_path(second).name == "m.xml.parity.json"


def test_a_parity_json_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "parity.json").write_text("notes of a user")
    assert record_path(tmp_path / "m.onnx").name == "m.onnx.parity.json"
