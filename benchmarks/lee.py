"""The newsroom that figures are measured on: the demo's Chinese texts, and 300 English ones that come with gensim.

Reads ``lee_background.cor`` of the gensim package, and our headlines and categories for it (``lee_labels.json``);
produces what ``recsys.demo`` does. The demo has English texts of its own, but fewer: figures of before stay comparable.

Source: Lee, Pincombe & Welsh 2005, "An empirical evaluation of models of text document similarity" (the 300 texts, from
the Australian Broadcasting Corporation's news mail service, 2000-2001).
"""

import json
import re
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np

from recsys import demo
from recsys.store import Article

FOLDER = Path(__file__).parent
LEE_FILE = "gensim/test/test_data/lee_background.cor"  # found without loading gensim, which takes a second
LEE_SOURCE = "ABC news mail, 2001 (Lee corpus)"
SENTENCES_A_PARAGRAPH = 3


def articles(site: str, now: int, days: int, rng: np.random.Generator) -> list[Article]:
    """386 articles, oldest first; see ``recsys.demo.articles``."""
    return demo.published([*demo.texts(site, "zh"), *_english(site)], now, days, rng)


def truth() -> dict[str, str]:
    """Article id -> the category in which a person would have put it."""
    return {name: category for name, category in demo.truth().items() if name.startswith("zh-")} | _json("lee_truth")


def _json(name: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return values


def _english(site: str) -> list[Article]:
    with Path(str(distribution("gensim").locate_file(LEE_FILE))).open(encoding="utf-8") as lines:
        texts = [line.strip() for line in lines]
    labels = _json("lee_labels")
    return [_article(site, f"lee-{row:03d}", text, labels[f"lee-{row:03d}"]) for row, text in enumerate(texts)]


def _article(site: str, article_id: str, text: str, label: dict[str, str]) -> Article:
    sentences = re.split(r"(?<=[.!?])\s+(?=[A-Z\"'])", text)
    groups = range(0, len(sentences), SENTENCES_A_PARAGRAPH)
    body = "\n".join(" ".join(sentences[start : start + SENTENCES_A_PARAGRAPH]) for start in groups)
    facts: dict[str, Any] = {"title": label["title"], "category": label.get("category")}
    return Article(id=article_id, site=site, body=body, language="en", source=LEE_SOURCE, **facts)
