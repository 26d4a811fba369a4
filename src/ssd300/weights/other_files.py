"""Files that are no checkpoint of PyTorch, Caffe or Chainer: what they are, and what to do with them."""

import zipfile
from collections.abc import Iterable
from pathlib import Path

from ssd300 import run_layout
from ssd300.errors import WeightsError
from ssd300.images.kinds import foreign_kind, is_image_head

HEAD = 512  # bytes that tell what a file is
TENSORS = "`torch.save(model.state_dict(), 'weights.pth')`"
IN_TORCH = f"Load it in PyTorch, save its tensors with {TENSORS}, and name that file."
NOT_READ = "Only SSD300-VGG16 of PyTorch, Caffe and ChainerCV is read; convert it to PyTorch first."
EXPORTED = "It needs no import if `ssd300 export` wrote it: --weights takes it as it is. Otherwise name its checkpoint."
OURS = "Weights are a run folder or a .safetensors file of ssd300. `ssd300 import` converts other checkpoints."
CHECKPOINTS = (".pth", ".pt", ".pkl", ".caffemodel", ".npz")
MADE_FROM = "Name the weights that it was made from: a run folder or a .safetensors file."
PICKLED = b"\x80"  # how a pickle begins
MERGE = (
    "Merge its parts in Python: `tensors = {}`, `tensors |= safetensors.torch.load_file(part)` for each, then "
    "`safetensors.torch.save_file(tensors, 'weights.safetensors')`."
)

_BY_SUFFIX = (
    (".onnx", "an ONNX file", EXPORTED),
    (".h5 .hdf5 .keras", "a file of Keras", NOT_READ),
    (".pb .tflite .ckpt.index .meta", "a file of TensorFlow", NOT_READ),
    (".pdparams .pdmodel", "a file of PaddlePaddle", NOT_READ),
    (".params", "a file of MXNet", NOT_READ),
    (".mlmodel .mlpackage", "a file of Core ML", NOT_READ),
    (".msgpack", "a file of Flax", NOT_READ),
    (".gguf", "a file of llama.cpp", NOT_READ),
    (".engine .trt .plan", "a file of TensorRT", "Name the checkpoint that it was built from."),
    (".weights .cfg", "a file of Darknet", NOT_READ),
    (".prototxt", "Caffe's description of a network", "Name the .caffemodel beside it."),
    (".index.json", "the index of safetensors files in several parts", MERGE),
    (".gz .bz2 .xz .zst .7z .rar", "a packed file", "Unpack it, and name the checkpoint in it."),
)
_BY_HEAD = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, perhaps of Keras", NOT_READ),
    (b"GGUF", "a file of llama.cpp", NOT_READ),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself", "Fetch the file with `git lfs pull`."),
    (b"\x1f\x8b", "a gzip file", "Unpack it, and name the checkpoint in it."),
    (b"<!doctype html", "a web page, perhaps in place of a download", "Download the file again."),
    (b"<html", "a web page, perhaps in place of a download", "Download the file again."),
)
_IN_ZIP = (
    ("models/model.json", "a torch.export archive", IN_TORCH),
    ("serialized_exported_program.json", "a torch.export archive", IN_TORCH),
    ("data/aotinductor/", "a package of AOTInductor", "Name the checkpoint that it was compiled from."),
    ("model.weights.h5", "a file of Keras", NOT_READ),
)
_IN_FOLDER = (
    ("saved_model.pb", "a SavedModel of TensorFlow", NOT_READ),
    (
        ".metadata",
        "a distributed checkpoint of torch",
        "Run `python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER weights.pth`, and name the file.",
    ),
    ("*.index.json", "a folder with safetensors files in several parts", MERGE),
    ("*.safetensors", "a folder", "Name the file in it: {}."),
    ("*.pth", "a folder", "Name the file in it: {}."),
)


def check_is_checkpoint(path: Path) -> None:
    """Raises WeightsError for a folder, and for a file that is known to be something else than a checkpoint."""
    if path.is_dir():
        _raise_for_folder(path)
    if (known := _kind(path)) is not None:
        what, fix = known
        raise WeightsError(f"this is {what}, not a checkpoint", where=path, fix=fix)


def check_may_be_weights(path: Path) -> None:
    """Raises WeightsError for a file that holds no weights, or an exported file; checkpoints of any kind pass."""
    if path.name in (Path(run_layout.STATE).name, Path(run_layout.PREVIOUS_STATE).name):
        run = path.resolve().parents[1]
        if (run / run_layout.CONFIG).is_file():
            raise WeightsError("this is the state of a run, not weights", where=path, fix=f"Name the run: {run}.")
    if (known := _no_weights(path)) is not None:
        raise WeightsError(f"this is {known[0]}", where=path, fix=known[1])


def not_our_weights(path: Path, reason: Exception) -> WeightsError:
    """The error of a file that cannot be read as weights of ssd300, for this `reason`, by what the file is."""
    what, fix = _unlike_weights(path) or (f"not a complete safetensors file ({reason})", f"Copy it again. {OURS}")
    return WeightsError(f"this is {what}", where=path, fix=fix)


def _unlike_weights(path: Path) -> tuple[str, str] | None:
    if (known := _no_weights(path)) is not None:
        return known
    if _may_be_checkpoint(path):
        return "a checkpoint of another program", f"Convert it with `ssd300 import`. {OURS}"
    return None


def _may_be_checkpoint(path: Path) -> bool:
    return path.name.casefold().endswith(CHECKPOINTS) or _head(path)[:1] == PICKLED or _holds_a_pickle(path)


def _no_weights(path: Path) -> tuple[str, str] | None:
    """What a file is that holds no weights, and what to do; None for one that may hold some."""
    try:
        head = _head(path)
    except OSError:
        return None
    if not head:
        return "an empty file, not weights", OURS
    if _is_exported(path):
        return (
            "an exported file already, not weights",
            MADE_FROM,
        )
    if is_image_head(head):
        return "an image, not weights", OURS
    if (known := _kind(path)) is not None:
        return f"{known[0]}, not weights", known[1]
    if _may_be_checkpoint(path):
        return None
    if (other := foreign_kind(head, path.name)) is not None:
        return f"{other.what.partition(',')[0]}, not weights", OURS
    return ("a text file, not weights", OURS) if _is_text(head) else None


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _is_exported(path: Path) -> bool:
    """An ONNX file, or one of OpenVINO's two."""
    suffix = path.suffix.casefold()
    other = {".xml": ".bin", ".bin": ".xml"}.get(suffix)
    return suffix == ".onnx" or (other is not None and path.with_suffix(other).is_file())


def _holds_a_pickle(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("data.pkl") for name in archive.namelist())


def _is_text(head: bytes) -> bool:
    text = head.decode("utf-8", "replace")
    return "\0" not in text and "\ufffd" not in text[:-1]


def _kind(path: Path) -> tuple[str, str] | None:
    """What the file is and what to do, where it is known to be something else than a checkpoint."""
    for suffixes, what, fix in _BY_SUFFIX:
        if path.name.casefold().endswith(tuple(suffixes.split())):
            return what, fix
    head = _head(path)
    start = head.lstrip().lower()
    if path.suffix.casefold() == ".xml":
        return ("a file of OpenVINO", EXPORTED) if b"<net" in start else ("an XML file", OURS)
    if path.suffix.casefold() == ".bin" and not (head[:1] == PICKLED or zipfile.is_zipfile(path)):
        return "a file of OpenVINO", EXPORTED
    for mark, what, fix in _BY_HEAD:
        if head.startswith(mark) or start.startswith(mark):
            return what, fix
    if head[4:8] == b"TFL3":
        return "a file of TensorFlow Lite", NOT_READ
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return _kind_by_entries(archive.namelist())
    return None


def _raise_for_folder(path: Path) -> None:
    for pattern, what, fix in _IN_FOLDER:
        if found := sorted(path.glob(pattern)):
            raise WeightsError(f"this is {what}, not a checkpoint", where=path, fix=fix.format(found[0]))
    raise WeightsError("this is a folder, not a checkpoint", where=path, fix="Name a file.")


def _kind_by_entries(names: Iterable[str]) -> tuple[str, str] | None:
    return next(((what, fix) for name in names for mark, what, fix in _IN_ZIP if mark in name), None)
