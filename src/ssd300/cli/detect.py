"""`ssd300 detect`: boxes, names and scores on copies of images and videos, and `detections.jsonl`."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ssd300.cli.detect_bulk import Command, JobOptions, detect_as_job
from ssd300.cli.detect_parts import check_classes, compiled_batch, load, scores_of, selection_of
from ssd300.cli.detect_summary import at_the_limit, pages_noted, raise_for_skipped, result_lines, summary
from ssd300.cli.early_checks import check_counts, check_device, check_outputs, check_weights
from ssd300.cli.help import SELECTION, SPEED, VIDEOS
from ssd300.cli.mistakes import Mistakes
from ssd300.cli.options import (
    Classes,
    Device,
    Json,
    MaxOverlap,
    MinScore,
    Out,
    Overwrite,
    Several,
    SeveralOf,
    Switch,
    TopK,
    Usual,
    Weights,
    print_json,
    say,
)
from ssd300.cli.out_folder import check_is_folder_name
from ssd300.cli.progress import image_progress
from ssd300.cli.video_checks import check_of_videos
from ssd300.detection.defaults import BATCH, MAX_OVERLAP, TOP_K
from ssd300.errors import as_text
from ssd300.system.wording import on_one_line, some

if TYPE_CHECKING:
    from ssd300.detection.sources import Source

Kept, OfSpeed, OfVideos = Parameter(group=SELECTION), Parameter(group=SPEED), Parameter(group=VIDEOS)
Saved = Literal[
    "image", "jsonl", "json", "csv", "coco", "coco-annotations", "yolo", "yolo-scores", "voc", "comp4", "crops",
    "parquet",
]  # fmt: skip
SAVED: tuple[Saved, ...] = ("image", "jsonl")  # where --save is left out
FolderOrAddress = Annotated[str, Out, Parameter(metavar="FOLDER", validator=check_is_folder_name)]


def detect(
    *source: str,
    weights: Weights,
    out: FolderOrAddress | None = None,
    min_score: Annotated[float | None, MinScore, Usual] = None,
    min_score_of: Annotated[tuple[str, ...], Several, Kept, Parameter(metavar="CLASS=SCORE...")] = (),
    max_overlap: Annotated[float, MaxOverlap, Kept] = MAX_OVERLAP,
    top_k: Annotated[int, TopK, Kept] = TOP_K,
    save: Annotated[tuple[Saved, ...], SeveralOf, Usual] = SAVED,
    only: Annotated[tuple[str, ...], Classes, Kept] = (),
    suppress: Annotated[tuple[str, ...], Classes, Kept] = (),
    tile: Annotated[int | None, Usual, Parameter(metavar="PIXELS")] = None,
    frames: Annotated[int | None, OfVideos] = None,
    every: Annotated[int | None, OfVideos, Parameter(metavar="N")] = None,
    fps: Annotated[float | None, OfVideos, Parameter(metavar="N")] = None,
    track: Annotated[Switch, OfVideos] = False,
    batch_size: Annotated[int, OfSpeed] = BATCH,
    device: Device = "auto",
    precision: Annotated[Literal["float32", "bfloat16"] | None, OfSpeed] = None,
    compile: Annotated[Switch, OfSpeed] = False,  # noqa: A002  # the option's name
    job: JobOptions = JobOptions(),  # frozen
    overwrite: Overwrite = False,
    json_: Json = False,
) -> None:
    """Detect objects in images, folders, videos and camera streams.

    Parameters
    ----------
    source
        Images, videos, folders, zip and tar archives, patterns such as 'photos/*.jpg', text files that list paths, -
        for paths or one image on standard input, http, https and rtsp addresses, or cameras, such as camera:0.
    weights
        A run folder, a .safetensors file, a name, or an exported .onnx or .xml file.
    out
        The folder for all files; for a job on millions of images also an address. After an interrupt the same command
        resumes there. Default: detections, or the first of detections-2, detections-3 and so on that is free.
    min_score
        Confidence threshold: less likely objects are left out. Default: those in the weights, which `ssd300 thresholds`
        stores, or else 0.2.
    min_score_of
        Confidence thresholds of single classes, such as dog=0.4.
    max_overlap
        NMS IoU: a box that overlaps a better one of its class by more is removed.
    top_k
        Maximum number of detections per image.
    save
        What to write, one or more; image is the annotated images and videos. parquet is a job on millions of images.
    only
        Keep the detections of these classes alone. Default: all classes.
    suppress
        Classes whose detections are dropped.
    tile
        Also detect on overlapping tiles of this many pixels a side, for small objects. Default: no tiles.
    frames
        Maximum number of frames of each video or camera that are looked at. Default: all.
    every
        Look at every Nth frame of videos and cameras. Default: each one.
    fps
        Look at N frames a second of videos and cameras, at most. Default: all.
    track
        Number the objects of videos and cameras, so that each keeps its number (the extra track).
    batch_size
        Images that go through the network together.
    device
        auto, cpu, cuda or mps; auto takes a GPU if there is one.
    precision
        Precision of the network; an exported file has its own. Default: float32.
    compile
        Compile the network with torch.compile first; worth it for many images.
    job
        How a job on millions of images is done.
    overwrite
        Write into a folder that is not empty.
    json_
        Print the detections as one JSON object and nothing else.
    """
    from ssd300.detection.output_folder import check_folder
    from ssd300.detection.output_names import check_sources_stay
    from ssd300.detection.sources import find_sources
    from ssd300.detection.video_names import check_readable
    from ssd300.types import Selection

    mistakes = Mistakes()
    check_counts(
        mistakes, (("--tile", tile), ("--frames", frames), ("--every", every), ("--batch-size", batch_size)), "detect"
    )
    limits = {"min_score": min_score, "max_overlap": max_overlap, "top_k": top_k}
    mistakes.built(Selection, limits, fix="See `ssd300 detect --help`.")
    own = scores_of(mistakes, min_score_of)
    if job.is_wanted(save):
        command = Command(
            sources=source, weights=weights, out=out, limits=limits, own=own, only=only, suppress=suppress, tile=tile,
            batch_size=batch_size, device=device, precision=precision, save=None if save is SAVED else save,
            overwrite=overwrite, as_json=json_,
        )  # fmt: skip
        others = {"--frames": frames, "--every": every, "--fps": fps, "--track": track, "--compile": compile}
        detect_as_job(mistakes, command, job, misplaced=[name for name, value in others.items() if value])
        return
    job.check_left_out(mistakes, out)
    if not save and not json_:
        mistakes.add("--save names no format", fix="Name some, or omit it for image and jsonl.")
    folder_path = None if out is None else Path(out)
    if folder_path is not None:
        with mistakes.caught():
            check_folder(folder_path, overwrite=overwrite)
    check_device(mistakes, weights, device)
    sources: list[Source] = []
    not_images: list[str] = []
    with mistakes.caught():
        sources = find_sources(source, not_images.append)
        check_readable(sources)
    check_of_videos(mistakes, sources, every=every, fps=fps, track=track)
    if "image" in save and folder_path is not None:
        with mistakes.caught():
            check_sources_stay(sources, folder_path)
    classes = check_weights(mistakes, weights)
    if classes:
        check_classes(mistakes, classes, only, suppress, own)
        check_outputs(mistakes, save, classes)
    mistakes.raise_all()

    from ssd300.detection.detector import Detector
    from ssd300.detection.frame_choice import FrameChoice
    from ssd300.detection.output_folder import DetectionFolder, open_usual_folder
    from ssd300.detection.run import DetectionRun, content_key
    from ssd300.detection.run_options import RunOptions
    from ssd300.detection.tiles import TiledNetwork

    network = load(weights, device, precision, compile_for=compiled_batch(compile, batch_size, tile))
    detector = Detector(network if tile is None else TiledNetwork(network, tile))
    check_classes(mistakes, detector.card.classes, only, suppress, own)  # again: those of a download are known only now
    check_outputs(mistakes, save, detector.card.classes)
    mistakes.raise_all()
    options = RunOptions(
        selection=selection_of(detector, min_score, own, max_overlap, top_k),
        save=save,  # type: ignore[arg-type]  # parquet is a job's
        suppress=(*suppress, *(name for name in detector.card.classes if only and name not in only)),
        batch_size=batch_size,
        frames=FrameChoice(every=every or 1, per_second=fps, most=frames),
        track=track,
    )
    say([*not_images, *(_without_font(detector.card.classes) if "image" in save else [])])
    key = content_key(detector, sources, options, weights=weights, tile=tile, precision=precision)
    if folder_path is None:
        stay = partial(check_sources_stay, sources if "image" in save else [])
        folder = open_usual_folder(key, stay, overwrite=overwrite)
        folder_path = folder.folder
    else:
        folder = DetectionFolder(folder_path, key, overwrite=overwrite)
    if folder.done:
        say([f"resuming: {len(folder.done)} of {len(sources)} are done"])
    run = DetectionRun(detector, sources, folder, options, lambda line: say([line]))
    with run.resumable():
        with image_progress(run.expected, run.done) as progress:
            interruption = run.run(progress)
        rows = [row for _, row in folder.rows()] if json_ else []
        lines = [] if json_ else [f"{on_one_line(line)}\n" for line in result_lines(run, folder_path)]
        notes = [*pages_noted(run), *at_the_limit(run, top_k), f"{summary(run)}; written to {folder_path}"]
    if json_:
        print_json({"images": rows, "skipped": [as_text(sources[number]) for number in sorted(folder.skipped)]})
    else:
        sys.stdout.writelines(lines)
    say(notes)
    if interruption is not None:
        raise interruption
    raise_for_skipped(run, folder)


def _without_font(classes: Sequence[str]) -> list[str]:
    """A line on the classes whose names cannot be drawn; none if there are none."""
    from ssd300.errors import install_hint
    from ssd300.images.fonts import undrawable

    names = undrawable(classes)
    if not names:
        return []
    return [
        f"no font here has all letters of {some(names)}: images show the number of the class. {install_hint('fonts')}"
    ]
