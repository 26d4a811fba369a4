"""`ssd300 serve`: a page and an HTTP API for a detector."""

import os
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ssd300.cli.options import Weights, device_for, say
from ssd300.errors import UsageError

if TYPE_CHECKING:
    from ssd300.detection.detector import Detector
    from ssd300.serve import ServeSettings

TOKEN = "SSD300_TOKEN"
LOOPBACK = ("127.", "localhost", "::1")
MEGA = 1_000_000
OPTIONS = {  # of `ServeSettings`, as they are typed
    "max_images": "--max-images",
    "root_path": "--root-path",
    "token": "--token",
    "cors_origins": "--cors-origin",
}


def serve(
    *,
    weights: Weights,
    host: str = "127.0.0.1",
    port: int = 8300,
    workers: int = 1,
    threads: int | None = None,
    batch_size: int = 8,
    queue: int = 128,
    timeout: float = 30.0,
    max_megabytes: float = 32.0,
    max_megapixels: float = 50.0,
    max_images: int | None = None,
    root_path: str = "",
    token: str | None = None,
    cors_origin: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    device: str = "auto",
    precision: Literal["float32", "bfloat16"] = "float32",
) -> None:
    """Serve a page to drop images on, and an HTTP API, until Ctrl-C or SIGTERM.

    Parameters
    ----------
    weights
        A run folder, a .safetensors file, a name, or an exported .onnx or .xml file.
    host
        Where to listen: this machine alone, or '0.0.0.0' for all that reach it.
    port
        0 takes a free one.
    workers
        Processes, each with weights of its own.
    threads
        Of the network in each process; left out, the cores are shared among the processes.
    batch_size
        Most images that go through the network at once, when they wait together.
    queue
        Most images that are taken in and not answered yet; beyond that, requests get 503.
    timeout
        Seconds for a request to arrive, and again for its answer.
    max_megabytes
        Largest body of a request.
    max_megapixels
        Largest image.
    max_images
        Most images of one request; left out, 16, or what the queue takes.
    root_path
        Where a proxy puts the server, such as '/detector'.
    token
        The API asks for it, as 'Authorization: Bearer TOKEN'; better set SSD300_TOKEN, as others can read options.
    cors_origin
        Pages of other servers whose scripts may call the API, such as 'https://example.org'.
    device
        'auto', 'cpu', 'cuda' or 'mps'.
    precision
        Of the network in torch; exported files have their own.
    """
    for option, value, least in (
        ("--workers", workers, 1),
        ("--threads", threads, 1),
        ("--batch-size", batch_size, 1),
        ("--queue", queue, 1),
        ("--max-images", max_images, 1),
        ("--timeout", timeout, 0.001),
        ("--max-megabytes", max_megabytes, 0.001),
        ("--max-megapixels", max_megapixels, 0.001),
    ):
        if value is not None and not least <= value < float("inf"):
            raise UsageError(f"{option} is {value}; it must be {least} or more", fix="See `ssd300 serve --help`.")
    try:
        from ssd300.serve import ServeSettings
        from ssd300.serve.running import Source, run
    except ImportError as error:
        raise UsageError(
            f"the server needs more than is installed ({error.name})", fix="pip install 'ssd300[serve]'"
        ) from error
    from ssd300.detection.detector import is_exported
    from ssd300.serve.settings import MOST_IMAGES
    from ssd300.system.processors import processors

    if is_exported(weights) and precision != "float32":
        raise UsageError("--precision is for weights in torch", where=weights, fix="An exported file has its own.")
    try:
        settings = ServeSettings(
            batch_size=batch_size,
            queue=queue,
            timeout_s=timeout,
            max_bytes=int(max_megabytes * MEGA),
            max_pixels=int(max_megapixels * MEGA),
            max_images=min(MOST_IMAGES, queue) if max_images is None else max_images,
            root_path=root_path,
            token=token if token is not None else os.environ.get(TOKEN) or None,
            cors_origins=cors_origin,
        )
    except ValueError as error:
        name, *rest = str(error).split(maxsplit=1)
        option = OPTIONS.get(name, name)
        raise UsageError(" ".join((option, *rest)), fix="See `ssd300 serve --help`.") from error
    if threads is None and workers > 1:
        threads = max(processors() // workers, 1)
    run(
        Source(weights=weights, device=device_for(weights, device), precision=precision, threads=threads),
        settings,
        host=host,
        port=port,
        workers=workers,
        started=lambda detector, address: say(_greeting(detector, address, settings, host)),
    )


def _greeting(detector: "Detector", address: str, settings: "ServeSettings", host: str) -> list[str]:
    classes = detector.card.classes
    lines = [
        f"{detector.card.model}, {len(classes)} classes: {', '.join(classes)}",
        f"page {address}{settings.root_path}/  API {address}{settings.root_path}/docs",
    ]
    if not host.startswith(LOOPBACK) and settings.token is None:
        lines.append(f"anyone who reaches {host} can use it; {TOKEN} or --token asks for a token")
    return lines
