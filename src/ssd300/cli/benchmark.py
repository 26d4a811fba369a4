"""`ssd300 benchmark`: how fast weights are on this machine, and how to run them fastest."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from ssd300.cli.options import Json, Switch, Weights, device_for, print_json, say
from ssd300.cli.progress import image_progress
from ssd300.errors import DataError, UsageError

if TYPE_CHECKING:
    from ssd300.detection.benchmark import Speed

Several = Parameter(consume_multiple=True, negative="")
MOST = 32  # images
BATCHES = (1, 4, 8)


def benchmark(
    *source: str,
    weights: Weights,
    batch_size: Annotated[tuple[int, ...], Several] = BATCHES,
    threads: Annotated[tuple[int, ...], Several] = (),
    precision: Annotated[tuple[Literal["float32", "bfloat16"], ...], Several] = (),
    compile: Switch = False,  # noqa: A002  # the option's name
    rounds: int = 5,
    min_score: Annotated[float, Parameter(name=["--min-score", "--conf"])] = 0.2,
    device: str = "auto",
    json_: Json = False,
) -> None:
    """Time each stage of detection, and images a second by batch and threads, on this machine.

    Parameters
    ----------
    source
        Images such as will be detected on, as for `ssd300 detect`; left out, drawn ones.
    weights
        A run folder, a .safetensors file, a name, or an exported .onnx or .xml file.
    batch_size
        Batches that are tried.
    threads
        Numbers of threads that are tried; left out, one and all.
    precision
        Of weights in torch; left out, float32, and bfloat16 where the processor has it.
    compile
        Try torch.compile too, and say how long it takes.
    rounds
        Each setting is timed so many times, in turn with the others.
    min_score
        Lowest score of a detection: the more there are, the longer selecting takes.
    device
        'auto', 'cpu', 'cuda' or 'mps'.
    json_
        Print one JSON object and nothing else.
    """
    from ssd300.detection.detector import is_exported
    from ssd300.detection.sources import find_sources

    for option, values in (("--batch-size", batch_size), ("--threads", threads), ("--rounds", (rounds,))):
        if any(value < 1 for value in values):
            raise UsageError(f"{option} is {min(values)}; it must be 1 or more", fix="See `ssd300 benchmark --help`.")
    if is_exported(weights) and (compile or precision):
        raise UsageError(
            "--compile and --precision are for weights in torch", where=weights, fix="An exported file is made already."
        )
    paths = [one for one in find_sources(source) if isinstance(one, Path)][:MOST] if source else []
    where = device_for(weights, device)

    from ssd300.detection.benchmark import Setting, opener, quickest_answer, recommended, stage_ms, throughput
    from ssd300.images.read import read_image
    from ssd300.system.memory import peak_memory_bytes
    from ssd300.system.processors import processors
    from ssd300.types import Selection

    every = sorted(set(threads or (1, processors())))
    selection = Selection(min_score=min_score, max_overlap=0.5)
    open_network = opener(weights, where, lambda line: say([line]))
    first = Setting(batch=1, threads=every[-1], precision=_precisions(weights, where, precision)[0])
    with TemporaryDirectory() as drawn:
        if source and not paths:
            raise DataError("no image was named", fix="Name image files; a benchmark takes no video or address.")
        paths = paths or _drawn(Path(drawn))
        network = open_network(first)
        from ssd300.detection.benchmark import torch_threads

        with torch_threads(first.threads, network):
            stages = stage_ms(network, paths, selection)
        images = [read_image(path) for path in paths]
    settings = [
        Setting(batch=batch, threads=count, precision=name, compiled=made)
        for name in _precisions(weights, where, precision)
        for made in ((False, True) if compile else (False,))
        for count in (every[-1:] if made else every)  # each setting is compiled, which takes long
        for batch in batch_size
    ]
    with image_progress((rounds + 1) * len(settings), 0) as told:
        speeds = throughput(open_network, settings, images, selection, rounds=rounds, progress=told)
    best, quickest = recommended(speeds), quickest_answer(speeds)
    facts = {
        "weights": weights,
        "device": where,
        "images": len(images),
        "stages_ms": stages,
        "stages_setting": asdict(first),
        "throughput": [_row(speed) for speed in speeds],
        "peak_memory_bytes": peak_memory_bytes(),
        "recommended": _row(best),
        "quickest_answer": None if quickest is None else _row(quickest),
    }
    if json_:
        print_json(facts)
    else:
        _print(facts, speeds)


def _row(speed: "Speed") -> dict[str, Any]:
    return asdict(speed.setting) | {
        "images_per_second": speed.images_per_second,
        "ms_per_image": 1e3 / speed.images_per_second,
        "slowest": speed.slowest,
        "fastest": speed.fastest,
    }


def _precisions(weights: str, device: str, asked: Sequence[str]) -> list[str]:
    from ssd300.detection.detector import is_exported

    if is_exported(weights):
        from ssd300.runtime import load_exported

        return [load_exported(Path(weights)).card.precision]
    if asked:
        return list(asked)
    from ssd300.system.environment import cpu_has_bf16

    return ["float32", "bfloat16"] if device != "cpu" or cpu_has_bf16() else ["float32"]


def _drawn(folder: Path) -> list[Path]:
    from ssd300.data.synthetic import write_drawn_dataset
    from ssd300.detection.sources import find_sources

    say([f"no images were named: {MOST} drawn ones are taken"])
    write_drawn_dataset(folder, train=0, test=MOST)
    return [one for one in find_sources([str(folder / "JPEGImages")]) if isinstance(one, Path)]


def _print(facts: dict[str, Any], speeds: Sequence["Speed"]) -> None:
    from ssd300.system.memory import gigabytes

    stages: dict[str, float] = facts["stages_ms"]
    setting = facts["stages_setting"]
    lines = [f"one image, {setting['threads']} threads, {setting['precision']}, median of {facts['images']}:"]
    lines += [f"  {stage:<12}{ms:8.2f} ms" for stage, ms in (stages | {"together": sum(stages.values())}).items()]
    lines += ["", "decoded images to detections, images/s (slowest to fastest round):"]
    lines.append(f"  {'precision':<20}{'threads':>8}{'batch':>7}{'images/s':>10}")
    for speed in speeds:
        how = speed.setting.precision + (", compiled" if speed.setting.compiled else "")
        spread = f"({speed.slowest:.1f} to {speed.fastest:.1f})"
        where = f"{speed.setting.threads:>8}{speed.setting.batch:>7}"
        lines.append(f"  {how:<20}{where}{speed.images_per_second:>10.1f}  {spread}")
    lines += ["", f"peak memory of this process: {gigabytes(facts['peak_memory_bytes'])}"]
    lines.append(f"fastest: {_words(facts['recommended'])}")
    if facts["quickest_answer"] is not None:
        one = facts["quickest_answer"]
        lines.append(f"quickest for one image at a time: {_words(one)}, {one['ms_per_image']:.1f} ms")
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _words(row: dict[str, Any]) -> str:
    made = ", compiled" if row["compiled"] else ""
    return f"{row['precision']}{made}, {row['threads']} threads, batches of {row['batch']}"
