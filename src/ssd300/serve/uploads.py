"""A request's body to images in memory, with limits on bytes and count while it arrives. Nothing goes to disk."""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from ssd300.serve.batcher import FullError
from ssd300.serve.problems import ProblemError
from ssd300.serve.service import Sent
from ssd300.serve.settings import ServeSettings

MULTIPART = "multipart/form-data"
RAW = ("image/", "application/octet-stream")
MOST_FIELDS = 64
LONGEST_FIELD = 10_000  # bytes; a class name is shorter
LONGEST_NAME = 200
HOW_TO_SEND = "Send images as multipart/form-data, or one image as the body with 'Content-Type: image/jpeg'."


class _InMemory(MultiPartParser):
    spool_max_size = 0  # of a SpooledTemporaryFile: never to disk


class Memory:
    """Bytes of bodies that are held by all requests of a process, and how many may be."""

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0

    @contextmanager
    def share(self) -> Iterator["_Share"]:
        """A request's part, given back at the end."""
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
        """Raises FullError."""
        self._memory._take(count)
        self.held += count


@dataclass(frozen=True, kw_only=True, eq=False)
class Upload:
    """`fields` are the form's other parts, name and value; `size` the bytes of the body."""

    images: list[Sent]
    fields: list[tuple[str, str]]
    size: int


async def receive(request: Request, settings: ServeSettings, share: _Share) -> Upload:
    """The images of a request.

    Raises:
        ProblemError: 400 for a body that is empty or no form, 408 for a slow one, 413 for one too large or with too
            many images, 415 for another type or encoding.
        FullError: other requests' bodies leave no room.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise ProblemError(
            415, f"A body in the encoding '{encoding[:LONGEST_NAME]}' is not taken.", fix="Send it plain."
        )
    kind, _ = parse_options_header(request.headers.get("content-type", RAW[-1]))
    media_type = kind.decode("latin-1").lower()
    is_form = media_type == MULTIPART
    if not is_form and not media_type.startswith(RAW):
        raise ProblemError(415, f"A body of type '{media_type[:LONGEST_NAME]}' is no image.", fix=HOW_TO_SEND)
    counted = _Counted(request, settings.max_bytes, share)
    try:
        async with asyncio.timeout(settings.timeout_s):
            if is_form:
                images, fields = await _form(request, counted.chunks(), settings.images_per_request)
            else:
                images = [Sent(name="", content=b"".join([chunk async for chunk in counted.chunks()]))]
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
    """The body in chunks, refused as soon as it is known to be too large."""

    def __init__(self, request: Request, most: int, share: _Share) -> None:
        self._request, self._most, self._share = request, most, share
        self.size = 0

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        said = self._request.headers.get("content-length", "")
        if said.isdecimal() and int(said) > self._most:
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
            fix="Make the image smaller, or send fewer at once.",
        )


async def _form(
    request: Request, chunks: AsyncGenerator[bytes, None], max_images: int
) -> tuple[list[Sent], list[tuple[str, str]]]:
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
            what = f"There are more than {max_images} images."
            raise ProblemError(413, what, fix="Send fewer at once.") from error
        raise ProblemError(400, f"The form is broken: {error.message}", fix=HOW_TO_SEND) from error
    try:
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        images = [Sent(name=_plain_name(file.filename), content=await file.read()) for file in files]
        return images, [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    finally:
        await form.close()


def _plain_name(name: str | None) -> str:
    """The last part of a path, of either system, without what a terminal or a header would act on."""
    last = re.split(r"[/\\]", name or "")[-1]
    if not last.strip("."):
        return ""
    return "".join(letter for letter in last if letter.isprintable())[:LONGEST_NAME]
