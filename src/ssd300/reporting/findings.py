"""The findings of `ssd300 check` as a page: problems by rule, objects per class and split, fit of the default boxes."""

from collections.abc import Sequence
from pathlib import Path

from ssd300.data.checks.coverage import COVERED_IOU
from ssd300.data.checks.findings import Findings
from ssd300.reporting.html import write_page


def write_findings(path: Path, findings: Findings, *, data: Sequence[str]) -> None:
    """Write the page to `path`: all problems, grouped by rule, and the statistics. `data` names the dataset."""
    totals = {name: sum(counts.values()) for name, counts in findings.classes.items()}
    write_page(
        path,
        "findings.html.jinja",
        title="What is in the data",
        data=data,
        findings=findings,
        rules=findings.by_rule(),
        totals=totals,
        splits=list(next(iter(findings.classes.values()), {})),
        most=max(totals.values(), default=0) or 1,
        most_sizes=max((size.objects for size in findings.coverage["sizes_px"].values()), default=0) or 1,
        iou=COVERED_IOU,
    )
