"""The part of the page's API that walks through the disagreements of labels and detector."""

import asyncio
from itertools import islice
from pathlib import Path

from fastapi import APIRouter, Request

from ssd300.data.dataset import fold
from ssd300.evaluation.disagreement import KINDS, MEANINGS, Detected, Disagreement, Kind, Label
from ssd300.labeling import review_schemas as schemas
from ssd300.labeling.project import Project
from ssd300.labeling.proposals import at_whole_pixels
from ssd300.labeling.requests import json_body
from ssd300.reporting.label_review import case_in_words, trained_on_in_words
from ssd300.serve.problems import ProblemError
from ssd300.system.wording import some

MOST_CASES = 200  # in one answer: the page asks again after each decision


def review_routes(project: Project) -> APIRouter:
    """What lies below /v1/label/review."""
    routes = APIRouter(prefix="/v1/label/review")

    @routes.get("")
    def review(kind: Kind | None = None, current: str = "") -> schemas.Review:
        reviewer, proposer = project.reviewer, project.proposer
        if reviewer is None or proposer is None:
            return schemas.Review(
                weights="", fault="", compared=0, left=0, looked_at=0, open=0, is_current_open=False, remark="",
                kinds=[], cases=[],
            )  # fmt: skip
        now = reviewer.state(project.classes)
        cases = ((key, one) for key, one in now.open.items() if kind is None or one.kind == kind)
        return schemas.Review(
            weights=Path(proposer.weights).name,
            fault=proposer.fault,
            compared=now.compared,
            left=now.left,
            looked_at=now.looked_at,
            open=len(now.open),
            is_current_open=current in now.open,
            remark=". ".join(filter(None, [trained_on_in_words(now.trained_on, now.compared), _unknown(project)])),
            kinds=[schemas.KindCount(kind=one, meaning=MEANINGS[one], open=now.counts[one]) for one in KINDS],
            cases=[_case(key, one) for key, one in islice(cases, MOST_CASES)],
        )

    @routes.post("/decide")
    async def decide(request: Request) -> dict[str, str]:
        wanted = await json_body(request, schemas.Decide)
        if project.reviewer is None:
            raise ProblemError(422, "There are no weights to review with.", fix="Start again with --weights.")
        await asyncio.to_thread(project.reviewer.decide, wanted.case, wanted.decision)
        return {}

    return routes


def _unknown(project: Project) -> str:
    """A sentence on classes of the labels that the detector does not know, once it is loaded; "" if it knows all."""
    known = {fold(name) for name in project.proposer.classes} if project.proposer is not None else set()
    used = [name for name, count in project.store.counts().items() if count and fold(name) not in known]
    return f"the model does not know {some(sorted(used))}: these labels are not reviewed" if known and used else ""


def _case(case_id: str, case: Disagreement) -> schemas.ReviewCase:
    return schemas.ReviewCase(
        id=case_id,
        image=case.image_index,
        kind=case.kind,
        suspicion=case.suspicion,
        words=case_in_words(case),
        label=_label(case.label),
        other_label=_label(case.other_label),
        detection=_detected(case.detection),
    )


def _label(label: Label | None) -> schemas.ReviewLabel | None:
    return None if label is None else schemas.ReviewLabel(name=label.name, box=label.box_px)


def _detected(found: Detected | None) -> schemas.ReviewDetection | None:
    if found is None:
        return None
    return schemas.ReviewDetection(name=found.name, box=at_whole_pixels(found.box_px), score=found.score)
