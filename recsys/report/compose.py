"""The stages' files -> every page of the report."""

from recsys.report import ReportConfig
from recsys.report.categories import categories_page
from recsys.report.keywords import keywords_page
from recsys.report.overview import Facts, Figures, Folders, overview
from recsys.report.page import Page
from recsys.report.words import words_page


def compose(folders: Folders, facts: Facts, figures: Figures, note: str, config: ReportConfig, seed: int) -> list[Page]:
    """Gather what the pages show.

    Args:
        folders: stage -> its folder; events, tokens, words, keywords, articles, categories, tasks, ctr.
        facts: stage -> what it counted and measured.
        figures: model -> figure -> value, empty when nothing could be judged.
        note: how they were judged, or why they could not be.
        config: how much is shown.
        seed: decides which articles stand on a map.
    """
    return [
        overview(folders, facts, figures, note, config.map_articles, seed),
        words_page(folders["words"], folders["tokens"], config.map_words, config.new_words),
        keywords_page(folders, config.examples),
        categories_page(folders["categories"], folders["tasks"]),
    ]
