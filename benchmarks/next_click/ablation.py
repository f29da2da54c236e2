"""Worth of each part: the click model without one family of features, and with a state that moves less often."""

import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from benchmarks.next_click.figures import mean_figures, sampled_figures
from benchmarks.next_click.runs import GAP_MINUTES, Options, contenders, extra_of, lists_for, places_of, tables_of
from recsys.dataset.replay import LogReplay
from recsys.evaluate.prequential import RefitSchedule, prequential_scores
from recsys.events import Events
from recsys.features import GROUPS, NAMES
from recsys.readers.config import ReadersConfig
from recsys.trends.config import TrendsConfig
from recsys.units import MINUTE_MS

SILENT = ("impressions", "content", "category", "tags")  # a log of clicks alone says nothing of these
VECTORS = tuple(name for name in NAMES if name.startswith(("item_", "earlier_item")))
STATES = {"every click": 0, "10 minutes": 10, "1 hour": 60, "6 hours": 360}

Figures = dict[str, float]


def families() -> dict[str, tuple[str, ...]]:
    """The columns left when one family is taken away, beside all of them and popularity alone."""
    told = {name: columns for name, columns in GROUPS.items() if name not in SILENT and name != "items"}
    told["item vectors"] = VECTORS
    left = {f"without {name}": tuple(n for n in NAMES if n not in columns) for name, columns in told.items()}
    return {
        "all": NAMES,
        **left,
        "popularity, slope and age alone": (*GROUPS["popularity"], *GROUPS["slope"], *GROUPS["age"]),
    }


def measure(
    events: Events, options: Options, seed: int, columns: dict[str, tuple[str, ...]], minutes: int
) -> dict[str, Figures]:
    """Replay with one model for each set of columns, on a state that moves every so many minutes."""
    lists, clicked, judged = lists_for(events, options, seed)
    walk = LogReplay(events, lists, TrendsConfig(), ReadersConfig(), GAP_MINUTES, minutes * MINUTE_MS)
    walk.use_tables(tables_of(events, seed))
    models = contenders(seed, columns)
    parts = prequential_scores(
        walk, lists, models, RefitSchedule(), seed=seed, score_from=judged, extra=extra_of(lists)
    )
    places = places_of(parts, len(lists) - judged, judged, seed)
    return {name: mean_figures([sampled_figures(found, clicked[judged:])]) for name, found in places.items()}


def ablate(events: Events, options: Options, seed: int, folder: Path) -> dict[str, object]:
    """Measure both, write ``ablation.json`` and ``ablation.svg``, and return what the former holds."""
    features = measure(events, options, seed, families(), 0)
    states = {"every click": features["all"]}
    for name, minutes in STATES.items():
        if minutes:
            states[name] = measure(events, options, seed, {name: NAMES}, minutes)[name]
    folder.mkdir(parents=True, exist_ok=True)
    told: dict[str, object] = {"features": features, "state_moves": states, "seed": seed}
    (folder / "ablation.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    for title, table in (("features", features), ("state moves", states)):
        print(title)
        for name, figures in table.items():
            print(f"  {name:32}", "  ".join(f"{key} {value:.4f}" for key, value in figures.items()))
    draw(features, states, folder / "ablation.svg")
    return told


def draw(features: dict[str, Figures], states: dict[str, Figures], file: Path) -> None:
    """Loss in points of HR@10 and MRR@10, against the whole model."""
    whole = features["all"]
    lost = {
        name: [100 * (whole[key] - figures[key]) for key in ("hr@10", "mrr@10")]
        for name, figures in [*features.items(), *((f"state moves every {name}", f) for name, f in states.items())]
        if name not in ("all", "state moves every every click")
    }
    names = sorted(lost, key=lambda name: lost[name][0])
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "recsys", "font.size": 11}):
        sheet = Figure(figsize=(9.5, 0.9 + 0.36 * len(names)))
        axes = sheet.subplots()
        places = np.arange(len(names))
        for shift, column, label, colour in ((0.2, 0, "HR@10", "#c2410c"), (-0.2, 1, "MRR@10", "#7d8590")):
            drawn = axes.barh(places + shift, [lost[name][column] for name in names], 0.38, label=label, color=colour)
            axes.bar_label(drawn, fmt="%.1f", padding=3, fontsize=9)
        axes.set_yticks(places, names)
        axes.set_xlabel(f"points lost against all features (HR@10 {whole['hr@10']:.3f}, MRR@10 {whole['mrr@10']:.3f})")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="lower right")
        sheet.savefig(file, bbox_inches="tight", metadata={"Date": None})
