"""The pictures of the page. Images are named by their number: no path of a request is ever opened."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Response

from ssd300.errors import DataError
from ssd300.labeling.pictures import Picture, Region, reduced, small
from ssd300.labeling.project import Project
from ssd300.serve.problems import ProblemError

MOST_PX = 4096  # of the width of a cut-out
KEEP = {"Cache-Control": "private, max-age=3600"}  # the address has the date of the file
Width = Annotated[int, Query(ge=1, le=MOST_PX)]
Pixel = Annotated[int, Query(ge=-100_000, le=10_000_000)]


def picture_routes(project: Project) -> APIRouter:
    """The pictures below /v1/label/images."""
    routes = APIRouter(prefix="/v1/label/images")
    images = project.store.files.images

    def path_of(number: int) -> Path:
        if not 0 <= number < len(images):
            raise ProblemError(404, f"There is no image {number}.", fix="Load the page again.")
        return images[number]

    @routes.get("/{number}/small")
    def small_one(number: int) -> Response:
        path = path_of(number)
        try:
            return _answer(small(path))
        except DataError:
            project.check_image(number)  # marks it in the list
            raise

    @routes.get("/{number}/reduced")
    def reduced_one(number: int) -> Response:
        return _answer(reduced(path_of(number)))

    @routes.get("/{number}/part")
    def part(
        number: int,
        left: Pixel,
        top: Pixel,
        right: Pixel,
        bottom: Pixel,
        width: Annotated[int, Query(ge=1, le=MOST_PX)],
    ) -> Response:
        region = Region(left=left, top=top, right=right, bottom=bottom, width=width)
        try:
            return _answer(project.details.cut(path_of(number), region))
        except ValueError as error:
            raise ProblemError(422, f"{error}.", fix="Ask for a part inside it.") from error

    return routes


def _answer(picture: Picture) -> Response:
    return Response(picture.content, media_type=picture.media_type, headers=KEEP)
