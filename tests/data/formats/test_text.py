import pytest

from ssd300.data.formats.text import read_text
from ssd300.errors import DataError

TEXT = "train\n图像 1\né\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_texts_of_every_system(tmp_path, encoding):
    (tmp_path / "a.txt").write_bytes(TEXT.encode(encoding))
    assert read_text(tmp_path / "a.txt") == TEXT


@pytest.mark.parametrize(("mark", "encoding"), [(b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")])
def test_both_byte_orders(tmp_path, mark, encoding):
    (tmp_path / "a.txt").write_bytes(mark + TEXT.encode(encoding))
    assert read_text(tmp_path / "a.txt") == TEXT


def test_an_empty_file(tmp_path):
    (tmp_path / "a.txt").touch()
    assert read_text(tmp_path / "a.txt") == ""


@pytest.mark.parametrize(("encoding", "text"), [("gbk", "图像"), ("latin-1", "café")])
def test_other_encodings_name_the_line(tmp_path, encoding, text):
    (tmp_path / "a.txt").write_bytes(f"one\ntwo\n{text}\n".encode(encoding))
    with pytest.raises(DataError, match=r"not UTF-8.*") as error:
        read_text(tmp_path / "a.txt")
    assert str(error.value.where).endswith("a.txt:3")
    assert "iconv" in error.value.fix


@pytest.mark.parametrize("data", [b"\xff\xfea", b"\xff\xfe\x00\xd8"])
def test_broken_utf16(tmp_path, data):
    (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(DataError, match=r"not .*text"):
        read_text(tmp_path / "a.txt")


def test_utf16_without_a_mark_is_not_taken_for_text(tmp_path):
    (tmp_path / "a.txt").write_bytes("ab\n".encode("utf-16-le"))
    with pytest.raises(DataError, match="UTF-16"):
        read_text(tmp_path / "a.txt")


def test_what_cannot_be_opened(tmp_path):
    for path in (tmp_path, tmp_path / "missing.txt"):
        with pytest.raises(DataError, match="cannot be opened"):
            read_text(path)
