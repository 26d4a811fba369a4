"""The body of a request as images in memory, with limits of bytes and count while it arrives. No disk is used."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from ssd300.serve.batcher import FullError
from ssd300.serve.file_names import LONGEST_NAME, extended_name, plain_name
from ssd300.serve.problems import ProblemError
from ssd300.serve.service import UploadedImage
from ssd300.serve.settings import ServeSettings

MULTIPART = "multipart/form-data"
RAW = ("image/", "application/octet-stream")
MOST_FIELDS = 64
LONGEST_FIELD = 10_000  # bytes; a class name is shorter
HOW_TO_SEND = "Send images as multipart/form-data, or one image as the body with 'Content-Type: image/jpeg'."


class _InMemory(MultiPartParser):
    """Starlette's parser, which never writes to disk, and reads `filename*` too."""

    spool_max_size = 0  # of a SpooledTemporaryFile

    def on_headers_finished(self) -> None:
        part = self._current_part
        disposition = (part.content_disposition or b"").decode("latin-1")
        name = extended_name(disposition)
        if name is not None:
            # Such a part is a file to the parser only with a plain name. The last one counts.
            part.content_disposition = f'{disposition}; filename="-"'.encode("latin-1")
        super().on_headers_finished()
        if name is not None and part.file is not None:
            part.file.filename = name


class Memory:
    """The bytes that the bodies of all requests of a process hold, at most `most`."""

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0

    @contextmanager
    def share(self) -> Iterator["_Share"]:
        """The share of one request, which is given back when the block ends."""
        share = _Share(self)
        try:
            yield share
        finally:
            self._held -= share.held

    def _take(self, count: int) -> None:
        if self._held + count > self._most:
            raise FullError(1)
        self._held += count


class _Share:
    def __init__(self, memory: Memory) -> None:
        self._memory, self.held = memory, 0

    def take(self, count: int) -> None:
        """Hold this many bytes more. Raises FullError where all requests together would hold too many."""
        self._memory._take(count)
        self.held += count


@dataclass(frozen=True, kw_only=True, eq=False)
class Upload:
    """A body: its images, the other parts of the form as name and value in `fields`, and its `size` in bytes."""

    images: list[UploadedImage]
    fields: list[tuple[str, str]]
    size: int


async def receive(request: Request, settings: ServeSettings, share: _Share) -> Upload:
    """Read the body of a request. Images are not decoded here.

    Raises:
        ProblemError: 400 for a body that is empty, incomplete, a broken form or without an image, 408 for a slow one,
            413 for one that is too large or has too many images, 415 for another type or encoding.
        FullError: the bodies of other requests leave no room.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise ProblemError(
            415, f"A body in the encoding '{encoding[:LONGEST_NAME]}' is not accepted.", fix="Send it unencoded."
        )
    kind, _ = parse_options_header(request.headers.get("content-type", RAW[-1]))
    media_type = kind.decode("latin-1").lower()
    is_form = media_type == MULTIPART
    if not is_form and not media_type.startswith(RAW):
        raise ProblemError(415, f"A body of type '{media_type[:LONGEST_NAME]}' is not an image.", fix=HOW_TO_SEND)
    counted = _Counted(request, settings.max_bytes, share)
    try:
        async with asyncio.timeout(settings.timeout_s):
            if is_form:
                images, fields = await _form(request, counted.chunks(), settings.images_per_request)
            else:
                images = [UploadedImage(name="", content=b"".join([chunk async for chunk in counted.chunks()]))]
                fields = []
    except TimeoutError:
        raise ProblemError(
            408, f"The body did not arrive within {settings.timeout_s:g} s.", fix="Send it again, or a smaller image."
        ) from None
    except ClientDisconnect:
        raise ProblemError(400, "The connection ended before the body did.", fix="Send it again.") from None
    if not counted.size:
        raise ProblemError(400, "The body is empty.", fix=HOW_TO_SEND)
    if not images:
        raise ProblemError(400, "The form has no image: no part of it has a file name.", fix="curl -F file=@a.jpg")
    return Upload(images=images, fields=fields, size=counted.size)


class _Counted:
    """A body in chunks, with their `size` so far."""

    def __init__(self, request: Request, most: int, share: _Share) -> None:
        self._request, self._most, self._share = request, most, share
        self.size = 0

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Raises ProblemError as soon as the body is known to be too large, and FullError."""
        declared = self._request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._most:
            raise self._too_large()
        async for chunk in self._request.stream():
            self.size += len(chunk)
            if self.size > self._most:
                raise self._too_large()
            self._share.take(len(chunk))
            yield chunk

    def _too_large(self) -> ProblemError:
        return ProblemError(
            413,
            f"The body is larger than {self._most:,} bytes.",
            fix="Make the image smaller, or send fewer per request.",
        )


async def _form(
    request: Request, chunks: AsyncGenerator[bytes, None], max_images: int
) -> tuple[list[UploadedImage], list[tuple[str, str]]]:
    parser = _InMemory(
        request.headers,
        chunks,
        max_files=max_images,
        max_fields=MOST_FIELDS,
        max_part_size=LONGEST_FIELD,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if "Too many files" in error.message:
            detail = f"There are more than {max_images} images."
            raise ProblemError(413, detail, fix="Send fewer per request.") from error
        raise ProblemError(400, f"The form is broken: {error.message}", fix=HOW_TO_SEND) from error
    try:
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        images = [UploadedImage(name=plain_name(file.filename), content=await file.read()) for file in files]
        return images, [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    finally:
        await form.close()
