"""The demo newsroom's articles, so that ``make run`` needs no data.

Reads 86 original Chinese texts written for this project (``zh_articles.jsonl``), the 300 English texts that come
inside the gensim package, and our headlines and categories for the latter (``lee_labels.json``); produces ``Article``
objects whose publication is spread over the days before ``now``. Some articles come without a category on purpose: the
machine sorts them, and ``truth`` says where a person would have put them.

Source: Lee, Pincombe & Welsh 2005, "An empirical evaluation of models of text document similarity" (the 300 texts, from
the Australian Broadcasting Corporation's news mail service, 2000-2001).
"""

import json
import re
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np

from recsys.store import Article
from recsys.units import DAY_MS, HOUR_MS

FOLDER = Path(__file__).parent
LEE_FILE = "gensim/test/test_data/lee_background.cor"  # found without loading gensim, which takes a second
LEE_SOURCE = "ABC news mail, 2001 (Lee corpus)"
SENTENCES_A_PARAGRAPH = 3


def articles(site: str, now: int, days: int, rng: np.random.Generator) -> list[Article]:
    """The demo articles, published evenly over the ``days`` before ``now``, the newest within the last hour.

    Args:
        site: the site that they belong to.
        now: ms UTC.
        days: how far back publication reaches.
        rng: decides the order of publication.

    Returns:
        386 articles, oldest first.
    """
    texts = [*_chinese(site), *_english(site)]
    ages = np.linspace(days * DAY_MS, 0.2 * HOUR_MS, len(texts)).astype(np.int64)
    order = rng.permutation(len(texts))
    return [replace(texts[row], published_at=int(now - age)) for row, age in zip(order, ages, strict=True)]


def truth() -> dict[str, str]:
    """Article id -> the category in which a person would have put it, for every demo article."""
    given = {line["id"]: line["category"] for line in _lines() if "category" in line}
    return given | _json("zh_new_truth.json") | _json("lee_truth.json")


def _json(name: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return values


def _lines() -> list[dict[str, Any]]:
    with (FOLDER / "zh_articles.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _chinese(site: str) -> list[Article]:
    return [Article(site=site, **line) for line in _lines()]


def _english(site: str) -> list[Article]:
    with Path(str(distribution("gensim").locate_file(LEE_FILE))).open(encoding="utf-8") as lines:
        texts = [line.strip() for line in lines]
    labels = _json("lee_labels.json")
    return [_lee(site, f"lee-{row:03d}", text, labels[f"lee-{row:03d}"]) for row, text in enumerate(texts)]


def _lee(site: str, article_id: str, text: str, label: dict[str, str]) -> Article:
    sentences = re.split(r"(?<=[.!?])\s+(?=[A-Z\"'])", text)
    groups = range(0, len(sentences), SENTENCES_A_PARAGRAPH)
    body = "\n".join(" ".join(sentences[start : start + SENTENCES_A_PARAGRAPH]) for start in groups)
    facts: dict[str, Any] = {"title": label["title"], "category": label.get("category")}
    return Article(id=article_id, site=site, body=body, language="en", source=LEE_SOURCE, **facts)
