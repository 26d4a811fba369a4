import pytest

from ssd300.cli import main


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.onnx", b"no graph", "ONNX Runtime cannot load"),
        ("m.xml", b"<net/>", "OpenVINO cannot load"),
        ("none.onnx", None, "no such file"),
    ],
)
def test_damaged_files_get_a_sentence(name, content, message, tmp_path, coloured, capsys):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    image = str(coloured / "JPEGImages/p4.jpg")
    assert main(["detect", image, "-w", str(tmp_path / name), "--out", str(tmp_path / "o")]) == 4
    assert message in capsys.readouterr().err
