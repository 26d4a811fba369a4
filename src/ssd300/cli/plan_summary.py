"""What `ssd300 plan` prints: the answers, the limits with the first one on top, and where each number comes from."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from ssd300.cli.mistakes import option
from ssd300.detection.bulk.cost import BESIDE
from ssd300.system.quantities import HOUR, in_bits_per_second, in_bytes, in_short, in_time
from ssd300.system.wording import plural

if TYPE_CHECKING:
    from ssd300.detection.bulk.cost import Assumptions, Cost, Limit
    from ssd300.detection.bulk.trial import Speed

Origin = Literal["measured", "assumed", "given"]
SHOWN = {
    "bytes": in_bytes,
    "bits/s": in_bits_per_second,
    "requests/s": lambda rate: f"{in_short(rate)} per second",
    "files": in_short,
    "seconds": in_time,
}
MORE_A_PART = "Write more images into a part, or split the job."
TO_DO = {
    "network of a machine": "Machines with more network or fewer processors, or smaller images.",
    "reads of the store": "Pack the images into tar files, or spread them over several prefixes.",
    "memory for the plan": "Pack the images into tar files, or split the job.",
    "memory for the count": "Count on a machine with more memory, or split the job.",
    "part files in one folder": "Write more images into a part, or to an object store.",
    "time of one part": "Write fewer images into a part.",
    "planning and counting": MORE_A_PART,
    BESIDE: MORE_A_PART,
}
# The numbers that the answers rest on, in words, and how they are shown.
WORDS: Mapping[str, tuple[str, Any]] = {
    "images_per_second": ("images/s of one detector alone", in_short),
    "efficiency": ("of it with all processors at work", in_short),
    "cores_per_machine": ("processors of a machine", in_short),
    "image_bytes": ("an image's file", in_bytes),
    "images_per_file": ("images per file", in_short),
    "detections_per_image": ("detections per image", in_short),
    "row_bytes": ("a row without detections", in_bytes),
    "detection_bytes": ("a detection in a row", in_bytes),
    "part_bytes": ("a part file without rows", in_bytes),
    "chunk_images": ("images per part file", in_short),
    "network": ("network of a machine", in_bits_per_second),
    "store_requests": ("reads that the store answers", SHOWN["requests/s"]),
    "store_latency": ("until the store answers", in_time),
    "files_per_folder": ("files in a folder at most", in_short),
    "chunk_seconds": ("work that a kill may cost", in_time),
    "memory": ("memory to plan and count", in_bytes),
    "id_bytes": ("an image in the plan", in_bytes),
    "plan_image_bytes": ("memory of an image while planning", in_bytes),
    "plan_chunk_bytes": ("memory of a part", in_bytes),
    "plan_image_seconds": ("time to plan an image", in_time),
    "count_image_bytes": ("memory of an image while counting", in_bytes),
    "count_image_seconds": ("time to count an image", in_time),
    "count_part_seconds": ("time to count a part, on a disk", in_time),
    "count_part_reads": ("requests to count a part", in_short),
    "price_per_hour": ("price of a machine per hour", in_short),
}


def as_dict(assumptions: "Assumptions", origins: Mapping[str, Origin], speed: "Speed", cost: "Cost") -> dict[str, Any]:
    """Plain values, in the units of `Assumptions` and `Cost`: bytes, bits/s, seconds, hours."""
    values = asdict(assumptions)
    limits = [asdict(limit) | {"share": limit.share} for limit in cost.limits]
    return {
        "images": values.pop("images"),
        "answers": {name: value for name, value in asdict(cost).items() if name != "limits"},
        "breaks_first": limits[0],
        "limits": limits,
        "rests_on": {name: {"value": value, "from": origins[name]} for name, value in values.items()},
        "measurement": asdict(speed),
    }


def print_plan(
    assumptions: "Assumptions",
    origins: Mapping[str, Origin],
    speed: "Speed",
    cost: "Cost",
    asked_hours: float | None,
) -> None:
    first = cost.limits[0]
    lines = [
        *_answers(assumptions, cost, asked_hours),
        "",
        _first(first, assumptions, origins),
        "",
        "limits, of which more than 100 % does not work:",
        *(_row(limit.name, f"{_percent(limit.share)}   {_used(limit)}", "") for limit in cost.limits),
        "",
        "this rests on:",
        *(
            _row(words, show(getattr(assumptions, name)), _origin(name, origins, speed))
            for name, (words, show) in WORDS.items()
            if name != "price_per_hour" or assumptions.price_per_hour
        ),
    ]
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in lines)


def _answers(assumptions: "Assumptions", cost: "Cost", asked_hours: float | None) -> list[str]:
    title = f"{assumptions.images:,} images, {in_short(assumptions.machine_images_per_second)} images/s of a machine"
    if cost.machines is None:
        asked = in_time((asked_hours or 0) * HOUR)
        need = f"{in_time(cost.hours * HOUR)} for planning and counting alone"
        answer = [_row("machines", f"none are enough for {asked}: it takes {need}", "")]
    else:
        parts = ((cost.plan_hours, "planning"), (cost.detect_hours, "detecting"), (cost.count_hours, "counting"))
        of_it = ", ".join(f"{in_time(hours * HOUR)} {name}" for hours, name in parts)
        answer = [
            _row("machines", f"{cost.machines:,}, of {assumptions.cores_per_machine} processors each", ""),
            _row("time", in_time(cost.hours * HOUR), of_it),
            _row("network", f"{in_bits_per_second(cost.network_of_a_machine)} of a machine",
                 f"{in_bits_per_second(cost.network_in_all)} in all"),
        ]  # fmt: skip
        if cost.price:
            answer.append(_row("price", f"{cost.price:,.0f}", f"{cost.machines * cost.hours:,.0f} hours of a machine"))
    return [
        title,
        *answer,
        _row("read", in_bytes(cost.read_bytes), f"{in_short(cost.files_read)} files"),
        _row("written", in_bytes(cost.written_bytes), f"{in_short(cost.rows)} rows in {in_short(cost.parts)} parts"),
        _row("plan", in_bytes(cost.plan_bytes), f"{in_short(cost.plan_files)} files"),
        _row("memory to plan, to count", f"{in_bytes(cost.plan_memory)}, {in_bytes(cost.count_memory)}",
             "on one machine"),
    ]  # fmt: skip


def _first(limit: "Limit", assumptions: "Assumptions", origins: Mapping[str, Origin]) -> str:
    """The limit that is met first, in words, with what it rests on."""
    when = "" if limit.reached_at is None else f", reached at {in_short(limit.reached_at)} images"
    verb = "breaks first" if limit.share > 1 else "nothing breaks; nearest to its limit"
    reasons = ", ".join(
        f"{option(name)} {_typed(name, assumptions)}" if origins[name] != "measured" else f"{WORDS[name][0]} (measured)"
        for name in limit.rests_on
    )
    return (
        f"{verb}: {limit.name}, {_used(limit)} ({_percent(limit.share).strip()}){when}\n"
        f"  rests on {reasons}\n  to do: {TO_DO[limit.name]}"
    )


def _typed(name: str, assumptions: "Assumptions") -> str:
    return str(WORDS[name][1](getattr(assumptions, name)))


def _origin(name: str, origins: Mapping[str, Origin], speed: "Speed") -> str:
    origin = origins[name]
    if origin == "measured":
        if name != "images_per_second":
            return "measured here"
        spread = f"{in_short(speed.slowest)} to {in_short(speed.fastest)} in {plural(speed.rounds, 'round')}"
        return f"measured here: {spread}, {speed.images:,} images in {in_time(speed.seconds)}"
    return f"{origin}: {option(name)}"


def _used(limit: "Limit") -> str:
    show = SHOWN[limit.unit]
    if limit.name == BESIDE:
        return f"{show(limit.used)}, and {show(limit.most)} of detecting"
    return f"{show(limit.used)} of {show(limit.most)}"


def _percent(share: float) -> str:
    number = f"{100 * share:,.0f}" if share >= 0.1 else f"{100 * share:.1f}" if share >= 0.001 else "< 0.1"
    return f"{number:>6} %"


def _row(name: str, value: str, more: str) -> str:
    return f"  {name:<36}{value:<24}  {more}"
