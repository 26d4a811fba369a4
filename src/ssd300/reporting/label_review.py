"""A review of labels as a page: counts by kind and class, and pictures of the worst cases of each kind."""

from collections.abc import Sequence

from ssd300.errors import as_text
from ssd300.evaluation.disagreement import KINDS, MEANINGS, Disagreement, Kind
from ssd300.evaluation.label_review import Review
from ssd300.evaluation.shown import thresholds_in_words
from ssd300.reporting.case_images import STYLES, draw_cases
from ssd300.reporting.html import Gallery, Page, Table
from ssd300.reporting.next_steps import Step
from ssd300.system.wording import plural, some

OPEN = 12  # pictures of a kind that are not folded


def review_rows(review: Review) -> list[tuple[str, ...]]:
    """The table of counts, its head first: a row per class and one for all, a column per kind."""
    counts = review.counts()
    rows = [
        (name, f"{review.labels[name]:,}", *(f"{counts[kind][name]:,}" for kind in KINDS))
        for name in review.dataset.classes
        if review.labels[name] or any(counts[kind][name] for kind in KINDS)
    ]
    sums = [f"{sum(counts[kind].values()):,}" for kind in KINDS]
    return [("class", "labels", *KINDS), *rows, ("all", f"{sum(review.labels.values()):,}", *sums)]


def case_in_words(case: Disagreement) -> str:
    """Label and detection of a case: 'label 3 RBC, detector WBC 0.93'; labels count from 1."""
    labels = [f"label {one.index + 1} {one.name}" for one in (case.label, case.other_label) if one is not None]
    found = case.detection
    detected = "nothing" if found is None else f"{found.name} {found.score:.2f}"
    return f"{' and '.join(labels) or 'no label'}, detector {detected}"


def trained_on_in_words(trained_on: int | None, images: int) -> str:
    """What follows if the weights were trained on images that are reviewed; "" if they were not, or it is not known."""
    if not trained_on:
        return ""
    these = "these images" if trained_on == images else f"{trained_on:,} of these {plural(images, 'image')}"
    return (
        f"the weights were trained on {these}, with labels that they repeat in part: errors can be hidden. "
        "Train on one half and review the other, then the other way round"
    )


def review_page(
    review: Review, *, weights: str, top: int, notes: Sequence[str] = (), steps: Sequence[Step] = ()
) -> Page:
    """The page, with pictures of the `top` most suspicious cases of each kind."""
    shown: dict[Kind, list[Disagreement]] = {
        kind: [case for case in review.cases if case.kind == kind][:top] for kind in KINDS
    }
    every = [case for cases in shown.values() for case in cases]
    pictures, unread = draw_cases(every, review.dataset.annotations)
    captioned = {
        id(case): (f"{as_text(case.image_id)}: {case_in_words(case)}; suspicion {case.suspicion:.2f}", pictures[place])
        for place, case in enumerate(every)
        if place in pictures
    }
    counts = {kind: sum(by_class.values()) for kind, by_class in review.counts().items()}
    lost = [f"These images could not be read: {some([as_text(image) for image in unread])}."] if unread else []
    head, *rows = review_rows(review)
    return Page(
        title="Where labels and detector disagree",
        subtitle=f"{review.dataset.root}, {review.dataset.split}; weights {weights}",
        headline=f"{len(review.cases):,}",
        headline_meaning=f"cases on {plural(len(review.dataset), 'image')} with "
        f"{plural(sum(review.labels.values()), 'label')}. Either of the two may be wrong. Confident detections have "
        f"{thresholds_in_words(review.min_scores)}.",
        explanation=f"In the pictures {STYLES}. The most suspicious cases of each kind come first.",
        facts_title="The review",
        notes=[*(f"{note[0].upper()}{note[1:]}." for note in notes), *lost],
        tables=[
            Table(
                title="By class",
                explanation="Labels that are not difficult, and cases by the class of the label, or of the detection "
                "where there is no label.",
                head=head,
                rows=rows,
            )
        ],
        galleries=[
            Gallery(
                title=f"{kind}: {counts[kind]:,}",
                explanation=f"{MEANINGS[kind].capitalize()}.{_shown(len(cases), counts[kind])}",
                images=images,
                open=OPEN,
                late=True,
            )
            for kind, cases in shown.items()
            if (images := [captioned[id(case)] for case in cases if id(case) in captioned])
        ],
        facts=[("rules", ", ".join(f"{name} {value:g}" for name, value in vars(review.rules).items()))],
        steps=steps,
    )


def _shown(shown: int, of: int) -> str:
    return "" if shown == of else f" {shown:,} of {of:,} are shown."
