"""Detections in Parquet, as detection in bulk writes them: a row per image, read in blocks and column by column.

The columns are those of `detections.jsonl`, with `id` for the image's path or id, and `error` if it was unreadable.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ssd300.boxes import CORNERS
from ssd300.data.predictions.jsonl import BLOCK
from ssd300.data.predictions.rows import PredictionRows
from ssd300.errors import DataError, UsageError, install_hint
from ssd300.types import DetectionTable

MAGIC = b"PAR1"  # Parquet's first four bytes
IMAGE_COLUMNS = ("id", "image")  # one of them names the image
EXPECTED = "id (string), and detections: a list of structs of label (string), score and box (xmin, ymin, xmax, ymax)"
MOST_ROWS = 8192  # images that are read at a time, where they have few detections
BUFFER = 1 << 20  # bytes of a column that are read at a time, so that a large row group need not be in memory


def is_parquet(path: Path) -> bool:
    """Whether the ending or the beginning is Parquet's."""
    if path.suffix == ".parquet":
        return True
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def parquet_blocks(path: Path, rows: PredictionRows, *, where: str | None = None) -> Iterator[DetectionTable]:
    """The detections of a file, which messages name `where`, in blocks of whole images.

    Raises:
        DataError: the file is cut off, or has other columns; and as `PredictionRows.at` does, with the row's number.
        UsageError: the extra `parquet` is missing.
    """
    shown = where or str(path)
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError("Parquet needs pyarrow", where=shown, fix=install_hint("parquet")) from error
    try:
        with parquet.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False) as file:
            columns = _columns(file.schema_arrow, shown)
            first = 1
            for batch in file.iter_batches(_rows_at_a_time(file.metadata), columns=columns):
                yield _table(batch, columns[0], shown, first, rows)
                first += batch.num_rows
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(
            f"the file cannot be read as Parquet ({str(error).splitlines()[0]})",
            where=shown,
            fix="Copy it again, or run the detection again.",
        ) from error


def _columns(schema: Any, where: str) -> list[str]:
    """Those to read, that of the image's name first. Raises DataError unless a detection has label, score and box."""
    from pyarrow import types

    image = next((name for name in IMAGE_COLUMNS if name in schema.names), None)
    fields: dict[str, Any] = {}
    if "detections" in schema.names and hasattr(list_type := schema.field("detections").type, "value_type"):
        fields = _fields(list_type.value_type)
    label = fields.get("label")
    value = getattr(label, "value_type", label)  # of a dictionary
    named = value is not None and (types.is_string(value) or types.is_large_string(value))
    if image is None or not named or "score" not in fields or not set(CORNERS) <= _fields(fields.get("box")).keys():
        raise DataError(f"the columns are {', '.join(schema.names)}", where=where, fix=f"Expected: {EXPECTED}.")
    return [image, "detections", *(name for name in ("width", "height", "error") if name in schema.names)]


def _fields(struct: Any) -> dict[str, Any]:
    from pyarrow import types

    if struct is None or not types.is_struct(struct):
        return {}
    return {struct.field(number).name: struct.field(number).type for number in range(struct.num_fields)}


def _rows_at_a_time(metadata: Any) -> int:
    """So many that they have some BLOCK detections in the mean."""
    leaves = [group.column(number) for group in map(metadata.row_group, range(metadata.num_row_groups))
              for number in range(group.num_columns)]  # fmt: skip
    scores = sum(leaf.num_values for leaf in leaves if leaf.path_in_schema.endswith(".score"))
    return int(min(max(BLOCK * metadata.num_rows // max(scores, 1), 1), MOST_ROWS))


def _table(batch: Any, image_column: str, where: str, first: int, rows: PredictionRows) -> DetectionTable:
    """The detections of a batch of rows, of which the first one has the number `first`, from 1."""
    images = _images(batch, image_column, where, first, rows)
    lists = batch.column("detections")
    counts = np.asarray(lists.value_lengths().fill_null(0), dtype=np.int64)
    found = lists.flatten()
    labels, unknown = _labels(found.field("label"), rows)
    box = found.field("box")
    numbers = np.column_stack([_floats(found.field("score")), *(_floats(box.field(corner)) for corner in CORNERS)])
    of_row = np.repeat(np.arange(len(images)), counts)
    known = images[of_row] >= 0
    bad = (labels < 0) | ~np.isfinite(numbers).all(axis=1)
    for index in np.flatnonzero(bad & known):
        row = of_row[index]
        number = index - (counts[:row].sum()) + 1
        with rows.at(f"{where}, row {first + row}, detection {number}"):
            if labels[index] < 0:
                raise unknown[labels[index]]
            raise DataError(f"score or box is not finite: {', '.join(map(str, numbers[index].tolist()))}")
    good = known & ~bad
    table = DetectionTable(
        image_index=images[of_row[good]],
        labels=labels[good],
        scores=numbers[good, 0].copy(),
        boxes_px=numbers[good, 1:].copy(),
    )
    rows.remarks.look(table)
    return table


def _images(batch: Any, image_column: str, where: str, first: int, rows: PredictionRows) -> Int[np.ndarray, " rows"]:
    """The image of each row, -1 for one that is skipped or has an error instead of detections."""
    nothing = [None] * batch.num_rows
    names, heights, widths, errors = (
        batch.column(name).to_pylist() if name in batch.schema.names else nothing
        for name in (image_column, "height", "width", "error")
    )
    images = np.full(batch.num_rows, -1, dtype=np.int64)
    for index, (name, height, width, error) in enumerate(zip(names, heights, widths, errors, strict=True)):
        with rows.at(place := f"{where}, row {first + index}"):
            image = rows.place(str(name or ""), place, height, width)
            if error is None:
                images[index] = image
            else:
                rows.remarks.fail(place, error)
    return images


def _labels(column: Any, rows: PredictionRows) -> tuple[Int[np.ndarray, " n"], dict[int, DataError]]:
    """The label of each detection by its class name. Below 0 there is none; then the second one has the reason."""
    encoded = column if hasattr(column, "dictionary") else column.dictionary_encode()
    known, unknown = [], {-1: DataError("the key 'label' is missing")}
    for name in encoded.dictionary.to_pylist():
        try:
            known.append(rows.label(name))
        except DataError as error:
            known.append(-1 - len(unknown))
            unknown[known[-1]] = error
    places = np.asarray(encoded.indices.fill_null(len(known)), dtype=np.int64)
    return np.array([*known, -1], dtype=np.int64)[places], unknown


def _floats(column: Any) -> Float[np.ndarray, " n"]:
    """NaN where there is no value."""
    values: np.ndarray = column.to_numpy(zero_copy_only=False).astype(np.float64)
    return values
