"""`ssd300 thresholds`: a confidence threshold per class, chosen on held-out images."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ssd300.cli.early_checks import check_device, check_weights
from ssd300.cli.mistakes import Mistakes, of_option
from ssd300.cli.next_steps import next_steps
from ssd300.cli.options import (
    DataOptions,
    DetectingOptions,
    Json,
    MaxOverlap,
    OutFile,
    Overwrite,
    Switch,
    Usual,
    Weights,
    print_json,
    say,
    say_device,
    words_of,
)
from ssd300.detection.defaults import MAX_OVERLAP
from ssd300.errors import UsageError
from ssd300.reporting.next_steps import command
from ssd300.system.files import check_file_free
from ssd300.system.progress import shown
from ssd300.system.wording import plural

SAME = 0.001  # as they are printed

if TYPE_CHECKING:
    from ssd300.detection.network import Described
    from ssd300.evaluation.thresholds import Thresholds
    from ssd300.metrics.operating_point import Wanted


def thresholds(
    *data: Path,
    weights: Weights,
    precision: Annotated[float | None, Usual] = None,
    recall: Annotated[float | None, Usual] = None,
    out: OutFile | None = None,
    in_place: Annotated[Switch, Usual] = False,
    overwrite: Overwrite = False,
    max_overlap: Annotated[float, MaxOverlap, Usual] = MAX_OVERLAP,
    reading: DataOptions = DataOptions(),  # frozen
    detecting: DetectingOptions = DetectingOptions(),  # frozen
    json_: Json = False,
) -> None:
    """Choose a confidence threshold per class on held-out images.

    Parameters
    ----------
    data
        PASCAL VOC folders, COCO annotations, YOLO data or folders of lists; several of one format are joined.
    weights
        A run folder, a .safetensors file, or a name of published weights.
    precision
        Choose the most recall with at least this precision, 0..1. Default: the best F1.
    recall
        Choose the most precision with at least this recall, 0..1. Default: the best F1.
    out
        Write the weights with the thresholds to this .safetensors file. Default: nothing is written.
    in_place
        Write the thresholds into the weights file itself.
    overwrite
        Replace the file that --out names.
    max_overlap
        NMS IoU: a box is removed if its IoU with a better box of its class is above it. Use that of detection.
    reading
        How the dataset is read.
    detecting
        How the weights detect.
    json_
        Print one JSON object and nothing else.
    """
    from ssd300.types import Selection

    mistakes = Mistakes()
    target = out
    with mistakes.caught():
        target = _target(weights, out, in_place=in_place, overwrite=overwrite)
    wanted = _wanted(mistakes, precision, recall)
    mistakes.built(Selection, {"max_overlap": max_overlap}, fix="It is an overlap of boxes, such as 0.5.")
    check_device(mistakes, weights, detecting.device)
    from ssd300.detection.backends import backend_for
    from ssd300.detection.detector import Detector
    from ssd300.evaluation.thresholds import choose_thresholds, store_thresholds

    if Path(weights).exists() and not backend_for(weights).stores_thresholds:
        fix = "Use its weights, then export them again."
        mistakes.add("an exported file cannot store thresholds", where=weights, fix=fix)
    with mistakes.caught():
        dataset = reading.load(data, "test")
    check_weights(mistakes, weights)
    mistakes.raise_all()
    say_device(weights, detecting.device)
    with shown("loading the weights"):
        detector = Detector.load(weights, device=detecting.device)
    chosen = choose_thresholds(
        detector, dataset, wanted, max_overlap=max_overlap, on_bad_image=detecting.on_bad_image, progress=shown
    )
    say(f"skipped: {image}" for image in chosen.report.skipped)
    if chosen.trained_on:
        say(["the weights were trained on these images: on others precision and recall will be lower"])
    if target is not None:
        store_thresholds(weights, target, chosen)
    if json_:
        print_json({**chosen.to_dict(), "weights": None if target is None else str(target)})
    else:
        card = detector.card
        _print(chosen, target, card)
        if target is None and not _same(chosen.min_scores, card.min_scores) and chosen.min_scores:
            words = ["thresholds", *data, "--weights", weights, *words_of(reading)]
            if wanted.value is not None:
                words += [f"--{wanted.goal}", f"{wanted.value:g}"]
            if max_overlap != MAX_OVERLAP:
                words += ["--max-overlap", f"{max_overlap:g}"]
            # Published weights stay as they are.
            words += ["--in-place"] if Path(weights).exists() else ["--out", f"{weights}.safetensors"]
            next_steps([(command(*words), "store them, for detect and serve")])


def _target(weights: str, out: Path | None, *, in_place: bool, overwrite: bool) -> Path | None:
    """The file to write, None for none."""
    if out is not None and in_place:
        raise UsageError("--out and --in-place exclude each other", fix="Give one of them.")
    if in_place:
        from ssd300.weights import resolve_weights
        from ssd300.weights.named import NAMED

        if weights in NAMED and not Path(weights).exists():
            raise UsageError("published weights stay as they are", where=weights, fix="Name --out FILE.safetensors.")
        return resolve_weights(weights) if Path(weights).exists() else None  # which the check of the weights says
    if out is not None and out.suffix != ".safetensors":
        raise UsageError(
            "weights files end in .safetensors", where=out, fix=f"Name --out {out.with_suffix('.safetensors')}."
        )
    if out is not None:
        check_file_free(out, "--out", overwrite=overwrite)
    return out


def _wanted(mistakes: Mistakes, precision: float | None, recall: float | None) -> "Wanted":
    from ssd300.metrics.operating_point import Wanted

    if precision is not None and recall is not None:
        mistakes.add("--precision and --recall exclude each other", fix="Give one of them.")
    try:
        if precision is not None:
            return Wanted(goal="precision", value=precision)
        return Wanted() if recall is None else Wanted(goal="recall", value=recall)
    except ValueError as error:
        mistakes.errors.append(of_option(error, fix="Name a share such as 0.9."))
        return Wanted()


def _same(chosen: Mapping[str, float], held: Mapping[str, float]) -> bool:
    return chosen.keys() == held.keys() and all(abs(chosen[name] - held[name]) <= SAME for name in held)


def _print(chosen: "Thresholds", target: Path | None, card: "Described") -> None:
    width = max(map(len, [*chosen.points, "class"]))
    sys.stdout.write(f"{'class':{width}}  {'score':>6}  {'precision':>9}  {'recall':>6}  {'F1':>6}  {'objects':>8}\n")
    for name, point in chosen.points.items():
        objects = chosen.report.per_class[name].objects
        if point is None:
            sys.stdout.write(f"{name:{width}}  {'-':>6}  {'-':>9}  {'-':>6}  {'-':>6}  {objects:8}\n")
            continue
        note = "" if point.reached else f"  not reached: this is the highest {chosen.wanted.goal}"
        sys.stdout.write(
            f"{name:{width}}  {point.min_score:6.3f}  {point.precision:9.3f}  {point.recall:6.3f}  {point.f1:6.3f}  "
            f"{objects:8}{note}\n"
        )
    sys.stdout.write(f"\n{chosen.wanted}, {plural(chosen.report.images, 'image')}; {_stored(chosen, target, card)}\n")


def _stored(chosen: "Thresholds", target: Path | None, card: "Described") -> str:
    """Whether the thresholds are stored, and what the weights hold in place of them."""
    if target is not None:
        return f"stored in {target}"
    if not chosen.min_scores:
        return "there is nothing to store"
    if _same(chosen.min_scores, card.min_scores):
        return "the weights hold these already"
    if not card.min_scores:
        return "not stored"
    now = ", ".join(f"{name} {score:.3f}" for name, score in card.min_scores.items())
    alike = card.source.get("min_scores") == chosen.chosen_by  # such as by training, with the NMS IoU of eval
    return f"not stored: the weights hold {now}" + (", chosen on these images with another NMS IoU" if alike else "")
