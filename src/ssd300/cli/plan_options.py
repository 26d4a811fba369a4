"""What `ssd300 plan` assumes: each number of it as an option, with its unit as it is typed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from ssd300.cli.help import ASSUMED
from ssd300.cli.mistakes import Mistakes, option
from ssd300.detection.bulk.cost import Assumptions
from ssd300.system.quantities import in_bits_per_second, in_bytes, parse_bytes, parse_rate

N, NUMBER = Parameter(metavar="N"), Parameter(metavar="NUMBER")
Size, Rate = Parameter(metavar="SIZE"), Parameter(metavar="RATE")
PARSERS: dict[str, Callable[[str], float]] = {"network": parse_rate, "memory": parse_bytes, "image_bytes": parse_bytes}


@Parameter(name="*", group=ASSUMED)
@dataclass(frozen=True, kw_only=True)
class AssumptionOptions:
    """What is assumed.

    Parameters
    ----------
    cores_per_machine
        Processors of a machine, as clouds sell them: each runs a detector with one thread.
    efficiency
        What a detector keeps of its speed while all processors of its machine work. Where two share a core, far below
        1.
    network
        Network of a machine.
    memory
        Memory of the machine that plans and counts.
    price_per_hour
        What a machine costs in an hour, in your currency. 0 prints no price.
    images_per_second
        Images per second of one detector alone, with one thread. Default: measured.
    image_bytes
        Size of an image's file. Default: the mean of your images, or of photos of COCO where none are named.
    detections_per_image
        Detections per image. Default: measured.
    images_per_file
        1: each image is a file. More: they are packed into tar files of so many.
    chunk_images
        Images per part file, as of `ssd300 detect`. A tar file has one part.
    store_requests
        Reads per second that the store answers. Amazon promises the default for a prefix of S3.
    store_latency
        Seconds until the store answers a request.
    files_per_folder
        Files in one folder that can still be listed.
    chunk_seconds
        Seconds of a detector's work that a kill may cost.
    """

    cores_per_machine: Annotated[int, N] = Assumptions.cores_per_machine
    efficiency: Annotated[float, NUMBER] = Assumptions.efficiency
    network: Annotated[str, Rate] = in_bits_per_second(Assumptions.network)
    memory: Annotated[str, Size] = in_bytes(Assumptions.memory)
    price_per_hour: Annotated[float, NUMBER] = Assumptions.price_per_hour
    images_per_second: Annotated[float | None, NUMBER] = None
    image_bytes: Annotated[str | None, Size] = None
    detections_per_image: Annotated[float | None, NUMBER] = None
    images_per_file: Annotated[int, N] = Assumptions.images_per_file
    chunk_images: Annotated[int, N] = Assumptions.chunk_images
    store_requests: Annotated[float, NUMBER] = Assumptions.store_requests
    store_latency: Annotated[float, NUMBER] = Assumptions.store_latency
    files_per_folder: Annotated[int, N] = Assumptions.files_per_folder
    chunk_seconds: Annotated[float, NUMBER] = Assumptions.chunk_seconds

    def values(self, mistakes: Mistakes) -> dict[str, Any]:
        """By their fields of `Assumptions`, without those to be measured. A text that is no amount is a mistake."""
        values: dict[str, Any] = {}
        for name, value in vars(self).items():
            if isinstance(value, str):
                try:
                    values[name] = PARSERS[name](value)
                except ValueError as error:
                    mistakes.add(f"{option(name)}: {error}", fix="See `ssd300 plan --help`.")
            elif value is not None:
                values[name] = value
        return values

    def given(self) -> frozenset[str]:
        """The names of those that are not as they are by default."""
        return frozenset(name for name, value in vars(self).items() if value != getattr(AssumptionOptions, name))
