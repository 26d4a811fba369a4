"""The name of an output folder: one that ends as a file's name does is a mistake, unless there is such a folder."""

from pathlib import Path
from typing import Any

from ssd300.errors import UsageError

OF_FILES = (
    ".jpg .jpeg .png .bmp .gif .webp .tif .tiff .avif .heic .ppm .pgm .mp4 .avi .mov .mkv .webm .m4v .mpg .mpeg .wmv "
    ".csv .tsv .json .jsonl .ndjson .txt .xml .yaml .yml .xlsx .parquet .html .pdf .zip .tar .gz .tgz .onnx .bin .pt "
    ".pth .safetensors"
)


def check_is_folder_name(_type: Any, name: Path | str | None) -> None:
    """Raises UsageError for a new folder whose name ends as that of a file: `found.jpg`, but not `run-1.5`."""
    folder = None if name is None else Path(name)
    if folder is None or folder.suffix.lower() not in OF_FILES.split() or folder.exists():
        return
    from ssd300.system.files import free_folder

    raise UsageError(
        f"--out is a folder for all that is written, and this name ends in {folder.suffix}",
        where=folder,
        fix=f"Name a folder: --out {free_folder(folder.with_suffix(''))}.",
    )
