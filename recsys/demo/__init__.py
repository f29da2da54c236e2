"""The demo newsroom's articles, so that ``make run`` needs no data.

Reads texts that were written for this project, of invented places and people: 86 in Chinese (``zh_articles.jsonl``) and
77 in English (``en_articles.jsonl``); produces ``Article`` objects whose publication is spread over the days before
``now``. Some come without a category on purpose: the machine sorts them, and ``truth`` says where a person would have
put them.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from recsys.store import Article
from recsys.units import DAY_MS, HOUR_MS

FOLDER = Path(__file__).parent
LANGUAGES = ("zh", "en")


def articles(site: str, now: int, days: int, rng: np.random.Generator) -> list[Article]:
    """The demo articles, published evenly over the ``days`` before ``now``, the newest within the last hour.

    Args:
        site: the site that they belong to.
        now: ms UTC.
        days: how far back publication reaches.
        rng: decides the order of publication.

    Returns:
        163 articles, oldest first.
    """
    return published([text for language in LANGUAGES for text in texts(site, language)], now, days, rng)


def texts(site: str, language: str) -> list[Article]:
    """The demo's texts in a language, ``zh`` or ``en``, not yet published."""
    return [Article(site=site, **line) for line in _lines(language)]


def published(texts: Sequence[Article], now: int, days: int, rng: np.random.Generator) -> list[Article]:
    """Some texts, published evenly over the ``days`` before ``now`` (ms UTC) in an order of chance, oldest first."""
    ages = np.linspace(days * DAY_MS, 0.2 * HOUR_MS, len(texts)).astype(np.int64)
    order = rng.permutation(len(texts))
    return [replace(texts[row], published_at=int(now - age)) for row, age in zip(order, ages, strict=True)]


def truth() -> dict[str, str]:
    """Article id -> the category in which a person would have put it, for every demo article."""
    found: dict[str, str] = {}
    for language in LANGUAGES:
        found |= {line["id"]: line["category"] for line in _lines(language) if "category" in line}
        found |= json.loads((FOLDER / f"{language}_new_truth.json").read_text(encoding="utf-8"))
    return found


def _lines(language: str) -> list[dict[str, Any]]:
    with (FOLDER / f"{language}_articles.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
