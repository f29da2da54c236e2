"""Encode: one article that is newer than the release -> keywords, vectors and category, within milliseconds.

Reads the article's text and the release's word vectors, projection and category means; produces what the jobs would
have, by the same functions.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.articles import ArticlesConfig, Encoder, load_encoder
from recsys.categories import Categories, load_categories
from recsys.items import project
from recsys.keywords import KeywordsConfig
from recsys.recommend.catalogue import Traits
from recsys.releases import Release
from recsys.store import Article
from recsys.tokens import TokensConfig
from recsys.workspace import load_npy, same_space

Vector = npt.NDArray[np.float32]


class LiveArticle(NamedTuple):
    """One new article, understood.

    Attributes:
        traits: language, keywords, category.
        article_vector: float32 (D,), unit or NaN.
        item_vector: float32 (D2,), unit or NaN.
    """

    traits: Traits
    article_vector: Vector
    item_vector: Vector


class LiveEncoder:
    """What one release says of a text that it has never seen."""

    def __init__(self, encoder: Encoder, categories: Categories, projection: Vector) -> None:
        self._encoder, self._categories, self._projection = encoder, categories, projection

    @classmethod
    def load(
        cls, release: Release, tokens: TokensConfig, keywords: KeywordsConfig, articles: ArticlesConfig
    ) -> "LiveEncoder":
        """Load from a verified release.

        Raises:
            SpaceMismatch: its words, keywords and categories live in different spaces.
        """
        encoder = load_encoder(release.path("words"), release.path("keywords"), tokens, keywords, articles)
        categories = load_categories(release.path("categories"))
        same_space(("words", encoder.ranker.words.space), ("categories", categories.space))
        return cls(encoder, categories, load_npy(release.path("items") / "projection.npy"))

    def encode(self, article: Article) -> LiveArticle:
        """Understand an article.

        Args:
            article: as stored; a category that it came with wins over the nearest one.
        """
        made = self._encoder.encode(article.title, article.body, article.language)
        category, confidence = article.category, math.nan
        if category is None:
            category, confidence = self._categories.assign(made.vector[None], made.language)[0]
        traits = Traits(
            made.language,
            tuple(made.keywords.words),
            tuple(made.keywords.weights.tolist()),
            category,
            None if math.isnan(confidence) else confidence,
        )
        return LiveArticle(traits, made.vector, project(made.vector[None], self._projection)[0])
