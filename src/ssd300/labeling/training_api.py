"""The part of the page's API that trains on what is labeled, and that checks it."""

import asyncio

from fastapi import APIRouter, Request

from ssd300.errors import UsageError
from ssd300.labeling import schemas
from ssd300.labeling.data_check import check_labels
from ssd300.labeling.project import Project
from ssd300.labeling.requests import json_body
from ssd300.labeling.training_run import Progress

MOST_POINTS = 200  # of the curve of the losses


def training_routes(project: Project) -> APIRouter:
    """What lies below /v1/label/training, and /v1/label/check."""
    routes = APIRouter(prefix="/v1/label")

    def described(progress: Progress) -> schemas.Training:
        step = max(len(progress.losses) // MOST_POINTS, 1)
        proposer = project.proposer
        return schemas.Training(
            state=progress.state,
            can_resume=progress.can_resume,
            folder=progress.folder,
            images=progress.images,
            step=progress.step,
            steps=progress.steps,
            seconds=progress.seconds,
            best=progress.best,
            evaluations=list(progress.evaluations),
            losses=list(progress.losses[::step]),
            words=list(progress.words),
            has_weights=bool(progress.weights),
            proposes=proposer is not None and proposer.weights == progress.weights,
        )

    def begin(holdout: float) -> Progress:
        return project.training.start(project.store, classes=project.classes, holdout=holdout)

    @routes.get("/training")
    def training() -> schemas.Training:
        return described(project.training.progress())

    @routes.post("/training/start")
    async def start(request: Request) -> schemas.Training:
        wanted = await json_body(request, schemas.StartTraining)
        return described(await asyncio.to_thread(begin, wanted.holdout))

    @routes.post("/training/stop")
    def stop() -> schemas.Training:
        return described(project.training.stop())

    @routes.post("/training/resume")
    def resume() -> schemas.Training:
        return described(project.training.resume())

    @routes.post("/training/propose")
    def propose() -> schemas.Training:
        progress = project.training.progress()
        if not progress.weights:
            raise UsageError("the training has no weights yet", fix="Wait for its first evaluation.")
        project.use_weights(progress.weights)
        return described(progress)

    @routes.get("/check")
    def check() -> schemas.DataCheck:
        found = check_labels(project.store)
        findings = [schemas.Finding(**vars(one)) for one in found.findings]
        return schemas.DataCheck(findings=findings, splits=found.splits, copies=[list(one) for one in found.copies])

    return routes
