"""`ssd300 detect`: boxes, names and scores on copies of pictures, and `detections.jsonl`."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ssd300.cli.options import Json, Switch, Weights, device_for, print_json, say
from ssd300.errors import DataError, UsageError

TOGETHER = 8


def detect(
    *source: Path,
    weights: Weights,
    out: Path = Path("detections"),
    min_score: Annotated[float | None, Parameter(name=["--min-score", "--conf"])] = None,
    max_overlap: Annotated[float, Parameter(name=["--max-overlap", "--iou"])] = 0.5,
    top_k: Annotated[int, Parameter(name=["--top-k", "--max-det"])] = 200,
    save: Annotated[
        tuple[Literal["image", "jsonl", "json", "csv", "coco", "yolo", "voc", "comp4", "crops"], ...],
        Parameter(consume_multiple=True, negative=""),
    ] = ("image", "jsonl"),
    suppress: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    device: str = "auto",
    overwrite: Switch = False,
    json_: Json = False,
) -> None:
    """Detect on pictures, or on all pictures of a folder.

    Parameters
    ----------
    source
        Pictures and folders.
    weights
        A run folder or a .safetensors file.
    out
        Where the annotated pictures and detections.jsonl go.
    min_score
        Lowest score of a detection; left out, what `ssd300 thresholds` kept in the weights for each class, or 0.2.
    max_overlap
        A box that overlaps a better one of its class by more is suppressed.
    top_k
        Most detections a picture.
    save
        What is written: annotated pictures ('image'), 'jsonl', 'json', 'csv', 'coco', 'yolo', 'voc', 'comp4', 'crops'.
    suppress
        Classes that are not wanted.
    device
        'auto', 'cpu', 'cuda' or 'mps'.
    overwrite
        Write into a folder that is not empty.
    json_
        Print the detections as one JSON object and nothing else.
    """
    pictures = _pictures(source)
    from ssd300.files import check_output_free, whole_folder

    check_output_free(out, overwrite=overwrite)
    from ssd300.data.images import animation_notes
    from ssd300.detect import Detector
    from ssd300.outputs import save_picture, save_table

    detector = Detector.load(weights, device=device_for(weights, device))
    try:
        selection = detector.selection(min_score, max_overlap=max_overlap, top_k=top_k)
    except ValueError as error:
        raise UsageError(str(error), fix="See `ssd300 detect --help`.") from error
    known = detector.card.classes
    if min_score is None and detector.card.min_scores:
        scores = ", ".join(f"{name} {score:.3f}" for name, score in detector.card.min_scores.items())
        say([f"lowest scores, as the weights hold them: {scores}"])
    if unknown := set(suppress) - set(known):
        raise UsageError(f"the weights know no class '{min(unknown)}'", fix=f"Their classes: {', '.join(known)}.")
    names = _output_names(pictures)
    say(animation_notes(pictures))
    rows = []
    with whole_folder(out, overwrite=overwrite) as folder:
        for name, result in zip(names, detector.stream(pictures, selection, batch_size=TOGETHER), strict=True):
            wanted = result.select([name not in suppress for name in result.names])
            save_picture(folder, name, wanted, save)
            rows.append(wanted.to_dict())
        save_table(folder, rows, known, save)
    if json_:
        print_json({"images": rows})
        return
    for name, row in zip(names, rows, strict=True):
        where = out / f"{name}.jpg" if "image" in save else row["image"]
        sys.stdout.write(f"{where}: {len(row['detections'])} detections\n")


def _pictures(source: tuple[Path, ...]) -> list[Path]:
    if not source:
        raise UsageError("no picture was named", fix="Name pictures or folders.")
    from ssd300.data.images import SUFFIXES

    pictures: list[Path] = []
    for path in source:
        if path.is_dir():
            found = sorted(child for child in path.iterdir() if child.suffix.lower() in SUFFIXES)
            if not found:
                raise DataError("the folder has no pictures", where=path, fix="Name another folder.")
            pictures += found
        elif path.exists():
            pictures.append(path)
        else:
            raise DataError("there is no such picture", where=path, fix="Check the path.")
    return pictures


def _output_names(pictures: list[Path]) -> list[str]:
    """A name for each annotated picture: its own stem, with a number where two are alike."""
    seen: dict[str, int] = {}
    names = []
    for path in pictures:
        count = seen[path.stem] = seen.get(path.stem, 0) + 1
        names.append(path.stem if count == 1 else f"{path.stem}_{count}")
    return names
