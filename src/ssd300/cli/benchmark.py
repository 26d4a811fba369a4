"""`ssd300 benchmark`: the speed of weights on this machine, and the settings that run them fastest."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from ssd300.cli.early_checks import check_counts, check_device, check_weights
from ssd300.cli.mistakes import Mistakes
from ssd300.cli.options import (
    Device,
    Json,
    MinScore,
    SeveralOf,
    Switch,
    Usual,
    Weights,
    print_json,
    say,
    say_device,
)
from ssd300.cli.progress import image_progress
from ssd300.detection.defaults import MIN_SCORE
from ssd300.errors import DataError
from ssd300.system.temporary import temporary_folder
from ssd300.system.wording import plural

if TYPE_CHECKING:
    from ssd300.detection.benchmark import Setting, SpeedReport

MOST = 32  # images
BATCHES = (1, 4, 8)


def benchmark(
    *source: str,
    weights: Weights,
    batch_size: Annotated[tuple[int, ...], SeveralOf, Usual] = BATCHES,
    threads: Annotated[tuple[int, ...], SeveralOf, Usual] = (),
    precision: Annotated[tuple[Literal["float32", "bfloat16"], ...], SeveralOf, Usual] = (),
    compile: Annotated[Switch, Usual] = False,  # noqa: A002  # the option's name
    rounds: Annotated[int, Usual] = 5,
    min_score: Annotated[float, MinScore, Usual] = MIN_SCORE,
    device: Device = "auto",
    json_: Json = False,
) -> None:
    """Time detection on this machine, and find the fastest settings.

    Parameters
    ----------
    source
        Images of the kind to detect on, as for `ssd300 detect`. Default: synthetic ones.
    weights
        A run folder, a .safetensors file, a name, or an exported .onnx or .xml file.
    batch_size
        Batch sizes to time.
    threads
        Numbers of threads to time. Default: one and all.
    precision
        Precisions to time; an exported file has its own. Default: float32, and bfloat16 if the processor has it.
    compile
        Time torch.compile too, and print how long compiling takes.
    rounds
        How often each setting is timed, in turns with the others.
    min_score
        Confidence threshold: the more detections there are, the longer selecting takes.
    device
        auto, cpu, cuda or mps; auto takes a GPU if there is one.
    json_
        Print one JSON object and nothing else.
    """
    from ssd300.types import Selection

    mistakes = Mistakes()
    numbers = {"--batch-size": batch_size, "--threads": threads, "--rounds": (rounds,)}
    check_counts(mistakes, ((option, min(values, default=1)) for option, values in numbers.items()), "benchmark")
    mistakes.built(Selection, {"min_score": min_score}, fix="See `ssd300 benchmark --help`.")
    check_device(mistakes, weights, device)
    check_weights(mistakes, weights)
    mistakes.raise_all()
    from ssd300.detection.benchmark import Grid, Networks, measure
    from ssd300.detection.detector import DISPLAY

    say_device(weights, device)
    networks = Networks(weights, device, lambda line: say([line]))
    grid = Grid(batch_sizes=batch_size, threads=threads, precisions=precision, compiled=compile)
    with temporary_folder() as temporary, image_progress(0, 0, what="timing", unit="timings") as progress:
        report = measure(
            networks,
            _images(source, temporary),
            grid,
            replace(DISPLAY, min_score=min_score),
            rounds=rounds,
            progress=progress,
        )
    if json_:
        print_json(report.to_dict())
    else:
        _print(report)


def _images(source: Sequence[str], temporary: Path) -> list[Path]:
    """The image files of the sources, or synthetic images in `temporary` where no source is named."""
    from ssd300.detection.sources import find_sources

    if not source:
        from ssd300.data.synthetic import write_synthetic_dataset

        say([f"no images were named: {MOST} synthetic ones are used"])
        write_synthetic_dataset(temporary, train=0, test=MOST)
        source = [str(temporary / "JPEGImages")]
    paths = [one for one in find_sources(source) if isinstance(one, Path)][:MOST]
    if not paths:
        raise DataError("no image was named", fix="Name image files; a benchmark takes no video or address.")
    return paths


def _print(report: "SpeedReport") -> None:
    from ssd300.system.memory import gigabytes

    setting, stages = report.stages_setting, report.stages_ms
    threads, images = plural(setting.threads, "thread"), plural(report.images, "image")
    lines = [f"one image, {threads}, {setting.precision}, median of {images}:"]
    lines += [f"  {stage:<12}{ms:8.2f} ms" for stage, ms in (stages | {"together": sum(stages.values())}).items()]
    lines += ["", "decoded images to detections, images/s (slowest to fastest round):"]
    lines.append(f"  {'precision':<20}{'threads':>8}{'batch':>7}{'images/s':>10}")
    for speed in report.speeds:
        how = speed.setting.precision + (", compiled" if speed.setting.compiled else "")
        spread = f"({speed.slowest:.1f} to {speed.fastest:.1f})"
        where = f"{speed.setting.threads:>8}{speed.setting.batch:>7}"
        lines.append(f"  {how:<20}{where}{speed.images_per_second:>10.1f}  {spread}")
    lines += ["", f"peak memory of this process: {gigabytes(report.peak_memory_bytes)}"]
    lines.append(f"fastest: {_in_words(report.recommended.setting)}")
    if (quickest := report.quickest_answer) is not None:
        ms = 1e3 / quickest.images_per_second
        lines.append(f"quickest for one image at a time: {_in_words(quickest.setting)}, {ms:.1f} ms")
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _in_words(setting: "Setting") -> str:
    compiled = ", compiled" if setting.compiled else ""
    return f"{setting.precision}{compiled}, {plural(setting.threads, 'thread')}, batches of {setting.batch}"
