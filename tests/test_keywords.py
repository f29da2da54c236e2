import itertools
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest

from recsys.errors import DegenerateInput, SpaceMismatch
from recsys.keywords import (
    DocumentFrequencies,
    KeywordRanker,
    Keywords,
    count_articles,
    load_frequencies,
    save_frequencies,
    write_keywords,
)
from recsys.keywords.config import DEFAULT_PARAMETERS, KeywordsConfig, RankingParameters
from recsys.keywords.frequencies import WordForms, singular
from recsys.keywords.graph import phrase_scores, vote_shares
from recsys.tokens import NO_LEXICON, Tokenizer, Tokens, write_tokens
from recsys.tokens.classes import NO_CLASSES
from recsys.tokens.config import TokensConfig
from recsys.tokens.table import as_table
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


def ranker(
    words: WordVectors, batches: list[pa.RecordBatch], k: int = 40, parameters: RankingParameters = DEFAULT_PARAMETERS
) -> KeywordRanker:
    return KeywordRanker(words, count_articles(batches, words), KeywordsConfig(k=k), parameters)


def ranked(ranker: KeywordRanker, title: str, body: str = "", language: str | None = None) -> Keywords:
    return ranker.extract(Tokenizer(TokensConfig(), NO_LEXICON, NO_CLASSES).tokenize(title, body, language))


@pytest.mark.parametrize("damping", [0.0, 0.5, 0.85])
@pytest.mark.parametrize("size", [1, 2, 7, 60])
def test_scores_are_networkx_pagerank(size: int, damping: float) -> None:
    """With two phrases of padding, which change nothing."""
    rng = np.random.default_rng(size)
    vectors, start = np.zeros((1, size + 2, 5), np.float32), np.zeros((1, size + 2), np.float32)
    vectors[0, :size] = unit_rows(rng.normal(size=(size, 5)).astype(np.float32))
    start[0, :size] = rng.random(size)
    start /= start.sum()
    apart = ~np.eye(size + 2, dtype=bool)[None]
    scores = phrase_scores(vectors, start, apart, damping=damping)[0]
    votes = vote_shares(vectors, start, apart, 0)[0, :size, :size].astype(np.float64)
    restart = dict(enumerate(start[0, :size].astype(np.float64)))
    graph = nx.from_numpy_array(votes, create_using=nx.DiGraph)
    expected = nx.pagerank(graph, alpha=damping, personalization=restart, tol=1e-12, max_iter=1000)
    assert scores[:size] == pytest.approx([expected[i] for i in range(size)], abs=2e-5)
    assert scores[size:].tolist() == [0, 0]


def test_votes_by_hand() -> None:
    """Phrases 0 and 1 are alike (0.6), 2 is like 1 (0.8), 0 and 2 point apart."""
    vectors = np.array([[[1, 0], [0.6, 0.8], [0, 1]]], dtype=np.float32)
    start, apart = np.array([[0.5, 0.25, 0.25]], dtype=np.float32), ~np.eye(3, dtype=bool)[None]
    votes = vote_shares(vectors, start, apart, 0)[0]
    assert votes[0].tolist() == votes[2].tolist() == [0, 1, 0]
    assert votes[1] == pytest.approx([0.6 * 2 / (0.6 * 2 + 0.8), 0, 0.8 / (0.6 * 2 + 0.8)])
    apart[0, 1, 2] = apart[0, 2, 1] = False  # they share a word
    assert vote_shares(vectors, start, apart, 0)[0].tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_an_edge_stays_when_it_is_the_strongest_of_either_end() -> None:
    angles = np.array([0, 0.1, 0.3, 0.7])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)[None]
    votes = vote_shares(vectors, np.full((1, 4), 0.25, np.float32), ~np.eye(4, dtype=bool)[None], 1)[0]
    assert (votes > 0).astype(int).tolist() == [[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]]


def test_vectors_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DegenerateInput):
        phrase_scores(
            np.full((1, 2, 2), np.nan, np.float32), np.full((1, 2), 0.5, np.float32), np.ones((1, 2, 2), bool)
        )


NAMES = ["bank", "rate", "oil", "market", "number", "share", "report", "banks", "rates", "tanker", "the", "new_york"]


def article(text: str, language: str = "en") -> Tokens:
    """Words with their tags, "|" for a break: "big/a bank/n | the/u"."""
    words: list[str] = []
    tags: list[str] = []
    breaks: list[int] = []
    for piece in text.split():
        if piece == "|":
            breaks.append(len(words))
        else:
            word, _, tag = piece.partition("/")
            words.append(word)
            tags.append(tag or "n")
    return Tokens(language, [], words, tags, breaks)


def made_up(**changes: float | str | bool) -> KeywordRanker:
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(len(NAMES), 6)).astype(np.float32) + 1
    words = WordVectors(NAMES, np.arange(len(NAMES), 0, -1), vectors)
    by_word = np.array([70, 5, 9, 20, 12, 3, 30, 70, 5, 2, 100, 4], dtype=np.int32)
    languages = ("en", "zh", "fr")
    frequencies = DocumentFrequencies(dict.fromkeys(languages, by_word), dict.fromkeys(languages, 100))
    settings = {name: value for name, value in changes.items() if name in KeywordsConfig.model_fields}
    parameters: dict[str, Any] = {name: value for name, value in changes.items() if name not in settings}
    return KeywordRanker(words, frequencies, KeywordsConfig.model_validate(settings), RankingParameters(**parameters))


STORY = (
    "oil/n tanker/n | number/n of/u rates/n | market/n share/n | new_york/n report/n | bank/n rate/n | rate/n "
    "market/n rate/n report/n | soon/d oil/n | share/n | big/a market/n | sell/v oil/n tanker/n report/n rate/n"
)


@pytest.mark.parametrize(
    ("lever", "off"),
    [
        ("style", "words"),
        ("max_words", 1),
        ("word_classes", False),
        ("merge_forms", False),
        ("drop_contained", False),
        ("max_article_share", 1.0),
        ("max_candidates", 2),
        ("rarity", 0.0),
        ("position", 0.0),
        ("frequency", 0.0),
        ("length_discount", 1.0),
        ("word_chars", 0.0),
        ("single_word", 1.0),
        ("before_of", 1.0),
        ("damping", 0.0),
        ("half_damping_at", 0.0),
        ("top_edges", 1),
        ("centred", False),
        ("distinct_votes", False),
        ("k", 1),
    ],
)
def test_every_lever_changes_the_ranking(lever: str, off: float | str | bool) -> None:
    on, changed = made_up().extract(article(STORY)), made_up(**{lever: off}).extract(article(STORY))
    assert (on.words, on.weights.tolist()) != (changed.words, changed.weights.tolist())


def test_a_phrase_is_described_nouns_and_a_joined_word_keeps_its_vector() -> None:
    keywords = made_up().extract(article("crude/a oil/n tanker/n sell/v new_york/n report/n"))
    assert set(keywords.words) == {"crude oil tanker", "new york report"}
    assert set(keywords.parts) == {"crude oil tanker", "new_york report"}


def test_no_phrase_reaches_over_a_break() -> None:
    assert set(made_up().extract(article("oil/n | tanker/n")).words) == {"oil", "tanker"}


def test_chinese_words_stand_alone_and_verbs_are_none() -> None:
    assert set(made_up().extract(article("央行/n 上调/v 利率/n", "zh")).words) == {"央行", "利率"}


def test_other_languages_have_single_words() -> None:
    keywords = made_up().extract(article("banque/ taux/ 12/ dans/", "fr")._replace(tags=[""] * 4))
    assert set(keywords.words) == {"banque", "taux"}


@pytest.mark.parametrize(
    ("plural", "folded"),
    [
        ("banks", "bank"),
        ("stories", "story"),
        ("classes", "class"),
        ("news", "news"),
        ("virus", "virus"),
        ("gas", "gas"),
    ],
)
def test_plurals_are_folded(plural: str, folded: str) -> None:
    assert singular(plural) == folded


def test_forms_of_a_word_have_one_number_whichever_of_them_are_words_of_the_space() -> None:
    names = ["banks", "bank", "classes", "stories", "news", "storys", "glasses", "glass"]
    space = WordVectors(names, np.arange(8, 0, -1), np.eye(8, dtype=np.float32))
    outside = ["story", "banks's", "class", "rivers", "river"]
    forms = WordForms(space, merge_forms=True)
    numbers = dict(zip([*names, *outside], [*forms.numbers, *forms.outside(outside)], strict=True))
    for one, other in itertools.combinations(numbers, 2):
        assert (numbers[one] == numbers[other]) == (singular(one) == singular(other)), (one, other)
    assert all(number < len(forms) for number in forms.numbers)
    assert min(numbers["rivers"], numbers["banks's"]) >= len(forms)
    plain = WordForms(space, merge_forms=False)
    assert [*plain.numbers, *plain.outside(["bank's", "river"])] == list(range(10))


def test_stop_words_of_an_unknown_language_are_learned_from_its_texts() -> None:
    """An invented language: "ka" and "olu" lead to another word in every text, subjects end them."""
    subjects = [
        f"{first}{second}" for first in ("har", "bor", "tol", "min", "sel") for second in ("bura", "fasta", "nomi")
    ]
    titles = [f"ka {subject} olu {other}" for subject in subjects for other in subjects[:3]]
    rows = [Tokens("qaa", title.split(), [], [""] * 4, []) for title in titles]
    batches = as_table(pa.array(list(map(str, range(len(rows))))), rows).to_batches()
    names = ["ka", "olu", *subjects]
    words = WordVectors(names, np.ones(len(names), np.int64), np.eye(len(names), 8, dtype=np.float32) + 0.1)
    frequencies = count_articles(batches, words)
    assert frequencies.stop_words == {"qaa": frozenset({"ka", "olu"})}
    assert set(KeywordRanker(words, frequencies, KeywordsConfig()).extract(rows[1]).words) == {"harbura", "harfasta"}
    again = count_articles([], words)
    assert again.stop_words == {}


def test_the_same_string_is_another_word_in_another_language() -> None:
    words = WordVectors(["gift", "bank"], np.array([9, 9]), np.eye(2, 4, dtype=np.float32) + 0.1)
    rows = [Tokens("de", ["gift"], ["bank"], ["", ""], []), Tokens("en", ["bank"], [], ["n"], [])]
    frequencies = count_articles(as_table(pa.array(["1", "2"]), rows).to_batches(), words)
    assert {name: counts.tolist() for name, counts in frequencies.by_word.items()} == {"de": [1, 1], "en": [0, 1]}


def test_an_empty_vocabulary_ranks_by_what_stands_in_the_text() -> None:
    words = WordVectors([], np.empty(0, np.int64), np.empty((0, 6), np.float32))
    keywords = KeywordRanker(words, DocumentFrequencies({}, {}), KeywordsConfig()).extract(article(STORY))
    assert "oil tanker report rate" in keywords.words


def test_a_very_long_text_is_ranked() -> None:
    rng = np.random.default_rng(0)
    words = [f"{name}/n" if name != "the" else "|" for name in rng.choice(NAMES, 50_000)]
    assert len(made_up().extract(article(" ".join(words))).words) == KeywordsConfig().k


def test_words_are_counted_once_per_article(words: WordVectors, tokens: list[pa.RecordBatch]) -> None:
    frequencies = count_articles(tokens, words)
    english, chinese = (dict(zip(VOCABULARY, frequencies.by_word[name].tolist(), strict=True)) for name in ("en", "zh"))
    assert (english["the"], english["market"], english["市场"]) == (2, 1, 0)
    assert (chinese["the"], chinese["市场"], chinese["宣布"]) == (0, 1, 1)
    assert frequencies.articles == {"zh": 1, "en": 2, "und": 1}


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
    allowed = {"bank", "profit", "rises", "today", "unheard", "unseen"}
    assert {word for name in keywords.words for word in name.split()} <= allowed
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
    assert 0 < weights.sum() <= 1 + 1e-6  # what stands within a better phrase is left out with its share


def test_only_so_many_keywords_and_candidates_as_asked(words: WordVectors, tokens: list[pa.RecordBatch]) -> None:
    full = ranked(ranker(words, tokens), *TEXTS[0])
    assert ranked(ranker(words, tokens, k=2), *TEXTS[0]).words == full.words[:2]
    assert len(ranked(ranker(words, tokens, parameters=RankingParameters(max_candidates=2)), *TEXTS[0]).words) <= 2


def test_a_word_of_too_many_articles_is_no_keyword_in_a_catalogue_large_enough(words: WordVectors) -> None:
    by_word = np.ones(len(VOCABULARY), dtype=np.int32)
    by_word[words.row_of["bank"]] = 26
    for articles, allowed in ((10, True), (50, False)):
        maker = KeywordRanker(words, DocumentFrequencies({"en": by_word}, {"en": articles}), KeywordsConfig())
        found = " ".join(ranked(maker, *TEXTS[0]).words).split()
        assert ("bank" in found) == allowed


def test_words_near_each_other_in_meaning_lift_each_other() -> None:
    """Equal counts and rarity: of the two words at the end, the one that the others are like comes first."""
    names = ["match", "coach", "league", "goal", "piano"]
    vectors = np.array([[1, 0], [0.9, 0.1], [0.9, -0.1], [1, 0.05], [-3.7, -0.05]], dtype=np.float32)
    words = WordVectors(names, np.ones(5, dtype=np.int64), vectors)
    maker = KeywordRanker(words, DocumentFrequencies({"en": np.ones(5, dtype=np.int32)}, {"en": 5}), KeywordsConfig())
    for order in ("piano goal", "goal piano"):
        assert ranked(maker, f"match, coach, league, {', '.join(order.split())}").words[-1] == "piano"


def test_one_live_article_and_the_batch_agree(words: WordVectors, tokens: list[pa.RecordBatch], tmp_path: Path) -> None:
    """Whatever other articles are in the batch."""
    maker = ranker(words, tokens)
    counts = write_keywords(tokens, maker, tmp_path)
    rows = read_table(tmp_path / "keywords.parquet").to_pylist()
    articles = [row for batch in tokens for row in batch.to_pylist()]
    assert len(rows) == len(articles) == len(TEXTS)
    for row, given in zip(rows, articles, strict=True):
        live = maker.extract(Tokens(**{name: given[name] for name in Tokens._fields}))
        assert (row["keywords"], row["parts"]) == (live.words, live.parts)
        assert row["weights"] == live.weights.tolist()
    assert counts == {"articles": 4, "keywords": sum(len(row["keywords"]) for row in rows), "without_keywords": 1}


def test_the_tags_that_an_editor_gave_stand_in_the_place_of_ranked_ones(
    words: WordVectors, tokens: list[pa.RecordBatch], tmp_path: Path
) -> None:
    maker = ranker(words, tokens)
    write_keywords(tokens, maker, tmp_path)
    before = read_table(tmp_path / "keywords.parquet").to_pylist()
    ids = [row["id"] for row in before]
    write_keywords(tokens, maker, tmp_path, said={ids[0]: ("Old Harbour", before[0]["keywords"][0]), ids[3]: ("sea",)})
    after = read_table(tmp_path / "keywords.parquet").to_pylist()
    assert after[1:3] == before[1:3]
    assert after[0]["keywords"] == ["Old Harbour", before[0]["keywords"][0]]
    assert after[0]["parts"] == ["old harbour", before[0]["parts"][0]]
    assert after[0]["weights"] == before[0]["weights"][:2]
    assert (after[3]["keywords"], after[3]["weights"]) == (["sea"], [1.0])


def test_frequencies_of_another_space_are_refused(
    words: WordVectors, tokens: list[pa.RecordBatch], tmp_path: Path
) -> None:
    save_frequencies(count_articles(tokens, words), words.space, tmp_path)
    assert load_frequencies(tmp_path, words).articles == {"zh": 1, "en": 2, "und": 1}
    with pytest.raises(SpaceMismatch):
        load_frequencies(tmp_path, WordVectors(words.words, words.counts, words.vectors + 1))
