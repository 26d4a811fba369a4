"""The API of the page: images and their labels, saving, changes by others, and classes."""

import asyncio
import time
from collections.abc import Iterable, Mapping

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import JSONResponse

from ssd300.errors import DataError
from ssd300.images.colors import label_colors, readable_on
from ssd300.images.header import image_size_hw
from ssd300.labeling import schemas
from ssd300.labeling.label_store import Current, Sent, Summary
from ssd300.labeling.objects import ConflictError, LabeledObject
from ssd300.labeling.project import Project
from ssd300.labeling.requests import json_body
from ssd300.serve.problems import ProblemError

LOOKS_EVERY_S = 4.0  # at the files of all images, for changes by other programs
SLACK_PX = 1.0  # a box may reach this far outside of its image, as readers allow
ANSWERS_CONFLICT = 409


def label_routes(project: Project) -> APIRouter:
    """Everything below /v1/label that concerns labels."""
    routes = APIRouter(prefix="/v1/label")
    looked_at = 0.0

    @routes.get("/project")
    def info() -> schemas.ProjectInfo:
        files = project.store.files
        return schemas.ProjectInfo(
            title=project.title,
            format=files.title,
            place=str(files.home),
            has_flags=files.has_flags,
            proposes=project.proposer is not None,
            classes=_classes(project),
            images=_lines(project, dict(enumerate(project.store.summaries))),
            revision=project.store.revision,
            listed=list(project.listed),
            splits=_splits(project),
            split_fault=files.split_fault,
        )

    @routes.get("/images/{number}")
    def image(number: int) -> schemas.ImageLabels:
        return _labels(project, number, project.store.read(_known(project, number)))

    @routes.post("/images/{number}")
    async def save(number: int, request: Request) -> Response:
        sent = await json_body(request, schemas.Save)
        return await asyncio.to_thread(_save, project, _known(project, number), sent)

    @routes.get("/changes")
    def changes(since: int = 0, image: int | None = Query(default=None)) -> schemas.Changes:
        nonlocal looked_at
        store = project.store
        if time.monotonic() - looked_at > LOOKS_EVERY_S:
            looked_at = time.monotonic()
            store.look()
        revision = store.revision
        changed = store.changed_since(since)
        version = None if image is None else _version(project, _known(project, image))
        classes = _classes(project)
        return schemas.Changes(
            revision=revision, images=_lines(project, changed), classes=classes, version=version
        )  # fmt: skip

    @routes.post("/classes")
    async def add_class(request: Request) -> list[schemas.ClassColor]:
        name = (await json_body(request, schemas.NewClass)).name
        await asyncio.to_thread(project.add_class, name)
        return _classes(project)

    @routes.post("/splits/add")
    async def add_to_list(request: Request) -> schemas.AddedToList:
        wanted = await json_body(request, schemas.AddToList)
        count = await asyncio.to_thread(project.add_to_list, wanted.split)
        return schemas.AddedToList(images=count, splits=_splits(project))

    @routes.post("/classes/rename")
    async def rename_class(request: Request) -> schemas.Renamed:
        wanted = await json_body(request, schemas.RenamedClass)
        count = await asyncio.to_thread(project.rename_class, wanted.old, wanted.new)
        return schemas.Renamed(images=count, classes=_classes(project))

    return routes


def _known(project: Project, number: int) -> int:
    if not 0 <= number < len(project.names):
        raise ProblemError(404, f"There is no image {number}.", fix="Load the page again.")
    return number


def _version(project: Project, number: int) -> str | None:
    try:
        return project.store.version(number)
    except DataError:
        return None


def _save(project: Project, number: int, sent: schemas.Save) -> Response:
    height, width = image_size_hw(project.store.files.images[number])
    boxes = [_sent(one, width, height) for one in sent.boxes]
    try:
        saved = project.store.save(number, boxes, base=sent.version, exists=sent.exists)
    except ConflictError:
        current = _labels(project, number, project.store.read(number))
        conflict = schemas.Conflict(
            detail="These labels were changed by another page or program meanwhile.",
            fix="Take the others' labels, or save yours over them.",
            current=current.model_dump(),
        )
        return JSONResponse(conflict.model_dump(), status_code=ANSWERS_CONFLICT)
    return JSONResponse(_labels(project, number, saved).model_dump())


def _sent(box: schemas.Box, width: int, height: int) -> Sent:
    """Raises ProblemError for a box that is none, or not in its image."""
    name = box.name.strip()
    if box.box is None:
        if not box.key:
            raise ProblemError(422, f"An object of '{name}' has no box.", fix="Load the page again.")
        return Sent(object=LabeledObject(name=name, box_px=None), key=box.key)
    xmin, ymin, xmax, ymax = box.box
    inside = -SLACK_PX <= xmin < xmax <= width + SLACK_PX and -SLACK_PX <= ymin < ymax <= height + SLACK_PX
    if not name or not inside:
        what = "has no class" if not name else f"({', '.join(f'{value:g}' for value in box.box)}) is not in its image"
        raise ProblemError(422, f"A box {what}.", fix="Load the page again.")
    labeled = LabeledObject(name=name, box_px=box.box, difficult=box.difficult, truncated=box.truncated)
    return Sent(object=labeled, key=box.key)


def _labels(project: Project, number: int, now: Current) -> schemas.ImageLabels:
    files = project.store.files
    image = files.images[number]
    fault, size_hw = now.labels.fault, (0, 0)
    try:
        size_hw = image_size_hw(image)
        picture = f"{number}-{image.stat().st_mtime_ns}"
    except (DataError, OSError) as error:
        fault, picture = error.what if isinstance(error, DataError) else str(error), ""
    boxes = [
        schemas.Box(key=key, name=one.name, box=one.box_px, difficult=one.difficult, truncated=one.truncated,
                    fault=one.fault)
        for key, one in ((key, read.object) for key, read in zip(now.keys, now.labels.objects, strict=True))
    ]  # fmt: skip
    return schemas.ImageLabels(
        number=number,
        name=project.names[number],
        width=size_hw[1],
        height=size_hw[0],
        picture=picture,
        version=now.version,
        exists=now.labels.exists,
        boxes=boxes,
        fault=fault,
        file=str(files.place(image)),
    )


def _splits(project: Project) -> list[schemas.Split]:
    can_add = project.store.files.split_lists
    return [schemas.Split(name=name, images=images, can_add=name in can_add)
            for name, images in project.splits().items()]  # fmt: skip


def _lines(project: Project, summaries: Mapping[int, Summary]) -> list[schemas.ImageLine]:
    return [
        schemas.ImageLine(
            number=number,
            name=project.names[number],
            state=_state(project, number, summary),
            classes=dict(summary.classes),
            fault=summary.fault,
        )
        for number, summary in summaries.items()
    ]


def _state(project: Project, number: int, summary: Summary) -> schemas.State:
    known = None if project.proposer is None else project.proposer.known(number)
    return "done" if summary.exists else "proposed" if known is not None and known.has_proposals else "none"


def _classes(project: Project) -> list[schemas.ClassColor]:
    counts, names = project.store.counts(), project.classes
    colors = label_colors(range(len(names)))
    return [
        schemas.ClassColor(
            name=name, color=_hex(color), text_color=_hex(readable_on(color)), objects=counts.get(name, 0)
        )
        for name, color in zip(names, colors, strict=True)
    ]


def _hex(color: Iterable[int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in color)
