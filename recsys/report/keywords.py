"""The page of keywords: some articles of every language, with what was found in them."""

from itertools import islice
from pathlib import Path

from recsys.report.overview import Folders
from recsys.report.page import Example, Examples, Page, Part
from recsys.workspace import read_table

SHOWN = 8  # keywords of an article

LEAD = "What the articles are about, ranked by the votes that words give each other, with their weights."


def keywords_page(folders: Folders, most: int) -> Page:
    """Gather the page of keywords.

    Args:
        folders: stage -> its folder; events, tokens, keywords, categories.
        most: how many articles.
    """
    parts = []
    for language, rows in keyword_examples(folders, most).items():
        note = "" if rows else "No article in this language has keywords."
        parts.append(
            Part({"zh": "Chinese", "en": "English"}.get(language, language), note, [Examples(rows)] if rows else [])
        )
    return Page("keywords", "Keywords", LEAD, parts or [Part("Articles", "There was no article.", [])])


def keyword_examples(folders: Folders, most: int) -> dict[str, list[Example]]:
    """A few articles by language, evenly spread over the catalogue, with their keywords.

    Args:
        folders: see ``keywords_page``.
        most: how many articles of all languages.
    """
    titles = _column(folders["events"], "title")
    languages = _column(folders["tokens"], "language")
    categories = _column(folders["categories"], "category")
    table = read_table(folders["keywords"] / "keywords.parquet", ["id", "keywords", "weights"]).to_pylist()
    by_language = {
        name: [row for row in table if row["keywords"] and languages[row["id"]] == name]
        for name in sorted(set(languages.values()))
    }
    share = -(-most // max(1, sum(bool(rows) for rows in by_language.values())))
    return {
        language: [
            Example(
                titles[row["id"]] or row["id"],
                categories[row["id"]] or "",
                words=list(islice(zip(row["keywords"], row["weights"], strict=True), SHOWN)),
                language=language,
            )
            for row in rows[:: max(1, len(rows) // share)][:share]
        ]
        for language, rows in by_language.items()
    }


def _column(folder: Path, name: str) -> dict[str, str]:
    table = read_table(folder / "articles.parquet", ["id", name])
    return dict(zip(table["id"].to_pylist(), table[name].to_pylist(), strict=True))
