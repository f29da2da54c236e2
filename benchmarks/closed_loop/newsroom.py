"""A simulated newsroom: articles as they are published, whose words come from the demo articles of their category.

Reads the demo newsroom's texts for their words alone; produces original articles, most with their category, and the
true category of each. An article has a subject (the words of one demo article), a category and a language, and each
word comes from one of the three, so that articles of a category are alike and those of a subject more so. Half of the
articles of a category come from one agency; no reader minds who wrote what.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks import lee
from recsys.store import Article
from recsys.tokens.config import TokensConfig
from recsys.tokens.segmenter import Segmenter
from recsys.units import DAY_MS, HOUR_MS

SITE = "simulated"
SHARES = (0.35, 0.3, 0.35)  # of an article's words: from its subject, its category, its language
TITLE_WORDS = 7
SENTENCE_WORDS = (8, 16)
BODY_WORDS = (90, 160)
PAPERS = ("", "Observer", "Courier")  # "": the site itself
AGENCY = 0.5  # share of the articles of a category that come from its agency
GIVEN = 0.85  # share of the articles that come with their category; the others have to be sorted
FIRST_HOUR, HOURS = 5.0, 18.0  # UTC: articles are published from 5 to 23 o'clock

Words = npt.NDArray[np.object_]


class Subject(NamedTuple):
    """Subject of an article.

    Attributes:
        language: zh or en.
        category: true category.
        pools: words of the subject, of its category, of its language; a word as often as it is used there.
    """

    language: str
    category: str
    pools: tuple[Words, Words, Words]


def subjects() -> list[Subject]:
    """One for each demo article."""
    truth, segmenter = lee.truth(), Segmenter(TokensConfig())
    texts = lee.articles(SITE, 0, 1, np.random.default_rng(0))
    words = {text.id: _words(segmenter, text) for text in texts}

    def pool(of: Sequence[Article]) -> Words:
        return np.concatenate([words[text.id] for text in of])

    language = {code: pool([t for t in texts if t.language == code]) for code in ("en", "zh")}
    groups = {(text.language, truth[text.id]): [] for text in texts}  # type: dict[tuple[str | None, str], list[Article]]
    for text in texts:
        groups[text.language, truth[text.id]].append(text)
    category = {key: pool(group) for key, group in groups.items()}
    return [
        Subject(key[0] or "", key[1], (words[text.id], category[key], language[key[0] or ""]))
        for key, group in groups.items()
        for text in group
    ]


def _words(segmenter: Segmenter, text: Article) -> Words:
    pieces = segmenter.segment_article(text.title, text.body, text.language)
    return np.array([piece for piece in pieces.title + pieces.body if piece[0].isalpha()], dtype=np.object_)


def published(
    per_day: int, stock_days: int, days: int, start: int, rng: np.random.Generator
) -> tuple[list[Article], dict[str, str]]:
    """Write the articles of some days.

    Args:
        per_day: articles published each day, in both languages together.
        stock_days: days before ``start`` that have articles, too.
        days: days from ``start`` on.
        start: ms, midnight UTC.
        rng: source of all randomness.

    Returns:
        The articles, oldest first, and article id -> true category.
    """
    about = subjects()
    kinds = sorted({(subject.language, subject.category) for subject in about})
    by_kind = [[s for s in about if (s.language, s.category) == kind] for kind in kinds]
    (sourced,) = rng.spawn(1)  # draws nothing from ``rng``: all else is as it would be without sources
    made: list[Article] = []
    truth: dict[str, str] = {}
    for day in range(-stock_days, days):
        hours = np.sort(FIRST_HOUR + HOURS * rng.random(per_day))
        for hour in hours.tolist():
            group = by_kind[int(rng.integers(len(by_kind)))]
            subject = group[int(rng.integers(len(group)))]
            article = _article(subject, f"s{len(made):05d}", start + day * DAY_MS + int(hour * HOUR_MS), rng)
            paper = PAPERS[int(sourced.integers(len(PAPERS)))]
            agency = f"{subject.category} agency"
            made.append(replace(article, source=agency if sourced.random() < AGENCY else paper or None))
            truth[article.id] = subject.category
    return made, truth


def _article(subject: Subject, article_id: str, time: int, rng: np.random.Generator) -> Article:
    size = int(rng.integers(*BODY_WORDS))
    which = rng.choice(len(SHARES), size=size, p=SHARES)
    body = [str(subject.pools[pool][int(rng.integers(len(subject.pools[pool])))]) for pool in which.tolist()]
    own = subject.pools[0]
    title = [str(own[int(place)]) for place in rng.integers(len(own), size=TITLE_WORDS)]
    between, end = ("", "。") if subject.language == "zh" else (" ", ". ")
    sentences, at = [], 0
    while at < size:
        length = int(rng.integers(*SENTENCE_WORDS))
        sentences.append(between.join(body[at : at + length]).capitalize() + end)
        at += length
    return Article(
        id=article_id,
        site=SITE,
        title=between.join(title).capitalize(),
        body="".join(sentences).strip(),
        language=subject.language,
        category=subject.category if rng.random() < GIVEN else None,
        published_at=time,
    )
