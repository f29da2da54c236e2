"""Article vectors of a whole catalogue, and of one live article through the same functions.

Reads tokens, keywords and word vectors; produces ``ids.parquet`` and ``vectors.npy``, and the ``ArticleEncoder``.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.articles.config import ArticlesConfig
from recsys.articles.pretrained import load_sentences
from recsys.articles.sentences import SentenceVectors, readable
from recsys.articles.vectors import Texts, TextVectors, load_text_vectors, text_vectors
from recsys.config import plain
from recsys.keywords import KeywordRanker, Keywords
from recsys.keywords.config import KeywordsConfig
from recsys.parallel import BatchFunction, BatchMap, BatchTask
from recsys.tokens import Tokenizer, Tokens, load_tokenizer
from recsys.tokens.config import TokensConfig
from recsys.words import Matrix
from recsys.workspace import read_json, same_space, save_npy, write_json, write_table

_BATCH_ARTICLES = 512  # articles held in memory at once
IDF = "idf"  # folder of the artefact: the means of all words by rarity, which the click model reads beside the vectors
IDF_CONFIG = ArticlesConfig(encoder="idf-mean")

Vector = npt.NDArray[np.float32]


def encoding(words: Path, keywords: Path, config: ArticlesConfig) -> BatchTask:
    """Task that encodes articles: rows of the tokens or keywords artefact become rows of ``vector``, float32 (D,).

    Args:
        words: folder of the words artefact.
        keywords: folder of the keywords artefact.
        config: names the encoder.
    """
    return BatchTask(encode_batches, {"config": plain(config)}, {"words": words, "keywords": keywords})


def encode_batches(settings: Mapping[str, Any], files: Mapping[str, Path]) -> BatchFunction:
    """The function of ``encoding``."""
    config = ArticlesConfig.model_validate(settings["config"])
    return partial(_encoded, text_vectors(files["words"], files["keywords"], config))


def _encoded(vectors: TextVectors, batch: pa.RecordBatch) -> pa.RecordBatch:
    rows = vectors.of(_texts(batch))
    lists = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel(), pa.float32()), rows.shape[1])
    return pa.record_batch([lists], names=["vector"])


def write_articles(
    tokens: Path, keywords: Path, vectors: TextVectors, folder: Path, encode: BatchMap | None = None
) -> dict[str, int]:
    """Make the vectors of all articles.

    Args:
        tokens: ``articles.parquet`` of the tokens artefact.
        keywords: ``keywords.parquet`` of the keywords artefact, of the same articles.
        vectors: the encoder; it learns the direction that the articles share.
        folder: where ``ids.parquet``, ``vectors.npy``, ``space.json`` and ``common.safetensors`` go.
        encode: batches -> their vectors, see ``encoding``; None: by the encoder.

    Returns:
        Counts: articles, articles without a vector.
    """
    table = pq.read_table(keywords, columns=["id", "language"])
    languages = table["language"].to_pylist()
    rows = np.empty((len(languages), vectors.words.embedding_dim), dtype=np.float32)  # (A, D)
    start = 0
    batches = _batches(tokens, keywords, vectors.config.encoder == "keywords")
    for batch in map(partial(_encoded, vectors), batches) if encode is None else encode(batches):
        rows[start : start + batch.num_rows] = batch.column("vector").flatten().to_numpy().reshape(batch.num_rows, -1)
        start += batch.num_rows
    vectors.learn_common(rows, languages)
    rows = vectors.without_common(rows, languages)
    vectors.save(folder)
    save_articles(table["id"].to_pylist(), languages, rows, vectors.words.space, folder)
    return {"articles": len(languages), "without_vector": int(np.isnan(rows[:, 0]).sum())}


def _batches(tokens: Path, keywords: Path, by_keywords: bool) -> Iterator[pa.RecordBatch]:
    """All articles, with the columns that the encoder reads."""
    columns = ["language", *(("keywords", "weights", "parts") if by_keywords else ("title", "body"))]
    yield from pq.ParquetFile(keywords if by_keywords else tokens).iter_batches(_BATCH_ARTICLES, columns=columns)


def _texts(batch: pa.RecordBatch) -> Texts:
    """A batch as the encoder reads it."""
    languages = batch.column("language").to_pylist()
    if "keywords" in batch.schema.names:
        columns = (batch.column(name).to_pylist() for name in ("keywords", "weights", "parts"))
        rows = [Keywords(n, np.array(w, dtype=np.float32), p) for n, w, p in zip(*columns, strict=True)]
        return Texts(languages, [], rows)
    parts = batch.column("title").to_pylist(), batch.column("body").to_pylist()
    return Texts(languages, [title + body for title, body in zip(*parts, strict=True)], [])


def save_articles(
    ids: list[str], languages: list[str], vectors: Matrix, space: str, folder: Path, words: str | None = None
) -> None:
    """Write article vectors, each article's language, and the space that they live in.

    Args:
        ids: of A articles.
        languages: of each.
        vectors: float32 (A, D), unit or NaN rows.
        space: id of their space; the word space's, unless ``words`` is given.
        folder: where ``ids.parquet``, ``vectors.npy`` and ``space.json`` go.
        words: id of the word space beside which they were made, where they live in another.
    """
    columns = {"id": pa.array(ids, pa.string()), "language": pa.array(languages, pa.string())}
    write_table(folder / "ids.parquet", pa.table(columns))
    save_npy(folder / "vectors.npy", vectors)
    facts = {"space": space, "embedding_dim": int(vectors.shape[1])}
    write_json(folder / "space.json", facts if words is None else {**facts, "words": words})


def made_beside(articles: Path, words: str) -> None:
    """Check that article vectors were made beside a word space, and in it where they are means of its words.

    Args:
        articles: folder of the articles artefact.
        words: id of the word space.

    Raises:
        SpaceMismatch: they were not.
    """
    space = read_json(articles / "space.json")
    same_space(("articles", space.get("words", space["space"])), ("words", words))


class EncodedArticle(NamedTuple):
    """Tokens, keywords and vector of one article.

    Attributes:
        text: its language and tokens.
        keywords: best first.
        vector: float32 (D,), of unit length, or NaN when no word of the text has a vector, or when a pre-trained
            encoder did not give one in time.
        idf_vector: float32 (D3,), the mean of its words by rarity, of unit length or NaN.
    """

    text: Tokens
    keywords: Keywords
    vector: Vector
    idf_vector: Vector

    @property
    def language(self) -> str:
        """Its code; "und" when nobody can tell."""
        return self.text.language


class ArticleEncoder:
    """Encoder of one article: from its text to its keywords and vector."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        ranker: KeywordRanker,
        vectors: TextVectors,
        means: TextVectors,
        sentences: SentenceVectors | None = None,
    ) -> None:
        self.tokenizer, self.ranker, self.vectors = tokenizer, ranker, vectors
        self.means, self.sentences = means, sentences

    def encode(self, title: str, body: str, language: str | None = None) -> EncodedArticle:
        """Encode one article, as the jobs would.

        Args:
            title: any text.
            body: any text or HTML.
            language: a language code; None: detected.
        """
        text = self.tokenizer.tokenize(title, body, language)
        keywords = self.ranker.extract(text)
        texts = Texts([text.language], [text.title + text.body], [keywords])
        mean = self.means.of(texts)[0]
        if self.sentences is not None:
            plain_text = readable(title, body, self.tokenizer.segmenter.boilerplate)
            return EncodedArticle(text, keywords, self.sentences.live(plain_text, text.language), mean)
        return EncodedArticle(text, keywords, self.vectors.of(texts)[0], mean)


def load_encoder(
    tokens: Path,
    words: Path,
    keywords: Path,
    articles: Path,
    tokens_config: TokensConfig,
    keywords_config: KeywordsConfig,
    config: ArticlesConfig,
) -> ArticleEncoder:
    """Read the encoder of articles that come after the catalogue.

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
        MissingArtefact: a library that a pre-trained encoder needs is not installed.
        ConfigError: a pre-trained encoder cannot be made.
    """
    vectors = load_text_vectors(words, keywords, articles, config)
    ranker = KeywordRanker(vectors.words, vectors.frequencies, keywords_config)
    means = TextVectors(vectors.words, vectors.frequencies, IDF_CONFIG)
    means.load_common(articles / IDF)
    sentences = load_sentences(articles, config) if config.pretrained else None
    return ArticleEncoder(load_tokenizer(tokens, tokens_config), ranker, vectors, means, sentences)
