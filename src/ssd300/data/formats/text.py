"""Text files that people wrote on any system: lists, class files, labels and descriptions."""

import codecs
from pathlib import Path

from ssd300.errors import DataError

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_text(path: Path) -> str:
    """The content of a UTF-8 file, with or without a byte order mark, or of a UTF-16 file that has one.

    Raises:
        DataError: the file cannot be opened, or is of another encoding, which cannot be guessed safely.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"the file cannot be opened ({error.strerror})", where=path, fix="Check the path and its permissions."
        ) from error
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in data:
        raise DataError(
            "the file is not UTF-8 text, perhaps UTF-16 without a byte order mark", where=path, fix="Save it as UTF-8."
        )
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataError(
            "the file is not UTF-8 text, perhaps GBK or Latin-1",
            where=f"{path}:{line}",
            fix="Save it as UTF-8: `iconv -f GBK -t UTF-8 FILE`, or the encoding in the editor's Save As.",
        ) from error
