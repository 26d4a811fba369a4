"""The two addresses of the API: `/v1/model` describes the model, `/v1/detect` detects on images."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse

from ssd300.detection.detector import Detector
from ssd300.serve import schemas
from ssd300.serve.accepting import IMAGES, JSON, OFFERED, XML, choose_format
from ssd300.serve.counters import Counters
from ssd300.serve.described import model_facts
from ssd300.serve.options import all_options, selection_of
from ssd300.serve.problems import PROBLEMS, ProblemError, documented
from ssd300.serve.served_model import ServedModel
from ssd300.serve.service import ImageAnswer, Service
from ssd300.serve.settings import ServeSettings
from ssd300.serve.uploads import MULTIPART, Memory, receive

IMAGE = {"type": "string", "format": "binary"}
BODY = {
    "required": True,
    "content": {
        MULTIPART: {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "array", "items": IMAGE, "minItems": 1}},
                "required": ["file"],
            }
        }
    }
    | {kind: {"schema": IMAGE} for kind in ("image/jpeg", "image/png", "image/webp", "application/octet-stream")},
}

ANSWER = {
    "model": schemas.Detected,
    "description": "The detections; or the image with its boxes; or a VOC annotation file.",
    "content": {kind: {"schema": IMAGE} for kind in IMAGES} | {XML: {"schema": {"type": "string"}}},
}


def add_api(
    app: FastAPI,
    service: Service,
    settings: ServeSettings,
    counters: Counters,
    guards: list[Any],
    served: ServedModel | None,
) -> None:
    memory = Memory(settings.max_bytes_in_memory)
    model = _model(service.detector, settings)

    @contextmanager
    def places(count: int) -> Iterator[None]:
        with service.batcher.places(count), counters.queue_holds(count):
            yield

    @app.get(
        "/v1/model",
        tags=["Detection"],
        summary="The model",
        dependencies=guards,
        responses=documented([401] if guards else []),
    )
    async def describe() -> schemas.Model:
        """What the loaded weights detect, and the limits of this server."""
        weights = None if served is None else await asyncio.to_thread(_weights, served)
        return model.model_copy(update={"weights": weights})

    @app.post(
        "/v1/detect",
        tags=["Detection"],
        summary="Images in, boxes out",
        dependencies=guards,
        response_model=None,
        responses=documented(PROBLEMS if guards else PROBLEMS.keys() - {401}, answer=ANSWER),
        openapi_extra={"requestBody": BODY},
    )
    async def detect(request: Request, options: Annotated[schemas.DetectionOptions, Query()]) -> Response:
        """Detect on one or several images.

        Send options in the address or in the form. For one image, `Accept: image/jpeg` or `image/png` returns the image
        with its boxes, and `application/xml` a VOC annotation file.
        """
        started = time.monotonic()
        media_type = choose_format(request.headers.get("accept", ""))
        if media_type is None:
            raise ProblemError(
                406, "The request accepts no format that the server has.", fix=f"Accept {', '.join(OFFERED)}."
            )
        with places(1), memory.share() as share:
            upload = await receive(request, settings, share)
            received = time.monotonic()
            count = len(upload.images)
            request.state.log_fields |= {"bytes": upload.size, "images": count}
            if media_type != JSON and count > 1:
                raise ProblemError(406, f"{media_type} is for one image, and {count} were sent.", fix=f"Accept {JSON}.")
            selection = selection_of(service, all_options(options, request, upload))
            with places(count - 1):
                async with asyncio.timeout(settings.timeout_s):
                    answers = await service.detect(upload.images, selection)
                    request.state.log_fields["detections"] = sum(len(one.detections) for one in answers)
                    _count(counters, answers)
                    if media_type == JSON:
                        times = {"receive": received - started, "total": time.monotonic() - started}
                        return JSONResponse({"images": [_row(one) for one in answers], "timing_ms": _ms(times)})
                    (only,) = answers
                    if media_type in IMAGES:
                        drawn = await service.draw(upload.images[0], only.detections, IMAGES[media_type])
                        return Response(drawn, media_type=media_type)
                    return Response(only.detections.to_voc_xml(), media_type=media_type)


def _row(answer: ImageAnswer) -> dict[str, Any]:
    return answer.detections.to_dict() | {"timing_ms": _ms(answer.seconds), "batch_size": answer.batch_size}


def _ms(seconds: Mapping[str, float]) -> dict[str, float]:
    return {stage: round(1e3 * value, 3) for stage, value in seconds.items()}


def _count(counters: Counters, answers: list[ImageAnswer]) -> None:
    counters.images.inc(len(answers))
    for one in answers:
        counters.batch_size.observe(one.batch_size)
        for stage, seconds in one.seconds.items():
            counters.stage_seconds.labels(stage).observe(seconds)
        for name in one.detections.names:
            counters.detections.labels(name).inc()


def _weights(served: ServedModel) -> schemas.Weights:
    return schemas.Weights(
        name=served.name,
        files=[schemas.WeightsFile(name=file.path.name, sha256=file.sha256) for file in served.files],
        on_disk=served.on_disk,
    )


def _model(detector: Detector, settings: ServeSettings) -> schemas.Model:
    return schemas.Model(
        **model_facts(detector.card),
        weights=None,
        limits=schemas.Limits(
            bytes=settings.max_bytes,
            pixels=settings.max_pixels,
            images=settings.images_per_request,
            timeout_s=settings.timeout_s,
        ),
    )
