"""The pages of words and of keywords: how good the word vectors are, which words are new; keywords of some articles."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from recsys.report.charts import curves, word_map
from recsys.report.page import Block, Counts, Example, Examples, Page, Part, Picture, Table
from recsys.workspace import read_json, read_table

Judged = Mapping[str, Any]
Folders = Mapping[str, Path]

KEYWORDS_SHOWN = 8  # keywords of an article
KEYWORDS_LEAD = "What the articles are about, ranked by the votes that words give each other, with their weights."


def words_page(words: Path, tokens: Path, map_words: int, new_words: int) -> Page:
    """The page of words.

    Args:
        words: the stage's folder.
        tokens: the stage's folder.
        map_words: words on a map, at most, the most frequent.
        new_words: entries of the lexicon shown per language, the most frequent.
    """
    judged: Judged = read_json(words / "evaluation.json")
    parts = [
        _loss(judged["loss"]),
        _similarity(judged["similarity"]),
        _analogies(judged["analogies"]),
        _neighbours(judged["neighbours"]),
        _vocabulary(judged),
        _drift(judged["drift"]),
        _map(judged["map"], map_words),
        _lexicon(tokens, new_words),
    ]
    return Page(
        "words", "Words", "How good the word vectors are, as people judge them, and which words are new.", parts
    )


def _loss(loss: Sequence[float]) -> Part:
    if not loss:
        return Part("Training", "Nothing was trained, or the model reports no loss.")
    picture = Picture("Loss by epoch", curves({"fit": loss}, "epoch", "loss"), labels=("fit", "epoch", "loss"))
    return Part("Training", blocks=[picture])


def _similarity(rows: Sequence[Judged]) -> Part:
    heading = "Word similarity"
    if not any(row["covered"] for row in rows):
        return Part(heading, "No list of judged word pairs shares enough words with this vocabulary.")
    columns = {"name": "list", "language": "language", "pairs": "pairs", "covered": "known", "spearman": "Spearman"}
    note = "Spearman's correlation of the vectors' cosines with people's judgements, on the pairs of known words."
    return Part(heading, note, [_columns(rows, columns)])


def _analogies(rows: Sequence[Judged]) -> Part:
    heading = "Analogies"
    if not any(row["covered"] for row in rows):
        return Part(heading, "No list of analogies shares enough words with this vocabulary.")
    columns = {"name": "list", "language": "language", "questions": "questions"}
    columns |= {"covered": "known", "accuracy": "accuracy"}
    note = "Berlin is to Germany as Paris is to …: how often the nearest word is the right one."
    return Part(heading, note, [_columns(rows, columns)])


def _columns(rows: Sequence[Judged], columns: Mapping[str, str]) -> Table:
    """Some keys of every row, as columns of other names."""
    return Table.of(pd.DataFrame(rows)[list(columns)].rename(columns=columns))


def _neighbours(rows: Sequence[Judged]) -> Part:
    heading = "Nearest words"
    if not rows:
        return Part(heading, "The vocabulary has no noun that is frequent enough.")
    shown = [
        Example(
            _written(row["word"]),
            f"{row['count']:,} times",
            words=_named(row["nearest"]),
            language=row["language"],
            said=True,
        )
        for row in rows
    ]
    return Part(heading, "Of the most frequent nouns of each language, with the cosine.", [Examples(shown)])


def _vocabulary(judged: Judged) -> Part:
    blocks: list[Block] = []
    shares = judged["out_of_vocabulary"]
    if shares:
        blocks.append(Counts({"share": shares}))
    if judged["pretrained"]:
        read = {name: judged["pretrained"][name] for name in ("words", "used", "duplicates", "refused")}
        blocks.append(Counts({"read": read, "refused": judged["pretrained"]["reasons"]}))
    note = "Share of the corpus's words that have no vector." if shares else "There was no text."
    if judged["pretrained"]:
        note += f" Training started from vectors of {judged['pretrained']['file']}."
    return Part("Out of vocabulary", note, blocks)


def _drift(drift: Judged | None) -> Part:
    heading = "Drift"
    if drift is None:
        return Part(heading, "There is no earlier word space that this one could be compared with.")
    note = (
        f"After being turned onto the last space, the {drift['shared_words']:,} words that both know have a mean cosine"
        f" of {drift['mean_cosine']:.3f} with their former selves. Those that moved most:"
    )
    return Part(heading, note, [Examples([Example("Moved most", words=_named(drift["moved_most"]))])])


def _map(points: Sequence[Judged], most: int) -> Part:
    heading = "Map of the words"
    pictures = [
        Picture(f"Frequent words on a plane, near ones together ({language})", word_map(*_placed(mine)), True)
        for language in dict.fromkeys(point["language"] for point in points)
        if (mine := [point for point in points if point["language"] == language][:most])
    ]
    return Part(heading, "" if pictures else "There are too few words for a map.", pictures)


def _placed(points: Sequence[Judged]) -> tuple[list[str], list[tuple[float, float]]]:
    return [_written(point["word"]) for point in points], [(point["x"], point["y"]) for point in points]


def _lexicon(tokens: Path, most: int) -> Part:
    heading = "New words and collocations"
    lexicon = read_table(tokens / "lexicon.parquet").to_pandas()
    if lexicon.empty:
        return Part(heading, "No two neighbours in these texts are frequent and close enough to count as one word.")
    lexicon = lexicon.sort_values(["count", "entry"], ascending=[False, True], kind="stable")
    columns = {"entry": "word", "count": "count", "npmi": "NPMI", "branching_entropy": "branching entropy"}
    tables = []
    for language, entries in lexicon.groupby("language"):
        shown = entries.head(most).assign(entry=entries["entry"].map(_written))[list(columns)].rename(columns=columns)
        caption = f"{len(entries):,} in all ({language}); the most frequent are shown."
        tables.append(Table.of(shown, caption=caption))
    note = (
        "Neighbours that stand together oftener than chance (NPMI: normalised pointwise mutual information) and in many"
        " surroundings (the smaller branching entropy, in nats) became one word."
    )
    return Part(heading, note, tables)


def _named(pairs: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    return [(_written(word), cosine) for word, cosine in pairs]


def _written(word: str) -> str:
    """A word as a text has it: a collocation with blanks."""
    return word.replace("_", " ")


def keywords_page(folders: Folders, most: int) -> Page:
    """The page of keywords.

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
    return Page("keywords", "Keywords", KEYWORDS_LEAD, parts or [Part("Articles", "There was no article.", [])])


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
                words=list(islice(zip(row["keywords"], row["weights"], strict=True), KEYWORDS_SHOWN)),
                language=language,
            )
            for row in rows[:: max(1, len(rows) // share)][:share]
        ]
        for language, rows in by_language.items()
    }


def _column(folder: Path, name: str) -> dict[str, str]:
    table = read_table(folder / "articles.parquet", ["id", name])
    return dict(zip(table["id"].to_pylist(), table[name].to_pylist(), strict=True))
