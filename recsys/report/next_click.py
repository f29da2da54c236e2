"""The page of the next click: the click model beside known simple methods, on the same lists.

Reads figures by model and the settings of each baseline; produces a page.
"""

from collections.abc import Mapping

import pandas as pd

from recsys.metrics import RANKING_FIGURES
from recsys.report.charts import bars
from recsys.report.page import Block, Page, Part, Picture, Table

CLICK_MODEL = "ctr"
METHODS = {
    "ctr": "the click model of this release",
    "random": "chance",
    "popularity": "clicks of everybody just now",
    "rules": "what is clicked after the last click (sequential rules)",
    "item_knn": "what is clicked in one visit with this visit's clicks (decayed item-kNN)",
    "v_sknn": "what the most similar visits clicked (V-SkNN)",
}


def next_click_page(
    figures: Mapping[str, Mapping[str, float]], settings: Mapping[str, Mapping[str, float]], note: str
) -> Page:
    """The page of the next click.

    Args:
        figures: model -> figure -> value; empty when nothing could be judged.
        settings: baseline -> the settings that were chosen for it.
        note: how they were judged, or why they could not be.
    """
    shown = {name: figures[name] for name in METHODS if name in figures}
    parts = [Part("Ranking what is clicked next", f"{note} {_verdict(shown)}".strip(), ranking_blocks(shown))]
    if shown:
        methods = pd.DataFrame(
            {
                "what it ranks by": [METHODS[name] for name in shown],
                "remembers": [_memory(settings.get(name, {})) for name in shown],
            },
            pd.Index(shown, name="model"),
        )
        parts.append(Part("The methods", _MEMORY, [Table.of(methods, said=("what it ranks by", "remembers"))]))
    return Page("next_click", "Next click", "Is the click model better than what is simple?", parts)


_MEMORY = (
    "All of them see only what was clicked strictly before a list was shown. How long each remembers is what"
    " ranked best on the lists before the held-out ones."
)


def _verdict(figures: Mapping[str, Mapping[str, float]]) -> str:
    """A sentence on the model that ranks best by AUC."""
    others = {name: values["auc"] for name, values in figures.items() if name != CLICK_MODEL}
    if not others or CLICK_MODEL not in figures:
        return ""
    best = max(others, key=lambda name: others[name])
    ahead = figures[CLICK_MODEL]["auc"] - others[best]
    if ahead > 0:
        return f"The click model is {ahead:.3f} AUC ahead of the best of the others, {best}."
    return f"The click model is not ahead: {best} is {abs(ahead):.3f} AUC better."


def ranking_blocks(figures: Mapping[str, Mapping[str, float]]) -> list[Block]:
    """The ranking figures of every model as a table and a picture; nothing where nothing was judged."""
    if not figures:
        return []
    table = pd.DataFrame.from_dict(dict(figures), orient="index")[list(RANKING_FIGURES)].rename_axis("model")
    drawn = bars(figures, RANKING_FIGURES, CLICK_MODEL)
    picture = Picture("Ranking quality by model, impressions held out", drawn, True, RANKING_FIGURES)
    return [Table.of(table, RANKING_FIGURES), picture]


def _memory(settings: Mapping[str, float]) -> str:
    """The memory of a baseline, in words."""
    if "half_life_hours" in settings:
        return f"half after {settings['half_life_hours']:g} h"
    return f"the last {settings['sample']:g} visits of each article" if "sample" in settings else "–"
