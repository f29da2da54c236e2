"""The page of the next click: the click model beside known simple methods, on the same lists.

Reads figures by model and the settings of each baseline; produces a page.
"""

from collections.abc import Mapping

from recsys.evaluate.held_out import RANKING_FIGURES
from recsys.report.page import Block, Cell, Page, Part, Picture, Table
from recsys.report.plots import bars

OURS = "ctr"
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
    """Gather the page.

    Args:
        figures: model -> figure -> value; empty when nothing could be judged.
        settings: baseline -> the settings that were chosen for it.
        note: how they were judged, or why they could not be.
    """
    shown = {name: figures[name] for name in METHODS if name in figures}
    parts = [Part("Ranking what is clicked next", f"{note} {_verdict(shown)}".strip(), _ranking(shown))]
    if shown:
        rows: list[list[Cell]] = [[name, METHODS[name], _memory(settings.get(name, {}))] for name in shown]
        parts.append(Part("The methods", _MEMORY, [Table(["model", "what it ranks by", "remembers"], rows)]))
    return Page("next_click", "Next click", "Is the click model better than what is simple?", parts)


_MEMORY = (
    "All of them see only what was clicked strictly before a list was shown. How long each remembers is what"
    " ranked best on the lists before the held-out ones."
)


def _verdict(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Who ranks best by AUC, in a sentence."""
    others = {name: values["auc"] for name, values in figures.items() if name != OURS}
    if not others or OURS not in figures:
        return ""
    best = max(others, key=lambda name: others[name])
    ahead = figures[OURS]["auc"] - others[best]
    if ahead > 0:
        return f"The click model is {ahead:.3f} AUC ahead of the best of the others, {best}."
    return f"The click model is not ahead: {best} is {abs(ahead):.3f} AUC better."


def _ranking(figures: Mapping[str, Mapping[str, float]]) -> list[Block]:
    if not figures:
        return []
    rows: list[list[Cell]] = [[model, *(values[name] for name in RANKING_FIGURES)] for model, values in figures.items()]
    picture = Picture("Ranking quality by model, impressions held out", bars(figures, RANKING_FIGURES, OURS), True)
    return [Table(["model", *RANKING_FIGURES], rows, RANKING_FIGURES), picture]


def _memory(settings: Mapping[str, float]) -> str:
    """How long a baseline remembers, in words."""
    if "half_life_hours" in settings:
        return f"half after {settings['half_life_hours']:g} h"
    if "refit_hours" in settings:
        return f"the last {24 * settings['days']:g} h, learned anew every {settings['refit_hours']:g} h"
    return f"the last {settings['sample']:g} visits of each article" if "sample" in settings else "–"
