"""Two pictures by day: the click rate of every arm, and how long new articles wait for their first 100 impressions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

COLOURS = ("#c2410c", "#1f6feb", "#7d8590", "#2da44e", "#8250df", "#bf8700", "#57606a", "#0a7d91", "#b54708")
PLOTS = {
    "click_rate": ("clicks per card shown", "Click rate by day (simulated readers)"),
    "hours_to_100": (
        "median hours, by day of publication",
        "New articles' time to 100 impressions (simulated readers); no point: most never have them",
    ),
}


def draw(table: Mapping[str, Mapping[str, Any]], folder: Path) -> list[Path]:
    """Draw both.

    Args:
        table: arm -> its figures, see ``figures``.
        folder: made where it is missing.

    Returns:
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [_draw(table, figure, *texts, folder / f"{figure}.svg") for figure, texts in PLOTS.items()]


def _draw(table: Mapping[str, Mapping[str, Any]], figure: str, label: str, title: str, file: Path) -> Path:
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "recsys", "font.size": 11}):
        sheet = Figure(figsize=(8.0, 4.4))
        axes = sheet.subplots()
        for (name, figures), colour in zip(table.items(), COLOURS, strict=False):
            values = [float("nan") if value is None else value for value in figures["by_day"][figure]]
            days = range(1, len(values) + 1)
            axes.plot(
                days, values, marker="o", color=colour, label=name, linewidth=2.4 if name == "recommender" else 1.2
            )
        axes.set_xlabel("day")
        axes.set_ylabel(label)
        axes.set_title(title, loc="left", fontsize=11)
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, bbox_to_anchor=(1.01, 1.0), loc="upper left")
        sheet.savefig(file, bbox_inches="tight", metadata={"Date": None})
    return file
