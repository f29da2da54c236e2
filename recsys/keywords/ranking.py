"""Ranking of the phrases of articles: the weight of each by itself, then the votes that they give each other.

Reads token tables and the word space; produces ranked keywords. A batch of articles goes through the same array
operations as a single one, so that an article that is posted gets the keywords that the nightly job would give it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.config import plain
from recsys.keywords.candidates import CandidatePhrases, find_candidates
from recsys.keywords.config import DEFAULT_PARAMETERS, KeywordsConfig, RankingParameters
from recsys.keywords.editors_tags import TagRanks, editors_tags
from recsys.keywords.frequencies import DocumentFrequencies, load_frequencies, save_frequencies
from recsys.keywords.graph import batch_scores
from recsys.keywords.token_batch import TokenBatch, name_keywords, read_token_batch
from recsys.keywords.word_features import WordLookup
from recsys.parallel import BatchFunction, BatchMap, BatchTask
from recsys.tokens import Tokens
from recsys.tokens.stopwords import STOP_WORDS
from recsys.tokens.table import as_table
from recsys.words import Matrix, WordVectors, load_words, unit_rows

_MIN_CHARS = {"zh": 2, "en": 2, "ja": 2, "ko": 2}  # of a whole phrase; of other languages three
_MIN_CATALOGUE = 50  # articles; a smaller catalogue cannot tell which words are common
_MIN_RARITY = 0.1  # of a word that stands in all articles: it may still be part of a phrase
_HEADLINE_WORDS = 20.0  # words; position counts from about a headline's length on, so that the first words are alike
_OF = "of"  # "number of votes", "end of the war": what stands before it is a part or a measure of what follows

_RANKED = ("keywords", "weights", "parts")

Ints = npt.NDArray[np.int64]
Vector = npt.NDArray[np.float32]
Weights = npt.NDArray[np.float64]


_SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "language": pa.string(),
        "keywords": pa.list_(pa.string()),
        "weights": pa.list_(pa.float32()),
        "parts": pa.list_(pa.string()),
    }
)


class Keywords(NamedTuple):
    """One article's keywords, best first.

    Attributes:
        words: at most ``k``, as a reader sees them: "interest rate", "人工智能".
        weights: float32, as many; shares of all candidates' votes, so their sum is at most 1.
        parts: as many, the words of the word space that each is made of, joined by a blank: "new_york stock".
    """

    words: list[str]
    weights: Vector
    parts: list[str]


class KeywordRanker:
    """Ranker of an article's phrases, by word vectors and document frequencies.

    Args:
        words: the word space.
        frequencies: of the corpus.
        config: style, and numbers of keywords and words.
        parameters: of the ranking; others than the default ones are for the benchmark.
    """

    def __init__(
        self,
        words: WordVectors,
        frequencies: DocumentFrequencies,
        config: KeywordsConfig,
        parameters: RankingParameters = DEFAULT_PARAMETERS,
    ) -> None:
        self.words, self.frequencies, self.config, self.parameters = words, frequencies, config, parameters
        max_articles = {
            language: parameters.max_article_share * articles
            for language, articles in frequencies.articles.items()
            if articles >= _MIN_CATALOGUE
        }
        stop_words = {**STOP_WORDS, **frequencies.stop_words}
        self._lookup = WordLookup(words, frequencies.by_word, max_articles, stop_words, parameters.merge_forms)

    def extract(self, text: Tokens) -> Keywords:
        """Rank one article's phrases; a text without any candidate has no keywords, which is no error."""
        row = self.rank(as_table(pa.array([""]), [text]).to_batches()[0]).to_pylist()[0]
        return Keywords(row["keywords"], np.array(row["weights"], np.float32), row["parts"])

    def rank(self, articles: pa.RecordBatch) -> pa.RecordBatch:
        """Rank the phrases of each article.

        Args:
            articles: rows of the tokens table.

        Returns:
            As many rows: lists ``keywords``, ``weights`` and ``parts``.
        """
        batch = read_token_batch(articles, self._lookup, self.config, word_classes=self.parameters.word_classes)
        phrases = find_candidates(
            batch.in_phrase, batch.heads, batch.starts, batch.article, batch.forms, self.config.max_words
        )
        rarity = self._rarity(batch)
        phrases, weights = _heaviest(phrases, self._weights(phrases, batch, rarity), self.parameters.max_candidates)
        scores = weights / np.bincount(phrases.article, weights)[phrases.article] if len(weights) else weights
        if self.parameters.damping and self.words.words:
            vectors = self._phrase_vectors(phrases, rarity, batch.rows)
            scores = batch_scores(phrases, scores, vectors, batch.forms, articles.num_rows, self.parameters)
        best, lengths = self._best(phrases, scores, articles.num_rows)
        spoken = batch.language[phrases.article[best]]
        return name_keywords(batch, phrases.segments[best], scores[best], lengths, spoken)

    def rank_rows(self, articles: pa.RecordBatch) -> pa.RecordBatch:
        """The same as rows of ``keywords.parquet``: with the articles' ids and languages."""
        columns = [articles.column("id"), articles.column("language"), *self.rank(articles).columns]
        return pa.record_batch(columns, schema=_SCHEMA)

    def _rarity(self, batch: TokenBatch) -> Weights:
        """float64 (T,), the inverse document frequency of each segment's word, in any form, as a logarithm."""
        counted = np.array([self.frequencies.articles.get(name, 0) for name in batch.languages], np.float64)
        articles = counted[batch.language[batch.article]]
        rarity = np.log((articles + 1) / (batch.document_frequency + 0.5))
        weights: Weights = np.maximum(rarity, _MIN_RARITY) ** self.parameters.rarity
        return weights

    def _weights(self, phrases: CandidatePhrases, batch: TokenBatch, rarity: Weights) -> Weights:
        """float64 (P,), the weight of each phrase by itself; 0 for one that is too short to be a keyword."""
        parameters, segments = self.parameters, batch.segments
        length, first = (phrases.segments >= 0).sum(axis=1), phrases.segments[:, 0]
        weights = _summed(rarity * _occurrences(batch), phrases.segments)
        weights *= phrases.occurrences**parameters.frequency / length**parameters.length_discount
        weights /= (_HEADLINE_WORDS + first - segments.bounds[phrases.article]) ** parameters.position
        chars = _summed(np.array([len(word) for word in segments.words])[segments.codes], phrases.segments)
        weights *= (chars / length) ** parameters.word_chars
        weights[length == 1] *= parameters.single_word
        if _OF in segments.words:
            is_of = np.append((segments.codes == segments.words.index(_OF)) & ~segments.starts, False)
            weights[is_of[first + length]] *= parameters.before_of
        languages = batch.language[phrases.article]
        shortest = np.array([_MIN_CHARS.get(name, 3) for name in batch.languages], np.int64)[languages]
        return np.where(chars < shortest, 0, weights)

    def _vectors(self, rows: Ints) -> Matrix:
        """float32 (N, D), unit rows of some words."""
        words = self.words
        return words.centred_rows(rows) if self.parameters.centred else unit_rows(words.vectors[rows])

    def _phrase_vectors(self, phrases: CandidatePhrases, rarity: Weights, rows: Ints) -> Matrix:
        """float32 (P, D), unit rows: each phrase's words by their rarity; zero where none of them has a vector."""
        total = np.zeros((len(phrases.article), self.words.embedding_dim), np.float32)
        for segments in phrases.segments.T:
            phrase = np.flatnonzero((segments >= 0) & (rows[segments] >= 0))
            segment = segments[phrase]
            total[phrase] += rarity[segment, None].astype(np.float32) * self._vectors(rows[segment])
        return unit_rows(total)

    def _best(self, phrases: CandidatePhrases, scores: Weights, articles: int) -> tuple[Ints, Ints]:
        """Phrases that are kept, each article's best first, and the number of each article's."""
        order = np.lexsort((-scores, phrases.article))
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        kept = scores > 0
        if self.parameters.drop_contained:
            kept[phrases.inner[rank[phrases.outer] < rank[phrases.inner]]] = False
        order = order[kept[order]]
        lengths = np.bincount(phrases.article[order], minlength=articles)
        within = np.arange(len(order)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return order[within < self.config.k], np.minimum(lengths, self.config.k)


def _occurrences(batch: TokenBatch) -> Ints:
    """int64 (T,), occurrences of each segment's word in its article as a possible part of a phrase, in any form."""
    occurrences = np.zeros(len(batch.in_phrase), np.int64)
    keys = (batch.article * (batch.forms.max(initial=0) + 1) + batch.forms)[batch.in_phrase]
    _, word, counts = np.unique(keys, return_inverse=True, return_counts=True)
    occurrences[batch.in_phrase] = counts[word]
    return occurrences


def _summed(values: npt.NDArray[np.generic], segments: Ints) -> Weights:
    """float64 (P,), the sum over each phrase's segments."""
    summed: Weights = np.append(values, 0)[segments].sum(axis=1, dtype=np.float64)  # behind the last segment stands -1
    return summed


def _heaviest(phrases: CandidatePhrases, weights: Weights, most: int) -> tuple[CandidatePhrases, Weights]:
    """Each article's heaviest phrases, ``most`` at most; those without any weight are left out."""
    order = np.lexsort((-weights, phrases.article))
    lengths = np.bincount(phrases.article)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    kept = (rank < most) & (weights > 0)
    place = np.cumsum(kept) - 1
    pairs = kept[phrases.inner] & kept[phrases.outer]
    inner, outer = place[phrases.inner[pairs]], place[phrases.outer[pairs]]
    heaviest = CandidatePhrases(phrases.article[kept], phrases.segments[kept], phrases.occurrences[kept], inner, outer)
    return heaviest, weights[kept]


def ranking(words: Path, frequencies: Path, config: KeywordsConfig) -> BatchTask:
    """Task that ranks the phrases of articles: rows of the tokens table become those of ``keywords.parquet``.

    Args:
        words: folder of the word space.
        frequencies: folder of the document frequencies.
        config: of the ranker.
    """
    return BatchTask(rank_batches, {"config": plain(config)}, {"words": words, "frequencies": frequencies})


def rank_batches(settings: Mapping[str, Any], files: Mapping[str, Path]) -> BatchFunction:
    """The function of ``ranking``."""
    words = load_words(files["words"], mapped=True)
    frequencies = load_frequencies(files["frequencies"], words)
    return KeywordRanker(words, frequencies, KeywordsConfig.model_validate(settings["config"])).rank_rows


def write_keywords(
    batches: Iterable[pa.RecordBatch],
    ranker: KeywordRanker,
    folder: Path,
    rank: BatchMap | None = None,
    *,
    said: Mapping[str, tuple[str, ...]] | None = None,
) -> dict[str, int]:
    """Rank the phrases of every article, one batch in memory at a time.

    Args:
        batches: the tokens artefact's articles.
        ranker: of the corpus.
        folder: where ``keywords.parquet`` and the frequencies go.
        rank: batches -> their ranked phrases, from the frequencies in the folder; None: by the ranker.
        said: the tags that editors gave to articles, by id: they stand in the place of ranked ones.

    Returns:
        Counts: articles, keywords, articles without a keyword.
    """
    save_frequencies(ranker.frequencies, ranker.words.space, folder)
    counts = {"articles": 0, "keywords": 0, "without_keywords": 0}
    with pq.ParquetWriter(folder / "keywords.parquet", _SCHEMA, compression="zstd") as table:
        for rows in map(ranker.rank_rows, batches) if rank is None else rank(batches):
            ranked = _as_said(rows, said) if said else rows
            table.write_batch(ranked)
            lengths = pc.list_value_length(ranked.column("keywords"))
            counts["articles"] += ranked.num_rows
            counts["keywords"] += pc.sum(lengths).as_py() or 0
            counts["without_keywords"] += pc.sum(pc.equal(lengths, 0)).as_py() or 0
    return counts


def _as_said(ranked: pa.RecordBatch, said: Mapping[str, tuple[str, ...]]) -> pa.RecordBatch:
    """Rows of ``keywords.parquet`` with those of some articles, by id, as editors want them."""
    rows = [row for row, id in enumerate(ranked.column("id").to_pylist()) if id in said]
    if not rows:
        return ranked
    lists = ranked.to_pylist()
    for row in rows:
        found = TagRanks(*(tuple(lists[row][name]) for name in _RANKED))
        lists[row] |= zip(_RANKED, editors_tags(said[lists[row]["id"]], found), strict=True)
    return pa.RecordBatch.from_pylist(lists, schema=ranked.schema)
