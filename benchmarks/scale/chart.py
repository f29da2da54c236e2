"""A picture of growth: CPU time and memory of every command by the number of articles, and the line n^1."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from benchmarks.scale.growth import Growth, Table
from recsys.report.charts import ACCENT, STYLE, as_svg

NAMED = 6  # commands that are named in each panel: those that cost most at the largest size


def picture(sizes: Sequence[int], tables: Sequence[Table], growth: dict[str, Growth]) -> str:
    """Two panels as an SVG element; the costliest commands are named, with their exponents."""
    with mpl.rc_context(STYLE):
        sheet = Figure(figsize=(10.5, 4.8), layout="constrained")
        cpu, memory = sheet.subplots(1, 2)
        seconds = {name: [max(table[name].cpu_seconds, 0.1) for table in tables] for name in growth}
        mib = {name: [float(table[name].peak_mib) for table in tables] for name in growth}
        _panel(cpu, sizes, seconds, {name: one.cpu for name, one in growth.items()}, "CPU seconds")
        _panel(memory, sizes, mib, {name: one.memory for name, one in growth.items()}, "MiB at most")
        return as_svg(sheet)


def _panel(
    panel: Axes, sizes: Sequence[int], costs: dict[str, list[float]], exponents: dict[str, float | None], title: str
) -> None:
    largest = sorted(costs, key=lambda name: -costs[name][-1])[:NAMED]
    for name, values in costs.items():
        exponent = "" if exponents[name] is None else f", n^{exponents[name]:.2f}"
        style: dict[str, Any] = {"linewidth": 0.6, "color": "#b5b5b5"}
        if name in largest:
            style = {"linewidth": 1.6, "label": name + exponent}
        panel.plot(sizes, values, marker="o", markersize=3, **style)
    top = max(values[-1] for values in costs.values())
    panel.plot(sizes, [top * size / sizes[-1] for size in sizes], color=ACCENT, linestyle=":", label="n^1")
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_title(f"{title}, by articles", loc="left", fontsize=11)
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
    panel.legend(frameon=False, fontsize=8)
