"""`ssd300 serve`: a page and an HTTP API for a detector."""

import os
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ssd300.cli.early_checks import check_counts, check_device, check_weights
from ssd300.cli.help import LIMITS, SPEED
from ssd300.cli.mistakes import Mistakes
from ssd300.cli.options import (
    Device,
    Several,
    Switch,
    Usual,
    Weights,
    say,
)
from ssd300.cli.served import OPTION_NAMES, TOKEN, check_installed, name_of, opened, who, with_port
from ssd300.serve.listening import address_of, bind
from ssd300.serve.settings import ServeSettings
from ssd300.system.wording import plural

if TYPE_CHECKING:
    from ssd300.detection.detector import Detector

OfSpeed, OfLimits = Parameter(group=SPEED), Parameter(group=LIMITS)
SHOWN_CLASSES = 20


def serve(
    *,
    weights: Weights,
    host: Annotated[str, Usual, Parameter(metavar="ADDRESS")] = "127.0.0.1",
    port: Annotated[int, Usual] = 8300,
    open_: Annotated[Switch, Usual, Parameter(name="--open")] = False,
    workers: Annotated[int, OfSpeed] = 1,
    threads: Annotated[int | None, OfSpeed] = None,
    batch_size: Annotated[int, OfSpeed] = ServeSettings.batch_size,
    queue: Annotated[int, OfLimits] = ServeSettings.queue,
    timeout: Annotated[float, OfLimits, Parameter(metavar="SECONDS")] = ServeSettings.timeout_s,
    max_megabytes: Annotated[float, OfLimits] = ServeSettings.max_megabytes,
    max_megapixels: Annotated[float, OfLimits] = ServeSettings.max_megapixels,
    max_images: Annotated[int | None, OfLimits] = ServeSettings.max_images,
    root_path: Annotated[str, OfLimits, Parameter(metavar="PATH")] = ServeSettings.root_path,
    token: Annotated[str | None, Usual] = None,
    cors_origin: Annotated[tuple[str, ...], Several, OfLimits, Parameter(metavar="ADDRESS...")] = (),
    allow_host: Annotated[tuple[str, ...], Several, OfLimits, Parameter(metavar="NAME...")] = (),
    device: Device = "auto",
    precision: Annotated[Literal["float32", "bfloat16"] | None, OfSpeed] = None,
) -> None:
    """Serve a web page for images and an HTTP API, until Ctrl-C.

    Parameters
    ----------
    weights
        A run folder, a .safetensors file, a name, or an exported .onnx or .xml file.
    host
        The address to listen on: 127.0.0.1 is for this machine alone, 0.0.0.0 for everyone who can reach it, :: with
        IPv6 as well.
    port
        The port to listen on; 0 takes a free one.
    open_
        Open the page in the browser of this desktop.
    workers
        Processes, each with the weights in its own memory. One that dies is replaced, with the same weights.
    threads
        Threads of the network in each process. Default: the processes share the cores.
    batch_size
        Maximum number of images that go through the network together, when they wait at the same time.
    queue
        Maximum number of images accepted and not answered yet; further requests get 503.
    timeout
        Seconds for a request to arrive, and again for its answer.
    max_megabytes
        Largest body of a request, in megabytes.
    max_megapixels
        Largest image, in megapixels.
    max_images
        Maximum number of images per request. Default: 16, or --queue if that is less.
    root_path
        The path under which a proxy serves it, such as /detector, whether or not the proxy takes it off.
    token
        Requests need it, as the header `Authorization: Bearer TOKEN`. Default: the environment variable SSD300_TOKEN,
        which other users of this machine cannot read.
    cors_origin
        Other websites whose scripts may call the API, such as https://example.org.
    allow_host
        Further host names by which browsers and proxies reach it, such as detector.example.org or *.example.org; *
        allows all. IP addresses, localhost and this machine's own name need no option.
    device
        auto, cpu, cuda or mps; auto takes a GPU if there is one.
    precision
        Precision of the network; an exported file has its own. Default: float32.
    """
    mistakes = Mistakes()
    with mistakes.caught():
        check_installed("ssd300.serve.running")
    limits = {
        "batch_size": batch_size,
        "queue": queue,
        "timeout_s": timeout,
        "max_megabytes": max_megabytes,
        "max_megapixels": max_megapixels,
        "max_images": max_images,
        "root_path": root_path.rstrip("/"),
        "token": token if token is not None else os.environ.get(TOKEN) or None,
        "cors_origins": cors_origin,
        "allow_hosts": allow_host,
    }
    settings = mistakes.built(ServeSettings, limits, fix="See `ssd300 serve --help`.", names=OPTION_NAMES)
    check_counts(mistakes, [("--workers", workers), ("--threads", threads)], "serve")
    check_device(mistakes, weights, device)
    check_weights(mistakes, weights)
    with ExitStack() as until_end:
        with mistakes.caught():
            words = mistakes.words or ["serve", "--weights", weights]
            listener = until_end.enter_context(bind(host, port, command=partial(with_port, words)))
        mistakes.raise_all()
        from ssd300.serve.process import Source
        from ssd300.serve.running import run

        named = name_of(host)
        settings = replace(settings, allow_hosts=(*settings.allow_hosts, *filter(None, [named])))
        source = Source(weights=weights, device=device, precision=precision, threads=threads).shared_among(workers)

        def started(detector: "Detector") -> None:
            address = address_of(listener) + settings.root_path
            say(_greeting(detector, address, who(listener, named, settings)))
            if open_:
                say(opened(address))

        try:
            run(source, settings, listener, workers=workers, started=started)
        except KeyboardInterrupt as signal:
            signal.args = ("stopped",)  # this is how a server is meant to end
            raise


def _greeting(detector: "Detector", address: str, who: list[str]) -> list[str]:
    """What is served and where; `who` can reach it, in lines."""
    classes = detector.card.classes
    number = plural(len(classes), "class", "classes")
    shown = ", ".join(classes[:SHOWN_CLASSES]) + (", …" if len(classes) > SHOWN_CLASSES else "")
    return [
        f"{detector.card.model}, {number}: {shown}",
        f"page {address}/",
        f"API  {address}/v1/detect, described at {address}/docs",
        *who,
        "Ctrl-C stops the server",
    ]
