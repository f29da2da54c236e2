"""What the ablation changes, one lever at a time: settings of ``recsys.keywords.KeywordsConfig``."""

from typing import Any

from recsys.keywords.config import KeywordsConfig

LEVERS: dict[str, dict[str, Any]] = {
    "graph": {"damping": 0.0},
    "fewer votes in short texts": {"voters": 0.0},
    "votes of distinct phrases": {"distinct_votes": False},
    "centred vectors": {"centred": False},
    "all edges (not 10)": {"top_edges": 10},
    "phrases that vote (not 30)": {"max_candidates": 30},
    "word classes": {"word_classes": False},
    "phrases": {"max_words": 1},
    "merged forms": {"merge_forms": False},
    "contained dropped": {"drop_contained": False},
    "document-frequency filter": {"max_article_share": 1.0},
    "rarity": {"rarity": 0.0},
    "position": {"position": 0.0},
    "phrase frequency": {"frequency": 0.0},
    "sum of words, not mean": {"length_discount": 1.0},
    "length of words": {"word_chars": 0.0},
    "single-word penalty": {"single_word": 1.0},
    "penalty before of": {"before_of": 1.0},
}


def without(config: KeywordsConfig, lever: str) -> KeywordsConfig:
    """The settings with one lever switched off, checked again."""
    return KeywordsConfig(**(config.model_dump() | LEVERS[lever]))
