"""``python -m jobs evaluate``: judge every model on the impressions held out, the last ones in time.

Reads ``articles/``, ``features/``, ``baselines/`` and ``ctr/``; prints the models side by side, over all lists and by
how much their readers had clicked before, then what each lever of re-ranking makes of the first cards and costs in
clicks, and with ``--json`` one JSON object on the last line: model -> figures, of the click model also "log_loss" and
"calibration_error".
"""

import json
import sys
from collections.abc import Mapping

import pandas as pd

from jobs.runner import Context
from recsys.evaluate.held_out import segment_figures
from recsys.evaluate.list_figures import list_figures
from recsys.evaluate.stage_files import (
    PROBABILITY_FIGURES,
    evaluation,
    load_article_sources,
    load_article_vectors,
    load_held_out,
)
from recsys.metrics import RANKING_FIGURES

STAGES = ("events", "articles", "features", "baselines", "ctr")


def comparison(figures: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """Models side by side, the best by AUC first: a row per model, a column per figure."""
    rows = {model: pd.Series(dict(values), dtype=float) for model, values in figures.items()}
    table: pd.DataFrame = pd.DataFrame(rows).T.reindex(columns=[*RANKING_FIGURES, *PROBABILITY_FIGURES])
    return table.sort_values("auc", ascending=False, kind="stable")


def as_text(table: pd.DataFrame) -> str:
    """A table for people: four places, a dash for what is not known."""
    shown = table.rename(columns=lambda name: name.replace("_", " "))
    return str(shown.to_string(float_format="{:.4f}".format, na_rep="–"))


def command(context: Context, *, as_json: bool) -> None:
    """Print the figures."""
    folders = {stage: context.workspace.verified(stage) for stage in STAGES}
    figures, note = evaluation(folders, context.seed)
    out = sys.stderr if as_json else sys.stdout
    if figures:
        print(as_text(comparison(figures)), file=out)
        rows, scores, baselines = load_held_out(folders)
        print(f"\n{as_text(segment_figures(rows, scores, context.seed, baselines))}\n", file=out)
        sources = load_article_sources(folders, context.settings.site.name)
        vectors = load_article_vectors(folders["articles"])
        levers = list_figures(rows, scores, *vectors, sources, context.settings.recommend)
        if len(levers):
            print(f"first cards, re-ranked:\n{as_text(levers)}\n", file=out)
    print(note, file=out)
    if as_json:
        print(json.dumps(figures, sort_keys=True))
