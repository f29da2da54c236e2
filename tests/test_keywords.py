from pathlib import Path

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest

from recsys.errors import DegenerateInput, SpaceMismatch
from recsys.keywords import (
    Frequencies,
    Keywords,
    KeywordsConfig,
    Ranker,
    keyword_scores,
    load_frequencies,
    save_frequencies,
    vote_matrix,
)
from recsys.keywords.batch import count_articles, write_keywords
from recsys.tokens import NO_LEXICON, Tokenizer, TokensConfig, write_tokens
from recsys.tokens.classes import NO_CLASSES
from recsys.words import WordVectors, unit_rows
from recsys.workspace import read_table

TEXTS = [
    ("Bank profit rises", "The bank said profit and shares in the market rose; the market is calm"),
    ("Team wins match", "The coach of the team praised the match, and the league is open"),
    ("央行上调利率", "央行宣布上调贷款利率，银行股票市场下跌，市场的反应很大"),
    ("", ""),
]
VOCABULARY = [
    "the",
    "bank",
    "profit",
    "shares",
    "market",
    "rises",
    "rose",
    "said",
    "team",
    "match",
    "coach",
    "league",
    "wins",
    "praised",
    "calm",
    "open",
    "and",
    "in",
    "is",
    "of",
    "央行",
    "上调",
    "利率",
    "宣布",
    "贷款",
    "银行",
    "股票市场",
    "股票",
    "市场",
    "下跌",
    "反应",
    "的",
    "很大",
    "很",
]


@pytest.fixture
def words() -> WordVectors:
    rng = np.random.default_rng(0)
    size = len(VOCABULARY)
    return WordVectors(VOCABULARY, np.arange(size, 0, -1), rng.normal(size=(size, 6)).astype(np.float32))


@pytest.fixture
def tokens(tmp_path: Path) -> list[pa.RecordBatch]:
    titles, bodies = zip(*TEXTS, strict=True)
    columns = {"id": ["a", "b", "c", "d"], "title": titles, "body": bodies, "language": ["en", "en", "zh", None]}
    table = pa.table(columns, schema=pa.schema([(name, pa.string()) for name in columns]))
    write_tokens(table.to_batches(), tmp_path, TokensConfig())
    batches: list[pa.RecordBatch] = read_table(tmp_path / "articles.parquet").to_batches()
    return batches


def ranker(words: WordVectors, batches: list[pa.RecordBatch], **keys: float) -> Ranker:
    return Ranker(words, count_articles(batches, words), KeywordsConfig.model_validate(keys))


def ranked(ranker: Ranker, title: str, body: str = "", language: str | None = None) -> Keywords:
    return ranker.extract(Tokenizer(TokensConfig(), NO_LEXICON, NO_CLASSES).tokenize(title, body, language))


@pytest.mark.parametrize("damping", [0.0, 0.5, 0.85])
@pytest.mark.parametrize("size", [1, 2, 7, 60])
def test_scores_are_networkx_pagerank(size: int, damping: float) -> None:
    rng = np.random.default_rng(size)
    vectors = unit_rows(rng.normal(size=(size, 5)).astype(np.float32))
    teleport = rng.random(size).astype(np.float32)
    teleport /= teleport.sum()
    scores = keyword_scores(vectors, teleport, damping=damping, top_edges=4)
    graph = nx.from_numpy_array(vote_matrix(vectors, teleport, 4).astype(np.float64), create_using=nx.DiGraph)
    start = dict(enumerate(teleport.astype(np.float64)))
    expected = nx.pagerank(graph, alpha=damping, personalization=start, tol=1e-12, max_iter=1000)
    assert scores == pytest.approx([expected[i] for i in range(size)], abs=1e-5)


def test_votes_by_hand() -> None:
    """Words 0 and 1 are alike (0.6), word 2 is like word 1 (0.8), words 0 and 2 point apart."""
    vectors = np.array([[1, 0], [0.6, 0.8], [0, 1]], dtype=np.float32)
    votes = vote_matrix(vectors, np.array([0.5, 0.25, 0.25], dtype=np.float32), 2)
    assert votes[0].tolist() == [0, 1, 0]
    assert votes[1] == pytest.approx([0.6 * 2 / (0.6 * 2 + 0.8), 0, 0.8 / (0.6 * 2 + 0.8)])
    assert votes[2].tolist() == [0, 1, 0]


def test_an_edge_stays_when_it_is_the_strongest_of_either_end() -> None:
    angles = np.array([0, 0.1, 0.3, 0.7])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    votes = vote_matrix(vectors, np.full(4, 0.25, dtype=np.float32), 1)
    assert (votes > 0).astype(int).tolist() == [[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]]


def test_vectors_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DegenerateInput):
        keyword_scores(np.full((2, 2), np.nan, dtype=np.float32), np.full(2, 0.5, dtype=np.float32))


def test_words_are_counted_once_per_article(words: WordVectors, tokens: list[pa.RecordBatch]) -> None:
    frequencies = count_articles(tokens, words)
    counted = dict(zip(VOCABULARY, frequencies.by_word.tolist(), strict=True))
    assert (counted["the"], counted["market"], counted["市场"], counted["宣布"]) == (2, 1, 1, 1)
    assert frequencies.articles == {"zh": 1, "en": 2, "other": 1}


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("Bank profit rises again today", ""),
        ("the and of", "is in"),
        ("unheard unseen", ""),
        ("", ""),
        ("的很", ""),
        ("😀", "1 2 3"),
    ],
)
def test_no_text_is_an_error(words: WordVectors, tokens: list[pa.RecordBatch], title: str, body: str) -> None:
    keywords = ranked(ranker(words, tokens), title, body)
    assert set(keywords.words) <= {"bank", "profit", "rises"}
    assert len(keywords.words) == len(keywords.weights)


def test_stop_words_numbers_and_function_words_are_no_keywords(
    words: WordVectors, tokens: list[pa.RecordBatch]
) -> None:
    maker = ranker(words, tokens)
    assert {"the", "and", "said", "of"}.isdisjoint(ranked(maker, *TEXTS[0]).words)
    assert {"的", "很"}.isdisjoint(ranked(maker, *TEXTS[2], "zh").words)
    assert "利率" in ranked(maker, *TEXTS[2], "zh").words


def test_weights_fall_and_are_shares(words: WordVectors, tokens: list[pa.RecordBatch]) -> None:
    weights = ranked(ranker(words, tokens), *TEXTS[0]).weights
    assert weights.dtype == np.float32
    assert (np.diff(weights) <= 0).all()
    assert weights.sum() == pytest.approx(1)


def test_only_so_many_keywords_and_candidates_as_asked(words: WordVectors, tokens: list[pa.RecordBatch]) -> None:
    full = ranked(ranker(words, tokens), *TEXTS[0])
    assert ranked(ranker(words, tokens, k=2), *TEXTS[0]).words == full.words[:2]
    assert len(ranked(ranker(words, tokens, max_candidates=3), *TEXTS[0]).words) == 3


def test_a_word_of_too_many_articles_is_no_keyword_in_a_catalogue_large_enough(words: WordVectors) -> None:
    by_word = np.ones(len(VOCABULARY), dtype=np.int32)
    by_word[words.row_of["bank"]] = 26
    for articles, allowed in ((10, True), (50, False)):
        maker = Ranker(words, Frequencies(by_word, {"en": articles}), KeywordsConfig())
        assert ("bank" in ranked(maker, *TEXTS[0]).words) == allowed


def test_words_near_each_other_in_meaning_lift_each_other() -> None:
    """Equal counts and rarity: of the two words at the end, the one that the others are like comes first."""
    names = ["match", "coach", "league", "goal", "piano"]
    vectors = np.array([[1, 0], [0.9, 0.1], [0.9, -0.1], [1, 0.05], [-3.7, -0.05]], dtype=np.float32)
    words = WordVectors(names, np.ones(5, dtype=np.int64), vectors)
    maker = Ranker(words, Frequencies(np.ones(5, dtype=np.int32), {"en": 5}), KeywordsConfig())
    for order in ("piano goal", "goal piano"):
        assert ranked(maker, f"match coach league {order}").words[-1] == "piano"


def test_one_live_article_and_the_batch_agree(words: WordVectors, tokens: list[pa.RecordBatch], tmp_path: Path) -> None:
    maker = ranker(words, tokens)
    counts = write_keywords(tokens, maker, tmp_path)
    rows = read_table(tmp_path / "keywords.parquet").to_pylist()
    for row, (title, body) in zip(rows, TEXTS, strict=True):
        live = ranked(maker, title, body, row["language"])
        assert row["keywords"] == live.words
        assert row["weights"] == live.weights.tolist()
    assert counts == {"articles": 4, "keywords": sum(len(row["keywords"]) for row in rows), "without_keywords": 1}


def test_frequencies_of_another_space_are_refused(
    words: WordVectors, tokens: list[pa.RecordBatch], tmp_path: Path
) -> None:
    save_frequencies(count_articles(tokens, words), words.space, tmp_path)
    assert load_frequencies(tmp_path, words).articles == {"zh": 1, "en": 2, "other": 1}
    with pytest.raises(SpaceMismatch):
        load_frequencies(tmp_path, WordVectors(words.words, words.counts, words.vectors + 1))
