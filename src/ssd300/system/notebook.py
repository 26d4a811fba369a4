"""What a notebook needs: whether this process is its kernel, and tables as HTML."""

import html
import sys
from collections.abc import Sequence

MOST_ROWS = 12


def is_notebook() -> bool:
    """Whether this process is the kernel of a notebook. IPython is not imported where nothing else imported it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return getattr(shell, "kernel", None) is not None


def html_table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A small table: the first column is text, the others are numbers. Of many rows the first MOST_ROWS are shown."""
    lines = [f"<p><b>{html.escape(title)}</b></p>", "<table>", _row("th", head)]
    lines += [_row("td", row) for row in rows[:MOST_ROWS]]
    lines.append("</table>")
    if len(rows) > MOST_ROWS:
        lines.append(f"<p>and {len(rows) - MOST_ROWS} more</p>")
    return "\n".join(lines)


def _row(tag: str, cells: Sequence[object]) -> str:
    texts = [
        f'<{tag} style="text-align: {"right" if place else "left"}">{html.escape(str(cell))}</{tag}>'
        for place, cell in enumerate(cells)
    ]
    return f"<tr>{''.join(texts)}</tr>"
