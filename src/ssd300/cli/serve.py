"""`ssd300 serve`: a page and an HTTP API for a detector."""

import os
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ssd300.cli.early_checks import check_counts, check_device, check_weights
from ssd300.cli.mistakes import Mistakes
from ssd300.cli.options import Weights, say
from ssd300.errors import UsageError, install_hint
from ssd300.serve.settings import ServeSettings

if TYPE_CHECKING:
    from ssd300.detection.detector import Detector

TOKEN = "SSD300_TOKEN"
OPTION_NAMES = {"timeout_s": "--timeout", "cors_origins": "--cors-origin"}  # of fields of ServeSettings
LOOPBACK = ("127.", "localhost", "::1")


def serve(
    *,
    weights: Weights,
    host: str = "127.0.0.1",
    port: int = 8300,
    workers: int = 1,
    threads: int | None = None,
    batch_size: int = ServeSettings.batch_size,
    queue: int = ServeSettings.queue,
    timeout: float = ServeSettings.timeout_s,
    max_megabytes: float = ServeSettings.max_megabytes,
    max_megapixels: float = ServeSettings.max_megapixels,
    max_images: int | None = ServeSettings.max_images,
    root_path: Annotated[str, Parameter(show_default=False)] = ServeSettings.root_path,
    token: str | None = None,
    cors_origin: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="", show_default=False)] = (),
    device: str = "auto",
    precision: Literal["float32", "bfloat16"] | None = None,
) -> None:
    """Serve a web page for images and an HTTP API, until Ctrl-C or SIGTERM.

    Parameters
    ----------
    weights
        A run folder, a .safetensors file, a name, or an exported .onnx or .xml file.
    host
        The address to listen on: by default only this machine; '0.0.0.0' for everyone who can reach it.
    port
        The port to listen on; 0 takes a free one.
    workers
        Processes, each with its own copy of the weights.
    threads
        Threads of the network in each process; by default the processes share the cores.
    batch_size
        Maximum number of images that go through the network together, when they wait at the same time.
    queue
        Maximum number of images accepted and not answered yet; further requests get 503.
    timeout
        Seconds for a request to arrive, and again for its answer.
    max_megabytes
        Largest body of a request.
    max_megapixels
        Largest image.
    max_images
        Maximum number of images per request; by default 16, or the queue's size if that is smaller.
    root_path
        The path under which a proxy serves it, such as '/detector'; by default none.
    token
        The API requires it, as 'Authorization: Bearer TOKEN'; by default SSD300_TOKEN, which others cannot read.
    cors_origin
        Other websites whose scripts may call the API, such as 'https://example.org'; by default none.
    device
        'auto', 'cpu', 'cuda' or 'mps'.
    precision
        Precision of the network in torch; by default float32. An exported file has its own.
    """
    try:
        from ssd300.serve.process import Source
        from ssd300.serve.running import LARGEST_PORT, run
    except ImportError as error:
        raise UsageError(
            f"the server needs a package that is missing ({error.name})", fix=install_hint("serve")
        ) from error
    mistakes = Mistakes()
    limits = {
        "batch_size": batch_size,
        "queue": queue,
        "timeout_s": timeout,
        "max_megabytes": max_megabytes,
        "max_megapixels": max_megapixels,
        "max_images": max_images,
        "root_path": root_path,
        "token": token if token is not None else os.environ.get(TOKEN) or None,
        "cors_origins": cors_origin,
    }
    settings = mistakes.built(ServeSettings, limits, fix="See `ssd300 serve --help`.", names=OPTION_NAMES)
    make_source = partial(Source, weights=weights, device=device, precision=precision)
    source = mistakes.built(make_source, {"threads": threads}, fix="See `ssd300 serve --help`.")
    if workers < 1:
        check_counts(mistakes, [("--workers", workers)], "serve")
    else:
        source = source.shared_among(workers)
    if not 0 <= port <= LARGEST_PORT:
        mistakes.add(f"--port is {port}", fix=f"Name one in 0..{LARGEST_PORT}; 0 takes a free one.")
    check_device(mistakes, weights, device)
    check_weights(mistakes, weights)
    mistakes.raise_all()
    run(
        source,
        settings,
        host=host,
        port=port,
        workers=workers,
        started=lambda detector, address: say(_greeting(detector, address, settings, host)),
    )


def _greeting(detector: "Detector", address: str, settings: ServeSettings, host: str) -> list[str]:
    classes = detector.card.classes
    lines = [
        f"{detector.card.model}, {len(classes)} classes: {', '.join(classes)}",
        f"page {address}{settings.root_path}/  API {address}{settings.root_path}/docs",
    ]
    if not host.startswith(LOOPBACK) and settings.token is None:
        lines.append(f"anyone who can reach {host} can use it; {TOKEN} or --token requires a token")
    return lines
