"""Numbers -> SVG pictures whose text stays text, so that the browser's fonts draw Chinese and English alike."""

import io
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import matplotlib as mpl
import matplotlib.dates
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from recsys.units import DAY_MS, HOUR_MS

Matrix = npt.NDArray[np.float32]

INK = "#7d8590"  # reads well on white and on black
ACCENT = "#c2410c"
COLOURS = mpl.colormaps["tab20"](np.arange(20))  # (20, 4)
MAP_SHAPE = np.array([1.3, 0.42])  # of a map of words: hundreds of characters across, of lines down
DATES: Any = matplotlib.dates  # without types
STEPS_MS = {
    "hour": HOUR_MS,
    "day": DAY_MS,
    "month": 30 * DAY_MS,
}  # of a timeline; the last bar of the months is about right
UNNAMED = ("others", "none")  # of a map: categories too rare for a colour of their own, and articles without one
TRUE, KEPT = "means what it says", "kept"  # names of lines
EAST_ASIAN = 0x2E80  # from here on a character is about twice as wide as a Latin letter
TIMES: Any = {  # of an axis, by its steps of years, months, days, hours, minutes, seconds: in digits, of no language
    "formats": ["%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M", "%S.%f"],
    "zero_formats": ["", "%Y", "%m-%d", "%m-%d", "%H:%M", "%H:%M"],
    "offset_formats": ["", "%Y", "%Y", "%Y", "%Y-%m-%d", "%Y-%m-%d %H:%M"],
}
STYLE: Any = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a category may hold dollar signs
    "svg.hashsalt": "recsys",  # the same numbers give the same bytes
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def bars(figures: Mapping[str, Mapping[str, float]], figure_names: Sequence[str], highlight: str) -> str:
    """Horizontal bars of every model, one panel per figure.

    Args:
        figures: model -> figure name -> value.
        figure_names: the panels, left to right.
        highlight: the model to draw in the accent colour.

    Returns:
        An SVG element.
    """
    models = list(figures)[::-1]
    with mpl.rc_context(STYLE):
        sheet = Figure(figsize=(10.5, 0.6 + 0.34 * len(models)))
        panels = np.atleast_1d(sheet.subplots(1, len(figure_names), sharey=True))
        for panel, name in zip(panels, figure_names, strict=True):
            values = [figures[model].get(name, float("nan")) for model in models]
            colours = [ACCENT if model == highlight else INK for model in models]
            drawn = panel.barh(models, values, color=colours, height=0.62)
            panel.bar_label(drawn, fmt="%.3f", padding=3, color=INK)
            panel.set_title(name, loc="left")
            panel.set_xlim(0, max(1e-9, *np.nan_to_num(values)) * 1.25)
        return as_svg(sheet)


def deviations(
    values: Mapping[str, float],
    spread: Sequence[float],
    x_label: str,
    start: float = 0.0,
    span: tuple[float, float] | None = None,
    highlight: str = "",
) -> str:
    """Horizontal bars from a common start, with their numbers.

    Args:
        values: name -> value, from above; NaN draws no bar and a dash.
        spread: how far each is uncertain, drawn as a thin line to both sides; NaN as none.
        x_label: what the values are.
        start: the value of an empty bar.
        span: of the axis, so that several pictures can have the same; as the values need it when None.
        highlight: the one to draw in the accent colour.

    Returns:
        An SVG element.
    """
    names, numbers = list(values), np.array(list(values.values()), np.float64)
    with mpl.rc_context(STYLE):
        sheet = Figure(figsize=(5.2, 0.8 + 0.32 * len(names)))
        axes = sheet.subplots()
        axes.axvline(start, color=INK, linewidth=0.8)
        lengths = np.nan_to_num(numbers - start)
        colours = [ACCENT if name == highlight else INK for name in names]
        around = np.nan_to_num(np.array(spread, np.float64))
        thin = {"ecolor": INK, "elinewidth": 1}
        axes.barh(names, lengths, left=start, color=colours, height=0.62, xerr=around, error_kw=thin)
        ends = start + np.maximum(lengths, 0) + around
        for place, (end, value) in enumerate(zip(ends.tolist(), numbers.tolist(), strict=True)):
            text = "–" if np.isnan(value) else f"{round(value, 3) + 0.0:.3f}".replace("-", "−")
            axes.annotate(text, (end, place), xytext=(4, 0), textcoords="offset points", va="center")
        axes.invert_yaxis()
        low, high = span or (min([start, *(numbers - around)]), max(ends))
        axes.set_xlim(low, high + 0.16 * (high - low) + 1e-9)  # room for the last number
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.set_xlabel(x_label)
        return as_svg(sheet)


def curves(lines: Mapping[str, Sequence[float]], x_label: str, y_label: str, mark: int | None = None) -> str:
    """Lines over epochs.

    Args:
        lines: name -> a value per epoch; NaN leaves a gap.
        x_label: what an epoch is called.
        y_label: what the values are.
        mark: the epoch, counted from 1, that was kept.

    Returns:
        An SVG element.
    """
    with mpl.rc_context(STYLE):
        sheet = Figure(figsize=(5.2, 2.9))
        axes = sheet.subplots()
        for (name, values), colour in zip(lines.items(), (ACCENT, INK), strict=False):
            axes.plot(range(1, len(values) + 1), values, label=name, color=colour, marker="o", markersize=3)
        if mark is not None:
            axes.axvline(mark, color=INK, linestyle=":", label=KEPT)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _label(axes, x_label, y_label)
        return as_svg(sheet)


def timelines(starts: Sequence[int], counts: Mapping[str, Sequence[int]], step: str, zone: str) -> str:
    """Counts over time, one panel per name with a scale of its own: a click stands for some forty impressions.

    Args:
        starts: int ms UTC, when each step begins.
        counts: name -> a count per step.
        step: hour, day or month: what a count is of.
        zone: the time zone of the axis.

    Returns:
        An SVG element.
    """
    edges = np.array([*starts, starts[-1] + STEPS_MS[step]], np.float64) / DAY_MS  # days since the epoch
    with mpl.rc_context(STYLE):
        sheet = Figure(figsize=(12.6, 0.5 + 1.5 * len(counts)))
        panels = np.atleast_1d(sheet.subplots(len(counts), 1, sharex=True))
        for panel, (name, values) in zip(panels, counts.items(), strict=True):
            panel.stairs(values, edges, fill=True, color=ACCENT if name == "click" else INK)
            panel.set_title(name, loc="left", fontsize=11, pad=3)
            panel.yaxis.set_major_locator(MaxNLocator(3, integer=True))
            panel.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
            panel.set_ylim(0, 1.08 * max(1, *values))
            panel.margins(x=0.005)
        place = DATES.AutoDateLocator(tz=ZoneInfo(zone), maxticks=9)
        panels[-1].xaxis.set_major_locator(place)
        panels[-1].xaxis.set_major_formatter(DATES.ConciseDateFormatter(place, tz=ZoneInfo(zone), **TIMES))
        sheet.subplots_adjust(hspace=0.45)
        return as_svg(sheet)


def vector_map(vectors: Matrix, labels: Sequence[str]) -> str:
    """Vectors on the plane of their two strongest directions, coloured by label.

    Args:
        vectors: float32 (A, D), finite rows.
        labels: A labels; "" is drawn in grey as "none", and what is rarer than the colours suffice for as "others".

    Returns:
        An SVG element.

    Source: principal component analysis by singular value decomposition.
    """
    flat = principal_plane(vectors)
    frequent = [name for name, _ in Counter(label for label in labels if label).most_common(len(COLOURS))]
    shown = np.array([label if label in frequent else "others" if label else "none" for label in labels])
    names = [*sorted(frequent), *(name for name in UNNAMED if name in shown)]
    colour_of = dict(zip(sorted(frequent), COLOURS, strict=False))
    with mpl.rc_context(STYLE):
        sheet = Figure(figsize=(5.0, 4.2))
        axes = sheet.subplots()
        for name in names[::-1]:  # the grey ones first, below the others
            x, y = flat[shown == name].T
            axes.scatter(x, y, s=18, color=colour_of.get(name, INK), label=name, alpha=0.75, linewidths=0)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_frame_on(False)
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5), reverse=True)
        return as_svg(sheet)


def word_map(words: Sequence[str], places: Sequence[tuple[float, float]]) -> str:
    """Words where they lie on a plane; of two names that would overlap, only the first is written.

    Args:
        words: W words, the most important first.
        places: as many points.

    Returns:
        An SVG element.
    """
    points = np.array(places, np.float64)  # (W, 2)
    low, size = points.min(axis=0), np.ptp(points, axis=0) + 1e-9
    points = (points - low) / size * (100 * MAP_SHAPE)  # in characters across, in lines down
    with mpl.rc_context(STYLE):
        sheet = Figure(figsize=(10.5, 6.6))
        axes = sheet.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        written: list[tuple[float, float, float]] = []  # left, right, line
        for word, (x, y) in zip(words, points.tolist(), strict=True):
            half = sum(2 if ord(letter) >= EAST_ASIAN else 1.05 for letter in word) / 2
            free = all(x + half < left or right < x - half or abs(y - line) > 1 for left, right, line in written)
            if free:
                written.append((x - half, x + half, y))
                axes.text(x, y, word, ha="center", va="center", color=INK, fontsize=9)
            else:
                axes.scatter([x], [y], s=4, color=ACCENT, alpha=0.5, linewidths=0)
        axes.set_xlim(-8, 100 * MAP_SHAPE[0] + 8)
        axes.set_ylim(-1, 100 * MAP_SHAPE[1] + 1)
        return as_svg(sheet)


def reliability(
    lines: Mapping[str, Sequence[tuple[float, float]]],
    highlight: str,
    said: str = "confidence",
    seen: str = "accuracy",
    most: float = 1.0,
) -> str:
    """Reliability diagram: shares that came true by predicted probability, one line per model, beside the diagonal.

    Args:
        lines: model -> (said, seen) of its bins, by what was said.
        highlight: the model to draw in the accent colour.
        said: what the models give.
        seen: what is counted.
        most: where the axes end.

    Returns:
        An SVG element.
    """
    with mpl.rc_context(STYLE):
        sheet = Figure(figsize=(5.4, 4.2))
        axes = sheet.subplots()
        axes.plot([0, most], [0, most], color=INK, linestyle=":", label=TRUE)
        for place, (model, bins) in enumerate(line for line in lines.items() if line[1]):
            x, y = zip(*bins, strict=True)
            best = model == highlight
            colour = ACCENT if best else COLOURS[(2 * place) % len(COLOURS)]
            axes.plot(x, y, label=model, color=colour, marker="o", markersize=3, linewidth=2.2 if best else 1)
        _label(axes, said, seen)
        return as_svg(sheet)


def principal_plane(vectors: Matrix) -> Matrix:
    """Project rows on their first two principal axes, signs fixed: float32 (A, 2)."""
    centred = vectors - vectors.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    flat = np.zeros((len(vectors), 2), dtype=np.float32)
    flat[:, : len(axes)] = centred @ axes.T
    return flat


def _label(axes: Axes, x_label: str, y_label: str) -> None:
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.legend(frameon=False)


def as_svg(sheet: Figure) -> str:
    """A figure as an SVG element without XML prologue or date."""
    buffer = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # the browser draws the text
        sheet.savefig(buffer, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
