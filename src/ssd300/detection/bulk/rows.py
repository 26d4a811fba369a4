"""The rows of a job, one per image, and the two formats of a part file: Parquet and lines of JSON."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from ssd300.boxes import CORNERS
from ssd300.detection.bulk.stored_file import at_random
from ssd300.detection.results import ImageDetections
from ssd300.errors import DataError, SSDError, UsageError, as_text, install_hint
from ssd300.system.stores import Store

PartFormat = Literal["parquet", "jsonl"]
VERSION = 1  # of the columns below
FOLDER = "parts"
Row = dict[str, Any]


def part_name(chunk: str, form: PartFormat) -> str:
    return f"{FOLDER}/{chunk}.{form}"


def row_of(image: str, found: ImageDetections) -> Row:
    """The row of an image; its detections are those of `detections.jsonl`. `seconds` are filled in later."""
    whole = found.to_dict()
    return {"id": as_text(image), **{key: whole[key] for key in ("width", "height", "detections")}, "error": None}


def error_row(image: str, error: Exception) -> Row:
    """The row of an image that could not be read: why, and what to do. Its size is not known."""
    if isinstance(error, SSDError):
        text = f"{error.what}{f'. {error.fix}' if error.fix else ''}"
    else:
        text = f"{type(error).__name__}: {error}"
    return {"id": as_text(image), "width": None, "height": None, "detections": [], "error": as_text(text)}


def import_pyarrow() -> Any:
    """The module `pyarrow` with `pyarrow.parquet`. Raises UsageError where it is not installed."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise UsageError("Parquet needs pyarrow", fix=install_hint("parquet")) from error
    return pyarrow


def encoded(rows: Sequence[Row], form: PartFormat) -> bytes:
    """The content of a part file."""
    if form == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    pyarrow, target = import_pyarrow(), io.BytesIO()
    table = pyarrow.Table.from_pylist(list(rows), schema=_schema(pyarrow))
    pyarrow.parquet.write_table(table, target, compression="zstd")
    return target.getvalue()


def _schema(pyarrow: Any) -> Any:
    text, whole, real = pyarrow.string(), pyarrow.int32(), pyarrow.float64()
    box = pyarrow.struct([(corner, real) for corner in CORNERS])
    detection = pyarrow.struct([("label", text), ("label_id", whole), ("score", real), ("box", box)])
    return pyarrow.schema(
        [
            ("id", text),
            ("width", whole),
            ("height", whole),
            ("detections", pyarrow.list_(detection)),
            ("error", text),
            ("seconds", real),
        ]
    )


def read_part(store: Store, name: str) -> list[Row]:
    """The rows of a part file. Raises DataError for one that is not there, or damaged."""
    content = store.read(name)
    with _damage_named(store, name):
        if name.endswith(".jsonl"):
            return [json.loads(line) for line in content.decode().split("\n") if line]
        rows: list[Row] = import_pyarrow().parquet.read_table(io.BytesIO(content)).to_pylist()
        return rows


def ids_and_errors(store: Store, name: str) -> tuple[list[str], list[str | None]]:
    """Two columns of a part file, in order; of Parquet only these are read. Raises DataError as `read_part` does."""
    with _damage_named(store, name):
        if name.endswith(".jsonl"):
            rows: Sequence[Mapping[str, Any]] = read_part(store, name)
            return [row["id"] for row in rows], [row["error"] for row in rows]
        columns = import_pyarrow().parquet.read_table(at_random(store, name), columns=["id", "error"]).to_pydict()
        return columns["id"], columns["error"]


@contextmanager
def _damage_named(store: Store, name: str) -> Iterator[None]:
    try:
        yield
    except (SSDError, MemoryError):
        raise
    except Exception as error:  # the errors of json and pyarrow for damaged content have no common base
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"the part file is damaged ({reason})",
            where=store.place(name),
            fix="Delete it, and run the command of the job again: it does these images anew.",
        ) from error
