"""`ssd300 detect`: boxes, names and scores on copies of pictures, and `detections.jsonl`."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ssd300.cli.options import Json, Switch, Weights, device_for, print_json, say
from ssd300.errors import DataError, UsageError

TOGETHER = 8


def detect(
    *source: str,
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
        Pictures, folders, patterns such as 'a/*.jpg', lists of paths (.txt), or - for paths on standard input.
    weights
        A run folder, a .safetensors file, a name, or an exported .onnx or .xml file.
    out
        The folder for all that is written.
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
    from ssd300.data.sources import find_pictures
    from ssd300.files import check_output_free, whole_folder

    pictures = find_pictures(source)

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
    rows: list[dict[str, Any]] = []
    written: list[str] = []
    skipped: dict[int, DataError] = {}

    def skip(number: int, error: DataError) -> None:
        skipped[number] = error
        say([f"skipped: {error}"])
        if len(skipped) == len(pictures):
            raise error  # nothing can be read, so nothing is written

    # what cannot be read of a batch is known before its first result
    readable = (name for number, name in enumerate(names) if number not in skipped)
    with whole_folder(out, overwrite=overwrite) as folder:
        for result in detector.stream(pictures, selection, batch_size=TOGETHER, on_bad=skip):
            name = next(readable)
            wanted = result.select([name not in suppress for name in result.names])
            save_picture(folder, name, wanted, save)
            rows.append(wanted.to_dict())
            written.append(name)
        save_table(folder, written, rows, known, save)
    if json_:
        print_json({"images": rows, "skipped": [str(pictures[number]) for number in skipped]})
    else:
        for name, row in zip(written, rows, strict=True):
            where = out / f"{name}.jpg" if "image" in save else row["image"]
            sys.stdout.write(f"{where}: {len(row['detections'])} detections\n")
    if skipped:
        raise DataError(
            f"{len(skipped)} of {len(pictures)} pictures could not be read; the others are done",
            where=pictures[min(skipped)],
            fix="Replace them, or leave them out.",
        )


def _output_names(pictures: list[Path]) -> list[str]:
    """A name for each picture's files: its own stem, with a number where it is taken."""
    stems = {path.stem for path in pictures}
    names: list[str] = []
    taken: set[str] = set()
    counts: dict[str, int] = {}
    for path in pictures:
        name = path.stem
        while name in taken or (name != path.stem and name in stems):
            counts[path.stem] = counts.get(path.stem, 1) + 1
            name = f"{path.stem}_{counts[path.stem]}"
        taken.add(name)
        names.append(name)
    return names
