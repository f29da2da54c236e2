"""Tables and small charts: rows as CSV that no spreadsheet takes for formulas, counts as an SVG line."""

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response
from markupsafe import Markup

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet calculate a cell
SPARK_WIDTH, SPARK_HEIGHT = 72, 20  # of a chart, in its own units


def csv_cell(value: object) -> str:
    """A cell as text; one that a spreadsheet would calculate begins with an apostrophe.

    Source: OWASP, CSV Injection.
    """
    text = "" if value is None else str(value)
    is_number = isinstance(value, int | float)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) and not is_number else text


def csv_answer(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A table as a file to download, in UTF-8 with a mark for spreadsheets.

    Args:
        name: of the file, without its ending.
        head: names of the columns.
        rows: a cell per column.
    """
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([csv_cell(value) for value in row] for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response("\ufeff" + written.getvalue(), mimetype="text/csv", headers=headers)


def spark(counts: Sequence[int], said: str) -> Markup:
    """Counts over time as a small chart; nothing where all of them are 0.

    Args:
        counts: one per step of time, oldest first.
        said: the same in words, for those who do not see it.
    """
    most = max(counts, default=0)
    if not most:
        return Markup('<span class="none">0</span>')
    step = SPARK_WIDTH / max(1, len(counts) - 1)
    points = " ".join(
        f"{place * step:.1f},{SPARK_HEIGHT - 1 - (SPARK_HEIGHT - 2) * count / most:.1f}"
        for place, count in enumerate(counts)
    )
    chart = (
        '<svg class="spark" viewBox="0 0 {width} {height}" role="img" aria-label="{said}">'
        '<polyline points="{points}"/></svg><span class="count">{total}</span>'
    )
    return Markup(chart).format(  # nosec B704
        width=SPARK_WIDTH, height=SPARK_HEIGHT, said=said, points=points, total=f"{sum(counts):,}"
    )
