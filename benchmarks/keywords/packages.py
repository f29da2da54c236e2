"""The methods that come as packages, YAKE, summa and jieba, and the list of all baselines by language.

They read the raw text with tokenisers of their own, whose time is part of theirs.
Sources: Campos et al. 2020, "YAKE!"; Barrios et al. 2016, "Variations of the Similarity Function of TextRank" (summa).
"""

import contextlib
import io
import logging
from collections.abc import Callable, Sequence
from functools import partial

import jieba
import jieba.analyse
import yake
from summa import keywords as summa_keywords

from benchmarks.keywords.baselines import MOST, Ranked, cooccurrence_textrank, first_phrases, tf_idf
from benchmarks.keywords.texts import Text

Baseline = Callable[[Sequence[Text]], Ranked]

jieba.setLogLevel(logging.WARNING)


def yake_keys(texts: Sequence[Text]) -> Ranked:
    """YAKE with its own settings: up to three words, near-duplicates dropped."""
    extractor = yake.KeywordExtractor(lan="en", top=MOST)
    return [[key for key, _ in extractor.extract_keywords(text.raw)] for text in texts]


def summa_keys(texts: Sequence[Text]) -> Ranked:
    """TextRank as summa has it: a fifth of the words, merged where they are adjacent, by score."""
    with contextlib.redirect_stdout(io.StringIO()):
        return [[key for key, _ in summa_keywords.keywords(text.raw, scores=True)] for text in texts]


def jieba_textrank(texts: Sequence[Text]) -> Ranked:
    """TextRank as jieba has it."""
    return [jieba.analyse.textrank(text.raw, topK=MOST) for text in texts]


def jieba_tf_idf(texts: Sequence[Text]) -> Ranked:
    """TF-IDF with the rarities that come inside jieba."""
    return [jieba.analyse.extract_tags(text.raw, topK=MOST) for text in texts]


COMMON: dict[str, Baseline] = {
    "first_phrases": first_phrases,
    "tf_idf": tf_idf,
    "cooccurrence_textrank": cooccurrence_textrank,
}
ENGLISH: dict[str, Baseline] = COMMON | {"yake": yake_keys, "summa": summa_keys}
CHINESE: dict[str, Baseline] = COMMON | {"jieba_textrank": jieba_textrank, "jieba_tf_idf": jieba_tf_idf}
WORDS: dict[str, Baseline] = {
    "first_words": partial(first_phrases, style="words"),
    "tf_idf_words": partial(tf_idf, style="words"),
}


def baselines_of(language: str, style: str) -> dict[str, Baseline]:
    """The methods that can read a language, in the style "words" also with single words as candidates."""
    if language == "zh":
        return CHINESE
    return ENGLISH | (WORDS if style == "words" else {})
