"""The rows of the keywords benchmark as bars with intervals."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from benchmarks.bootstrap import Vector, paired_interval

OURS_COLOUR, OTHERS_COLOUR = "#b3261e", "#9aa0a6"


def draw(values: Mapping[str, Vector], file: Path, seed: int) -> None:
    """Draw one bar per method with the 95 % bootstrap interval of its mean.

    Args:
        values: method -> float64 (N,), F1@10 of each document.
        file: .svg or .png; equal input gives equal bytes.
        seed: of the resamples.
    """
    means = [paired_interval(row, np.zeros_like(row), np.random.default_rng(seed)) for row in values.values()]
    centre = np.array([mean.difference for mean in means]) * 100
    reach = np.array([[mean.difference - mean.low, mean.high - mean.difference] for mean in means]).T * 100  # (2, rows)
    names = [name.replace("_", " ") for name in values]
    colours = [OURS_COLOUR if name.startswith("ours") else OTHERS_COLOUR for name in values]
    with mpl.rc_context({"svg.hashsalt": "keywords", "font.size": 11}):
        figure = Figure(figsize=(8, 0.45 * len(names) + 1), layout="constrained")
        axes = figure.subplots()
        axes.barh(names, centre, xerr=reach, color=colours, ecolor="#3c4043", capsize=3)
        axes.invert_yaxis()
        axes.set_xlabel("F1@10, per cent, with 95 % intervals over documents")
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)
