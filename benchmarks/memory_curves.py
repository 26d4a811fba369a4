"""The tables of peak memory in docs/scale.md as curves: docs/scale_memory.png.

    python benchmarks/memory_curves.py

The figures are those of the tables, which name the commands that measured them.
"""

import re
from pathlib import Path

from matplotlib import pyplot as plt

DOCS = Path(__file__).parents[1] / "docs"
TABLES = {  # by the beginning of their first line: the column of what is counted, and those of memory with their names
    "| engine | images | driver": (1, {2: "detection, {0}: the command", 3: "detection, {0}: an actor"}),
    "| images | index.json | peak memory |": (0, {2: "training from shards"}),
    "| detections | VOC07 and VOC12 | peak": (0, {2: "evaluation, VOC", 4: "evaluation, COCO"}),
}


def main() -> None:
    lines = (DOCS / "scale.md").read_text(encoding="utf-8").splitlines()
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for begin, (counted, columns) in TABLES.items():
        first = next(number for number, line in enumerate(lines) if line.startswith(begin))
        curves: dict[str, list[tuple[float, float]]] = {}
        for line in lines[first + 2 :]:
            if not line.startswith("|"):
                break
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            for column, name in columns.items():
                if cells[column]:
                    curves.setdefault(name.format(cells[0]), []).append((number(cells[counted]), number(cells[column])))
        for name, points in curves.items():
            axes.plot(*zip(*points, strict=True), marker="o", label=name)
    axes.set(xscale="log", ylim=0, xlabel="images, or detections that are evaluated", ylabel="peak memory in MB or MiB")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=2, fontsize=8)
    figure.savefig(DOCS / "scale_memory.png", dpi=110)


def number(cell: str) -> float:
    """The first number of a cell, such as '10 million' or '1,093 MB, 1,118 MB'."""
    found = re.search(r"[\d,.]*\d", cell)
    assert found is not None, cell
    return float(found[0].replace(",", "")) * (1e6 if "million" in cell else 1)


if __name__ == "__main__":
    main()
