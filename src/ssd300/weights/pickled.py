"""Tensors from the files that `torch.save` writes, with nothing in them run.

Reads both of torch's formats: the zip archive, and the sequence of pickles that torch wrote before version 1.6.
"""

import io
import zipfile
from pathlib import Path
from typing import Any

from ssd300.errors import WeightsError
from ssd300.weights.contents import Contents, contents_of
from ssd300.weights.inert_pickle import InertUnpickler, RefusedPickleError, Storage

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # torch/serialization.py, MAGIC_NUMBER
LARGEST_PROGRAM = 64 * 2**20  # bytes of pickle; a checkpoint of SSD300 has under a hundred thousand
COPY = "Copy the file again, or name another."
SAVE_TENSORS = (
    "Save the tensors alone where the file was made, `torch.save(model.state_dict(), 'weights.pth')`, and name the "
    "new file."
)


def read_pickled(path: Path) -> Contents:
    """What a file of `torch.save` holds. Classes of pickled modules need not be installed.

    Raises:
        WeightsError: the file cannot be opened, is damaged, was not written by torch, names what is refused, or holds
            no tensors.
    """
    try:
        found, kind = _read_zip(path) if zipfile.is_zipfile(path) else (_read_legacy(path), "")
        contents = contents_of(found, title=path.name, kind=kind)
    except WeightsError:
        raise
    except RefusedPickleError as error:
        raise WeightsError(_refusal(error), where=path, fix=SAVE_TENSORS) from error
    except Exception as error:  # a damaged pickle raises whatever its opcodes lead to
        raise WeightsError(
            f"this is not a complete file of torch.save ({type(error).__name__}: {str(error)[:100]})",
            where=path,
            fix=COPY,
        ) from error
    if not contents.tensors:
        raise WeightsError("the file holds no tensors", where=path, fix="Name a checkpoint of a detector.")
    return contents


def _refusal(error: RefusedPickleError) -> str:
    if error.would_run:
        return f"unpickling the file would run {error}; nothing in it was run, and it was not read"
    return f"beside its weights the file holds {error}, which is not read here, harmless or not; nothing in it was run"


def _read_zip(path: Path) -> tuple[Any, str]:
    """What the archive's pickle holds, and which kind of archive it is, if it is not a plain one."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        program = next((entry for entry in entries if entry.filename.endswith("/data.pkl")), None)
        if program is None:
            raise WeightsError("this zip archive is not a checkpoint: it has no data.pkl", where=path, fix=SAVE_TENSORS)
        if program.file_size > LARGEST_PROGRAM:
            raise WeightsError("its pickle is too large for a checkpoint", where=path, fix=COPY)
        root = program.filename.removesuffix("data.pkl") + "data/"
        stored = [entry for entry in entries if entry.filename.startswith(root) or entry is program]
        if sum(entry.file_size for entry in stored) > path.stat().st_size:
            raise WeightsError(
                "the archive unpacks to more than its own size; torch does not compress its numbers",
                where=path,
                fix=COPY,
            )
        # Reading an entry checks its CRC, which finds damage that torch.load does not.
        numbers = {entry.filename.removeprefix(root): archive.read(entry) for entry in stored if entry is not program}
        script = any(entry.filename.endswith("/constants.pkl") for entry in entries)
        found = InertUnpickler(io.BytesIO(archive.read(program)), {}, numbers).load()
        return found, "a TorchScript archive" if script else ""


def _read_legacy(path: Path) -> Any:
    storages: dict[str, Storage] = {}
    with path.open("rb") as file:
        if InertUnpickler(file, {}, {}).load() != LEGACY_MAGIC:
            raise WeightsError("torch.save did not write this file", where=path, fix=SAVE_TENSORS)
        for _ in ("protocol version", "machine"):
            InertUnpickler(file, {}, {}).load()
        found = InertUnpickler(file, storages, {}).load()
        for key in InertUnpickler(file, {}, {}).load():
            storage = storages[str(key)]
            count = int.from_bytes(file.read(8), "little", signed=True)
            wanted = count * storage.dtype.itemsize
            data = file.read(wanted) if 0 <= wanted <= path.stat().st_size else b""
            if len(data) != wanted:
                raise EOFError("the file ends in the middle of its numbers")
            storage.data.extend(data)
    return found
