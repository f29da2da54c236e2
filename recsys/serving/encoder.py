"""Encode: one article that is newer than the release -> keywords, vectors, category and labels, within milliseconds.

Reads the article's text and the release's word vectors, projection and classifiers; produces what the jobs would
have, by the same functions.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.articles import ArticleEncoder, load_encoder
from recsys.articles.config import ArticlesConfig
from recsys.catalogue.annotations import task_names
from recsys.catalogue.articles import ArticleAnnotations, guesses
from recsys.categories.classification import CategoryModel, load_categories
from recsys.classifiers import EncodedDocuments
from recsys.items import project
from recsys.keywords.config import KeywordsConfig
from recsys.releases import Release
from recsys.store import Article
from recsys.tags import STEM
from recsys.tokens.config import TokensConfig
from recsys.workspace import load_npy, same_space

Vector = npt.NDArray[np.float32]


class LiveArticle(NamedTuple):
    """One new article, understood.

    Attributes:
        annotations: language, keywords, category, labels.
        article_vector: float32 (D,), unit or NaN.
        idf_vector: float32 (D3,), unit or NaN, the mean of its words by rarity.
        item_vector: float32 (D2,), unit or NaN.
    """

    annotations: ArticleAnnotations
    article_vector: Vector
    idf_vector: Vector
    item_vector: Vector


class LiveEncoder:
    """The models of one release, for texts that they have never seen."""

    def __init__(
        self, encoder: ArticleEncoder, categories: CategoryModel, tasks: Mapping[str, CategoryModel], projection: Vector
    ) -> None:
        self._encoder, self._categories, self._tasks, self._projection = encoder, categories, tasks, projection

    @classmethod
    def load(
        cls, release: Release, tokens: TokensConfig, keywords: KeywordsConfig, articles: ArticlesConfig
    ) -> "LiveEncoder":
        """Load from a verified release.

        Raises:
            SpaceMismatch: its words, keywords and categories live in different spaces.
        """
        tokens_at, words_at, keywords_at, articles_at = map(release.path, ("tokens", "words", "keywords", "articles"))
        encoder = load_encoder(tokens_at, words_at, keywords_at, articles_at, tokens, keywords, articles)
        categories = load_categories(release.path("categories"))
        tasks = {task: load_categories(release.path("tasks") / task) for task in task_names(release.path("tasks"))}
        for name, sorted_by in {"categories": categories, **tasks}.items():
            same_space(("words", encoder.ranker.words.space), (name, sorted_by.space))
        encoder.ranker.words.give_back()
        return cls(encoder, categories, tasks, load_npy(release.path("items") / "projection.npy"))

    def encode(self, article: Article) -> LiveArticle:
        """Understand an article.

        Args:
            article: as stored.
        """
        encoded = self._encoder.encode(article.title, article.body, article.language)
        document = EncodedDocuments([encoded.text.title], [encoded.text.body], encoded.vector[None])
        assigned = self._categories.assign(document, encoded.language)[0]
        annotations = ArticleAnnotations(
            encoded.language,
            tuple(encoded.keywords.words[:STEM]),
            tuple(encoded.keywords.weights[:STEM].tolist()),
            tuple(encoded.keywords.parts[:STEM]),
            assigned.category,
            guesses(assigned.bar),
            assigned.topic,
            tuple(self._labels(document, encoded.language)),
        )
        item_vector = project(encoded.vector[None], self._projection)[0]
        return LiveArticle(annotations, encoded.vector, encoded.idf_vector, item_vector)

    def read_ahead(self, language: str) -> None:
        """Understand a text of nobody's, so that the first article does not wait for what is read with it.

        Args:
            language: code of the site's language.
        """
        text, spoken = ("今天的新闻", "zh") if language == "zh" else ("News of today", "en")
        self.encode(Article("", "", text, text, language=spoken))

    def _labels(self, document: EncodedDocuments, language: str) -> Iterator[tuple[str, str, float]]:
        for task, model in self._tasks.items():
            assigned = model.assign(document, language)[0]
            if assigned.category is not None:
                yield task, assigned.category, round(assigned.confidence, 2)
