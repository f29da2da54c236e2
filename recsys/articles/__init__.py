"""Article vectors: what an article is about, as one vector in the space of its words.

Reads tokens, keywords and word vectors; produces one vector per article, and the ``Encoder`` that takes one article
from its text to its vector when it is posted, through the same functions as the batch.

    config.py     the settings
    __init__.py   one live article
    vectors.py    the three ways from words to a vector
    batch.py      a whole catalogue
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.articles.config import ArticlesConfig
from recsys.articles.vectors import Texts, TextVectors, load_text_vectors
from recsys.keywords import Keywords, Ranker
from recsys.keywords.config import KeywordsConfig
from recsys.tokens import Tokenizer, Tokens, load_tokenizer
from recsys.tokens.config import TokensConfig

__all__ = ["Encoded", "Encoder", "load_encoder"]

Vector = npt.NDArray[np.float32]


class Encoded(NamedTuple):
    """One article, understood.

    Attributes:
        text: its language and tokens.
        keywords: best first.
        vector: float32 (D,), of unit length, or NaN when the text has no known word.
    """

    text: Tokens
    keywords: Keywords
    vector: Vector

    @property
    def language(self) -> str:
        """Its code; "und" when nobody can tell."""
        return self.text.language


class Encoder:
    """From one article's text to its keywords and vector."""

    def __init__(self, tokenizer: Tokenizer, ranker: Ranker, vectors: TextVectors) -> None:
        self.tokenizer, self.ranker, self.vectors = tokenizer, ranker, vectors

    def encode(self, title: str, body: str, language: str | None = None) -> Encoded:
        """Understand one article, as the jobs would.

        Args:
            title: any text.
            body: any text or HTML.
            language: a language code; None: detected.
        """
        text = self.tokenizer.tokenize(title, body, language)
        keywords = self.ranker.extract(text)
        texts = Texts([text.language], [text.title + text.body], [keywords])
        return Encoded(text, keywords, self.vectors.of(texts)[0])


def load_encoder(
    tokens: Path,
    words: Path,
    keywords: Path,
    articles: Path,
    tokens_config: TokensConfig,
    keywords_config: KeywordsConfig,
    config: ArticlesConfig,
) -> Encoder:
    """Read what encoding an article needs.

    Args:
        tokens: folder of the tokens artefact.
        words: folder of the words artefact.
        keywords: folder of the keywords artefact.
        articles: folder of the articles artefact.
        tokens_config: as for the batch.
        keywords_config: as for the batch.
        config: as for the batch.

    Raises:
        SpaceMismatch: the artefacts do not belong together.
    """
    vectors = load_text_vectors(words, keywords, articles, config)
    ranker = Ranker(vectors.words, vectors.frequencies, keywords_config)
    return Encoder(load_tokenizer(tokens, tokens_config), ranker, vectors)
