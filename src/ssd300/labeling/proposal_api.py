"""The part of the page's API that proposes boxes."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query

from ssd300.detection.defaults import MEASURE, Measure
from ssd300.labeling import schemas
from ssd300.labeling.ordering import doubts, least_sure_first
from ssd300.labeling.project import Project
from ssd300.labeling.proposals import Proposer, at_whole_pixels
from ssd300.serve.problems import ProblemError

WAITS_S = 4.0  # for a detection; then the page asks again


def proposal_routes(project: Project) -> APIRouter:
    """What lies below /v1/label/proposals."""
    routes = APIRouter(prefix="/v1/label/proposals")

    @routes.get("")
    def about() -> schemas.ProposerInfo:
        return _info(project.proposer)

    @routes.get("/order")
    def order(by: Measure = MEASURE) -> list[int]:
        labeled = {number for number, one in enumerate(project.store.summaries) if one.exists}
        proposer = project.proposer
        if by == "flip" and proposer is not None:
            proposer.ask_for_mirrors(number for number in proposer.all_known() if number not in labeled)
        known = {} if proposer is None else doubts(proposer, by)
        return least_sure_first(known, labeled, len(project.names))

    @routes.get("/{number}")
    def proposals(number: int, ahead: Annotated[list[int], Query(max_length=16)] = []) -> schemas.Proposals:  # noqa: B006  # FastAPI copies it
        if not 0 <= number < len(project.names):
            raise ProblemError(404, f"There is no image {number}.", fix="Load the page again.")
        proposer = project.proposer
        found = None if proposer is None else proposer.ask(number, ahead, wait_s=WAITS_S)
        boxes = () if found is None else found.proposals
        return schemas.Proposals(
            is_ready=found is not None,
            fault="" if found is None else found.fault,
            boxes=[
                schemas.ProposedBox(name=one.name, box=at_whole_pixels(one.box_px), score=one.score) for one in boxes
            ],
            about=_info(proposer),
        )

    @routes.post("/all")
    def all_open() -> schemas.ProposerInfo:
        if project.proposer is not None:
            open_ones = (number for number, one in enumerate(project.store.summaries) if not one.exists)
            project.proposer.ask_for_all(open_ones)
        return _info(project.proposer)

    return routes


def _info(proposer: Proposer | None) -> schemas.ProposerInfo:
    if proposer is None:
        return schemas.ProposerInfo(weights="", classes=[], min_scores={}, left=0, fault="")
    return schemas.ProposerInfo(
        weights=Path(proposer.weights).name,
        classes=list(proposer.classes),
        min_scores=proposer.thresholds,
        left=proposer.left,
        fault=proposer.fault,
    )
