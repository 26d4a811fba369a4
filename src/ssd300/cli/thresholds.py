"""`ssd300 thresholds`: from which score on each class is to be believed."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ssd300.cli.options import DataOptions, Json, Switch, Weights, print_json, say
from ssd300.errors import UsageError

if TYPE_CHECKING:
    from ssd300.evaluation.thresholds import Thresholds
    from ssd300.metrics.operating_point import Wanted


def thresholds(
    *data: Path,
    weights: Weights,
    precision: float | None = None,
    recall: float | None = None,
    out: Path | None = None,
    in_place: Switch = False,
    overwrite: Switch = False,
    max_overlap: Annotated[float, Parameter(name=["--max-overlap", "--iou"])] = 0.5,
    reading: DataOptions = DataOptions(),  # noqa: B008  # frozen
    on_bad_image: Literal["error", "skip"] = "error",
    device: str = "auto",
    json_: Json = False,
) -> None:
    """Choose the lowest score of each class on held-out images, and keep it in the weights.

    Without --precision or --recall it is the score with the best F1. Detection uses the scores that the weights hold,
    unless it is given another.

    Parameters
    ----------
    data
        PASCAL VOC folders, joined, or COCO annotations, YOLO data, lists; the test or val split is taken.
    weights
        A run folder or a .safetensors file.
    precision
        At least this share of the detections is to be true; the most recall is taken.
    recall
        At least this share of the objects is to be found; the most precision is taken.
    out
        A new weights file with the scores.
    in_place
        Write the scores into the weights file itself.
    overwrite
        Replace the file that --out names.
    max_overlap
        A box that overlaps a better one of its class by more is suppressed: as in detection later.
    reading
        How the dataset is read.
    on_bad_image
        What an image that cannot be read gets; 'skip' leaves it and its objects out, and counts it.
    device
        'auto', 'cpu', 'cuda' or 'mps'.
    json_
        Print one JSON object and nothing else.
    """
    target = _target(weights, out, in_place=in_place, overwrite=overwrite)
    from ssd300.detection.backends import is_exported
    from ssd300.detection.detector import Detector
    from ssd300.detection.torch_network import TorchNetwork
    from ssd300.evaluation.thresholds import choose_thresholds
    from ssd300.system.device import choose_device
    from ssd300.weights import load_weights, save_weights

    wanted = _wanted(precision, recall)
    if is_exported(weights):
        raise UsageError(
            "an exported file cannot take scores", where=weights, fix="Choose them for the weights, then export again."
        )
    model, card = load_weights(weights)
    detector = Detector(TorchNetwork(model, card, device=choose_device(device)))
    dataset = reading.load(data, "test")
    chosen = choose_thresholds(detector, dataset, wanted, max_overlap=max_overlap, on_bad_image=on_bad_image)
    say(f"skipped: {image}" for image in chosen.report.skipped)
    if chosen.trained_on:
        say(["the weights were trained on these images: on others precision and recall will be lower"])
    if target is not None:
        save_weights(target, model, chosen.stored_in(card))
    if json_:
        print_json({**chosen.to_dict(), "weights": None if target is None else str(target)})
        return
    _print(chosen)
    kept = "nothing was written: name --out FILE.safetensors, or --in-place" if target is None else f"kept in {target}"
    sys.stdout.write(f"\n{chosen.wanted}, {chosen.report.images} images; {kept}\n")


def _target(weights: str, out: Path | None, *, in_place: bool, overwrite: bool) -> Path | None:
    if out is not None and in_place:
        raise UsageError("--out and --in-place exclude each other", fix="Give one of them.")
    if in_place:
        from ssd300.weights import resolve_weights

        if not Path(weights).exists():
            raise UsageError("published weights stay as they are", where=weights, fix="Name --out FILE.safetensors.")
        return resolve_weights(weights)
    if out is not None and out.suffix != ".safetensors":
        raise UsageError("weights files end in .safetensors", where=out, fix="Name another --out.")
    if out is not None and out.exists() and not overwrite:
        raise UsageError("the file exists", where=out, fix="Name another --out, or add --overwrite.")
    return out


def _wanted(precision: float | None, recall: float | None) -> "Wanted":
    from ssd300.metrics.operating_point import Wanted

    if precision is not None and recall is not None:
        raise UsageError("--precision and --recall exclude each other", fix="Give one; without, it is the best F1.")
    try:
        if precision is not None:
            return Wanted(goal="precision", value=precision)
        return Wanted() if recall is None else Wanted(goal="recall", value=recall)
    except ValueError as error:
        raise UsageError(str(error), fix="Name a share such as 0.9.") from error


def _print(chosen: "Thresholds") -> None:
    width = max(map(len, [*chosen.points, "class"]))
    sys.stdout.write(f"{'class':{width}}  {'score':>6}  {'precision':>9}  {'recall':>6}  {'F1':>6}  {'objects':>8}\n")
    for name, point in chosen.points.items():
        objects = chosen.report.per_class[name].objects
        if point is None:
            sys.stdout.write(f"{name:{width}}  {'-':>6}  {'-':>9}  {'-':>6}  {'-':>6}  {objects:8}\n")
            continue
        note = "" if point.reached else f"  not reached: {chosen.wanted.goal} is at most this"
        sys.stdout.write(
            f"{name:{width}}  {point.min_score:6.3f}  {point.precision:9.3f}  {point.recall:6.3f}  {point.f1:6.3f}  "
            f"{objects:8}{note}\n"
        )
