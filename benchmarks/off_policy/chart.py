"""Picture of the simulated figures: how often each interval holds the true value, and how wide it is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from recsys.metrics.off_policy import LEVEL

SHOWN = {  # estimate -> label, colour
    "ips": ("IPS, gamma interval", "#c2410c"),
    "snips": ("SNIPS, gamma interval", "#8250df"),
    "dr": ("doubly robust, gamma interval", "#2da44e"),
    "ips_normal": ("IPS, normal interval", "#7d8590"),
    "ips_largest": ("IPS, by the largest weight", "#57606a"),
    "ips_bootstrap": ("IPS, bootstrap interval", "#1f6feb"),
}
PANELS = (("coverage", "intervals that hold the true value"), ("width", "mean width of the interval / true value"))


def draw(ours: Mapping[str, Any], usual: Mapping[str, Any], file: Path) -> None:
    """Draw both, over the logging policies that are seldom refused.

    Args:
        ours: logging policy -> its figures, see ``simulated.repeat``.
        usual: the same of the usual intervals.
        file: .svg or .png; equal input gives equal bytes.
    """
    policies = [name for name, row in ours.items() if row["refused"] < 0.5]
    labels = [f"{name}\n({ours[name]['effective_size']:,.0f})" for name in policies]
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "recsys", "font.size": 10}):
        sheet = Figure(figsize=(9.5, 4.2), layout="constrained")
        for axes, (figure, label) in zip(sheet.subplots(1, 2), PANELS, strict=True):
            for estimate, (name, colour) in SHOWN.items():
                rows = [(ours[policy]["estimates"] | usual[policy]["estimates"])[estimate] for policy in policies]
                axes.plot(labels, [row[figure] for row in rows], marker="o", color=colour, label=name)
            axes.set_title(label, loc="left", fontsize=10)
            axes.spines[["top", "right"]].set_visible(False)
            axes.set_xlabel("logging policy (effective size of its log)")
        coverage, width = sheet.axes
        coverage.axhline(LEVEL, color="#3c4043", linewidth=0.8, linestyle=":")
        coverage.set_ylim(top=1.005)
        width.set_yscale("log")
        width.yaxis.set_major_formatter(ScalarFormatter())
        width.legend(frameon=False, fontsize=9, loc="upper left")
        sheet.suptitle("Simulated logs; logging policies from near the target to far from it", x=0.01, ha="left")
        sheet.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)
