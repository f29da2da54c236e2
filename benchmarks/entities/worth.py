"""Worth of the names of articles where they could be used: keywords, stories, the neighbours of an article.

    python -m benchmarks.entities.worth --keywords FILE --pairs FILE --stream FILE --articles FILE

Names are those that the rules find without labels (``EntityFinder``). Each use is measured beside the same without:

- keywords (``--keywords``): F1@10 when a name takes the place of a keyword that is a part of it and hardly stands
  alone, and when two names that no keyword is a part of come in as well, behind the fifth;
- stories: texts of one topic (``--pairs``, AUC) and headlines of one story (``--stream``, whether the nearest is of
  it), by the likeness of terms, and by that and the names that both have, at several weights;
- neighbours (``--articles``, texts with a category): purity of the nearest ten by the mean of the keywords, with those
  that are names weighing double, half and nothing.

Prints tables, and one JSON object on the last line; differences are paired, with 95 % bootstrap intervals.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rjieba
from gensim.test.utils import datapath

from benchmarks.autoencoder import nearest
from benchmarks.bootstrap import paired_interval
from benchmarks.categories.data import as_corpus, encode, read_articles
from benchmarks.keywords.data import read_documents, read_texts
from benchmarks.keywords.judging import judge
from benchmarks.keywords.pipeline import prepare, ranked
from benchmarks.stories.data import read_pairs, read_stream
from benchmarks.stories.judging import auc
from recsys.articles.vectors import keyword_means
from recsys.entities import EntityFinder
from recsys.keywords import Keywords
from recsys.settings import load_settings
from recsys.stories.similarity import TermRarity, similarity, weighted_terms
from recsys.words import Matrix
from recsys.workspace import read_table

WEIGHTS = (0.1, 0.2, 0.4)  # of the shared names beside the likeness of terms
FACTORS = {"names_double": 2.0, "names_half": 0.5, "names_left_out": 0.0}
NEWS = "lee_background.cor"  # inside the gensim package: words are learned from it as well, as in benchmarks.keywords
LEAST_NAMED = 2  # times that a name stands in a text before it is added to its keywords
TOP, MOST, HEADLINES = 10, 2000, 1000

Figures = dict[str, Any]
Values = npt.NDArray[np.float64]


def names_of(finder: EntityFinder, text: str, language: str) -> list[str]:
    """The names of a text in small letters, each once."""
    return list(dict.fromkeys(" ".join(name.text.lower().split()) for name in finder.entities_of(text, language)))


def with_names(keys: Sequence[str], names: Sequence[str], text: str, *, added: bool) -> list[str]:
    """Keywords in which whole names stand in the place of their parts.

    Args:
        keys: best first.
        names: in small letters.
        text: in small letters.
        added: a name that stands there several times and has no keyword as its part comes in as well, behind the fifth.
    """
    whole: list[str] = []
    for key in keys:
        longer = next((name for name in names if key != name and f" {key} " in f" {name} "), None)
        alone = longer is None or text.count(key) > text.count(longer)
        whole.append(key if alone or longer is None else longer)
    if added:
        known = set(whole)
        more = [name for name in names if name not in known and text.count(name) >= LEAST_NAMED]
        whole[TOP // 2 : TOP // 2] = more[:2]
    return list(dict.fromkeys(whole))


def of_keywords(file: Path, finder: EntityFinder, seed: int) -> Figures:
    """F1@10 in per cent with names and without."""
    documents, _ = read_documents(file, MOST)
    settings = load_settings()
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(documents, read_texts(Path(datapath(NEWS))), Path(folder), settings, seed)
        keys, _ = ranked(prepared, settings.keywords)
    texts = [f"{document.title}\n{document.body}" for document in documents]
    names = [names_of(finder, text, prepared.language) for text in texts]
    rows = {"plain": keys}
    for name, added in (("whole_names", False), ("names_added", True)):
        rows[name] = [with_names(k, n, t.lower(), added=added) for k, n, t in zip(keys, names, texts, strict=True)]
    judged = {name: judge(row, documents, prepared.language).values["f1@10"] for name, row in rows.items()}
    return {
        name: [round(100 * value, 2) for value in beside(values, judged["plain"], seed)]
        for name, values in judged.items()
    }


def shared(one: set[str], other: set[str]) -> float:
    """Share of the names of the text with fewer that the other has, too."""
    return len(one & other) / max(1, min(len(one), len(other)))


def of_pairs(file: Path, finder: EntityFinder) -> Figures:
    """AUC of texts of one topic against texts of two."""
    pairs = read_pairs(file)
    texts = [(weighted_terms(pair.one), weighted_terms(pair.other)) for pair in pairs]
    rarity, same = TermRarity(text for both in texts for text in both), np.array([pair.same for pair in pairs])
    alike = np.array([similarity(one, other, rarity) for one, other in texts])
    named = np.array([shared(*({*names_of(finder, text, "zh")} for text in (pair.one, pair.other))) for pair in pairs])
    rows = {f"names_{weight:g}": alike + weight * named for weight in WEIGHTS}
    scores = {"plain": alike, "names_alone": named, **rows}
    return {name: round(auc(score, same), 4) for name, score in scores.items()}


def of_stream(file: Path, finder: EntityFinder, seed: int) -> Figures:
    """Share of headlines whose nearest one is of the same story, of those whose story has another one."""
    rows = read_stream(file)[:HEADLINES]
    terms = [weighted_terms(row.title) for row in rows]
    rarity, stories = TermRarity(terms), np.unique([row.story for row in rows], return_inverse=True)[1]
    names = [{*names_of(finder, row.title, "en")} for row in rows]
    alike = np.array([[similarity(one, other, rarity) for other in terms] for one in terms])
    named = np.array([[shared(one, other) for other in names] for one in names])
    several = np.bincount(stories)[stories] > 1
    hits: dict[str, Values] = {}
    added = {f"names_{weight:g}": alike + weight * named for weight in WEIGHTS}
    for name, scores in ({"plain": alike} | added).items():
        np.fill_diagonal(scores, -1)
        hits[name] = (stories[scores.argmax(axis=1)] == stories)[several].astype(np.float64)
    return {name: [round(value, 4) for value in beside(hit, hits["plain"], seed)] for name, hit in hits.items()}


def of_articles(file: Path, finder: EntityFinder, seed: int) -> Figures:
    """Purity of the nearest ten articles by the keyword mean, with names weighing more and less."""
    rows, settings = read_articles(file), load_settings()
    corpus = as_corpus(rows, np.zeros(len(rows), np.int64))
    with tempfile.TemporaryDirectory() as folder:
        encoded = encode(corpus, Path(folder), settings, seed)
        table = read_table(Path(folder) / "keywords.parquet", columns=["keywords", "weights", "parts"]).to_pylist()
    keywords = [Keywords(row["keywords"], np.array(row["weights"], np.float32), row["parts"]) for row in table]
    texts = [f"{title}\n{body}" for title, body in zip(corpus.titles, corpus.bodies, strict=True)]
    names = [f" {' '.join(names_of(finder, text, corpus.language))} " for text in texts]
    labels = np.unique(corpus.labels, return_inverse=True)[1]

    def pure(factor: float) -> Values:
        weighed = [weighted(one, name, factor) for one, name in zip(keywords, names, strict=True)]
        vectors: Matrix = np.nan_to_num(keyword_means(weighed, encoded.words, 40))
        shares: Values = (labels[nearest(vectors)] == labels[:, None]).mean(axis=1)
        return shares

    values = {"plain": pure(1.0)} | {name: pure(factor) for name, factor in FACTORS.items()}
    return {name: [round(value, 4) for value in beside(one, values["plain"], seed)] for name, one in values.items()}


def weighted(keywords: Keywords, names: str, factor: float) -> Keywords:
    """Keywords whose weight is multiplied where they stand in a name."""
    factors = np.array([factor if f" {word} " in names else 1.0 for word in keywords.words], np.float32)
    return keywords._replace(weights=keywords.weights * factors)


def beside(values: Values, plain: Values, seed: int) -> tuple[float, float, float, float]:
    """A mean, and the difference to the same without names with the ends of its interval."""
    mean, low, high = paired_interval(values, plain, np.random.default_rng(seed))
    return float(np.nanmean(values)), float(mean), float(low), float(high)


def main() -> None:
    """Run the benchmark."""
    about = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.entities.worth", description=about)
    for name in ("--keywords", "--pairs", "--stream", "--articles"):
        parser.add_argument(name, type=Path, help="JSON lines")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    finder, seed, result = EntityFinder(rjieba), asked.seed, dict[str, Any]()
    if asked.keywords:
        result["keywords"] = of_keywords(asked.keywords, finder, seed)
    if asked.pairs:
        result["pairs"] = of_pairs(asked.pairs, finder)
    if asked.stream:
        result["stream"] = of_stream(asked.stream, finder, seed)
    if asked.articles:
        result["articles"] = of_articles(asked.articles, finder, seed)
    for use, figures in result.items():
        for name, value in figures.items():
            print(f"{use:10} {name:16} {value}")
    print(json.dumps(result | {"seed": seed}))


if __name__ == "__main__":
    main()
