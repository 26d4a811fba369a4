"""`ssd300 detect`: boxes, names and scores on copies of images and videos, and `detections.jsonl`."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from ssd300.cli.options import Json, Switch, Weights, device_for, print_json, say
from ssd300.cli.progress import image_progress
from ssd300.errors import DataError, UsageError

if TYPE_CHECKING:
    from ssd300.detection.detector import Detector
    from ssd300.types import Selection

Several = Parameter(consume_multiple=True, negative="")


def detect(
    *source: str,
    weights: Weights,
    out: Path = Path("detections"),
    min_score: Annotated[float | None, Parameter(name=["--min-score", "--conf"])] = None,
    min_score_of: Annotated[tuple[str, ...], Several] = (),
    max_overlap: Annotated[float, Parameter(name=["--max-overlap", "--iou"])] = 0.5,
    top_k: Annotated[int, Parameter(name=["--top-k", "--max-det"])] = 200,
    save: Annotated[
        tuple[Literal["image", "jsonl", "json", "csv", "coco", "yolo", "voc", "comp4", "crops"], ...], Several
    ] = ("image", "jsonl"),
    suppress: Annotated[tuple[str, ...], Several] = (),
    tile: int | None = None,
    frames: int | None = None,
    batch_size: int = 8,
    device: str = "auto",
    precision: Literal["float32", "bfloat16"] = "float32",
    compile: Switch = False,  # noqa: A002  # the option's name
    overwrite: Switch = False,
    json_: Json = False,
) -> None:
    """Detect on images, folders of them, videos and cameras.

    Parameters
    ----------
    source
        Images, videos, folders, patterns such as 'a/*.jpg', lists of paths (.txt), - for paths on standard input,
        http(s) and rtsp addresses, or cameras ('camera:0').
    weights
        A run folder, a .safetensors file, a name, or an exported .onnx or .xml file.
    out
        The folder for all that is written. After an interrupt the same command goes on there.
    min_score
        Lowest score of a detection; left out, what `ssd300 thresholds` kept in the weights for each class, or 0.2.
    min_score_of
        That of single classes, such as 'dog=0.4'.
    max_overlap
        A box that overlaps a better one of its class by more is suppressed.
    top_k
        Most detections an image.
    save
        What is written: annotated images and videos ('image'), 'jsonl', 'json', 'csv', 'coco', 'yolo', 'voc',
        'comp4', 'crops'.
    suppress
        Classes that are not wanted.
    tile
        Look at large images in overlapping tiles of so many pixels a side too; for objects that are small in them.
    frames
        Most frames of each video or camera.
    batch_size
        Images that go through the network at once.
    device
        'auto', 'cpu', 'cuda' or 'mps'.
    precision
        Of the network in torch; exported files have their own.
    compile
        Let torch.compile make the network first; for many images.
    overwrite
        Write into a folder that is not empty.
    json_
        Print the detections as one JSON object and nothing else.
    """
    from ssd300.detection.sources import find_sources

    sources = find_sources(source)
    for option, value in (("--tile", tile), ("--frames", frames), ("--batch-size", batch_size)):
        if value is not None and value < 1:
            raise UsageError(f"{option} is {value}; it must be 1 or more", fix="See `ssd300 detect --help`.")

    from ssd300.detection.detector import Detector
    from ssd300.detection.output_folder import DetectionFolder
    from ssd300.detection.run import DetectionRun, spare_sources
    from ssd300.detection.tiles import TiledNetwork
    from ssd300.images.read import animation_notes

    if not save and not json_:
        raise UsageError("--save names no form", fix="Name some, or leave it out for image and jsonl.")
    spare_sources(sources, out, save)
    network = _network(weights, device, precision, compile, batch_size if tile is None else None)
    detector = Detector(network if tile is None else TiledNetwork(network, tile))
    selection = _selection(detector, min_score, min_score_of, max_overlap, top_k)
    classes = detector.card.classes
    if unknown := set(suppress) - set(classes):
        raise UsageError(f"the weights know no class '{min(unknown)}'", fix=f"Their classes: {', '.join(classes)}.")
    say(animation_notes([one for one in sources if isinstance(one, Path)]))
    command = {
        "sources": [str(one) for one in sources],
        "weights": weights,
        "card": asdict(detector.card),  # type: ignore[call-overload]  # both kinds of card are dataclasses
        "selection": asdict(selection),
        "save": save,
        "suppress": suppress,
        "tile": tile,
        "frames": frames,
        "precision": precision,
    }
    folder = DetectionFolder(out, command, overwrite=overwrite)
    if folder.done:
        say([f"going on: {len(folder.done)} of {len(sources)} are done"])
    work = DetectionRun(
        detector,
        selection,
        folder,
        sources,
        save=save,
        suppress=suppress,
        batch_size=batch_size,
        most_frames=frames,
        say=lambda line: say([line]),
        progress=image_progress,
    )
    finished = False
    try:
        ended_by = work.run()
        if not work.read_any():
            finished = True  # there is nothing to go on with
            raise work.first_error
        folder.finish(classes, save)
        rows = [row for _, row in folder.rows()] if json_ else []
        counts = [(name, row["image"], len(row["detections"])) for name, row in folder.rows() if not json_]
        finished = True
    except BaseException:
        if folder.done and work.read_any():
            say([f"{len(folder.done)} of {len(sources)} are done; the same command goes on"])
        raise
    finally:
        folder.close(finished=finished)
    if json_:
        print_json({"images": rows, "skipped": [str(sources[number]) for number in sorted(folder.skipped)]})
    else:
        sys.stdout.writelines(work.lines(counts, out))
    say([work.summary()])
    if ended_by is not None:
        raise ended_by
    if folder.skipped:
        if len(sources) == 1:
            raise work.first_error
        raise DataError(
            f"{len(folder.skipped)} of {len(sources)} {work.kind} could not be read; the others are done",
            where=str(sources[min(folder.skipped)]),
            fix="Replace them, or leave them out.",
        )


def _network(weights: str, device: str, precision: Any, compile_it: bool, batch_size: int | None) -> Any:
    from ssd300.detection.detector import is_exported, load_network
    from ssd300.detection.tiles import TOGETHER

    if is_exported(weights) and (compile_it or precision != "float32"):
        raise UsageError(
            "--compile and --precision are for weights in torch", where=weights, fix="An exported file is made already."
        )
    where = device_for(weights, device)
    network = load_network(weights, device=where, precision=precision)
    if precision == "bfloat16" and where == "cpu":
        from ssd300.system.environment import cpu_has_bf16

        if not cpu_has_bf16():
            say(["this processor has no bfloat16 of its own: float32 is faster here"])
    if compile_it:
        from ssd300.detection.torch_network import TorchNetwork

        if isinstance(network, TorchNetwork):
            say([f"compiled in {network.compile(batch_size or TOGETHER):.1f} s"])
    return network


def _selection(
    detector: "Detector",
    min_score: float | None,
    min_score_of: Sequence[str],
    max_overlap: float,
    top_k: int,
) -> "Selection":
    try:
        selection = detector.selection(min_score, max_overlap=max_overlap, top_k=top_k)
        if min_score is None and detector.card.min_scores:
            scores = ", ".join(f"{name} {score:.3f}" for name, score in detector.card.min_scores.items())
            say([f"lowest scores, as the weights hold them: {scores}"])
        if not min_score_of:
            return selection
        classes = list(detector.card.classes)
        usual = selection.min_score
        lowest = list(usual) if isinstance(usual, tuple) else [usual] * len(classes)
        for word in min_score_of:
            name, equals, value = word.rpartition("=")
            if not equals:
                raise UsageError(f"--min-score-of takes CLASS=SCORE, not '{word}'", fix="Such as dog=0.4.")
            if name not in classes:
                raise UsageError(f"--min-score-of: there is no class '{name}'", fix=f"There are {', '.join(classes)}.")
            try:
                lowest[classes.index(name)] = float(value)
            except ValueError as error:
                raise UsageError(f"--min-score-of: '{value}' is no score", fix=f"Such as {name}=0.4.") from error
        return replace(selection, min_score=tuple(lowest))
    except UsageError:
        raise
    except ValueError as error:
        raise UsageError(str(error), fix="Scores and overlaps lie in 0..1, --top-k from 1 on.") from error
