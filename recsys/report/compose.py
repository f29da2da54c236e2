"""The stages' files -> every page of the report."""

from collections.abc import Sequence

from recsys.evaluate.held_out import COLUMN_MODELS
from recsys.quality.profile import DataProfile
from recsys.report.categories import categories_page
from recsys.report.click_model import Previous, click_model_page
from recsys.report.config import ReportConfig
from recsys.report.data import data_page
from recsys.report.keywords import keywords_page
from recsys.report.next_click import next_click_page
from recsys.report.overview import Facts, Figures, Folders, overview
from recsys.report.page import Page
from recsys.report.words import words_page
from recsys.workspace import read_json


def compose(
    folders: Folders,
    facts: Facts,
    figures: Figures,
    note: str,
    config: ReportConfig,
    seed: int,
    data: DataProfile,
    missing: Sequence[str],
    previous: Previous | None = None,
) -> list[Page]:
    """Gather what the pages show.

    Args:
        folders: stage -> its folder; events, tokens, words, keywords, articles, categories, tasks, baselines, ctr.
        facts: stage -> what it counted and measured.
        figures: model -> figure -> value, empty when nothing could be judged.
        note: how they were judged, or why they could not be.
        config: how much is shown.
        seed: decides which articles stand on a map.
        data: figures of what the site gave.
        missing: what the release lacks, see ``recsys.report.lacks``.
        previous: the release before this one, to stand beside it.
    """
    columns = {model: figures[model] for model in ("random", *COLUMN_MODELS, "ctr") if model in figures}
    return [
        overview(folders, facts, columns, note, missing, config.map_articles, seed),
        data_page(data),
        next_click_page(figures, read_json(folders["baselines"] / "chosen.json"), note),
        click_model_page(folders["ctr"], read_json(folders["events"] / "log.json")["simulated"], previous),
        words_page(folders["words"], folders["tokens"], config.map_words, config.max_new_words),
        keywords_page(folders, config.examples),
        categories_page(folders["categories"], folders["tasks"]),
    ]
