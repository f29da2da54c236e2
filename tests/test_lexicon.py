"""New words and collocations: discovered, joined, kept for articles that come later."""

import math
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import StaleArtefact
from recsys.tokens import load_tokenizer, newwords, write_tokens
from recsys.tokens.config import TokensConfig
from recsys.tokens.counting import BigramCounter, KeyedSums
from recsys.tokens.lexicon import LexiconEntry, load_lexicon
from recsys.workspace import read_table

CONFIG = TokensConfig()


FEW = {"_MIN_COUNT": 2, "_MIN_ARTICLES": 2, "_MIN_BRANCHING_ENTROPY": 0.0}


def learned(titles: list[str], folder: Path, config: TokensConfig = CONFIG, **limits: float) -> dict[str, LexiconEntry]:
    table = pa.table({"id": list(map(str, range(len(titles)))), "title": titles, "body": titles, "language": titles})
    table = table.set_column(2, "body", pa.nulls(len(titles), pa.string()))
    table = table.set_column(3, "language", pa.array(["en"] * len(titles)))
    with pytest.MonkeyPatch.context() as patched:
        for name, limit in (FEW | limits).items():
            patched.setattr(newwords, name, limit)
        write_tokens(table.to_batches(2), folder, config)
    return {entry.entry: entry for entry in load_lexicon(folder).entries}


def test_npmi_and_branching_entropy_by_hand(tmp_path: Path) -> None:
    """11 words, alpha 3, beta 4, together 3; to the right: pie twice and an end; to the left: three different ones."""
    found = learned(["Alpha beta pie", "alpha beta pie", "gamma alpha beta", "delta beta"], tmp_path)
    entry = found["alpha_beta"]
    assert entry.parts == ("alpha", "beta")
    assert entry.occurrences == 3
    assert entry.npmi == pytest.approx(math.log(3 * 11 / (3 * 4)) / math.log(11 / 3), abs=1e-6)
    assert entry.branching_entropy == pytest.approx(-(2 / 3 * math.log(2 / 3) + 1 / 3 * math.log(1 / 3)), abs=1e-6)


def test_what_is_learned_is_joined_in_the_table_and_in_articles_that_come_later(tmp_path: Path) -> None:
    titles = ["Hong Kong wins", "In Hong Kong, rain", "he left Hong Kong", "Kong: Hong"]
    assert set(learned(titles, tmp_path)) == {"hong_kong"}
    rows = read_table(tmp_path / "articles.parquet").to_pylist()
    assert [row["title"] for row in rows[:2]] == [["hong_kong", "wins"], ["in", "hong_kong", "rain"]]
    assert (rows[1]["breaks"], rows[3]["title"]) == ([2], ["kong", "hong"])
    tokenizer = load_tokenizer(tmp_path, CONFIG)
    for title, row in zip(titles, rows, strict=True):
        assert tokenizer.tokenize(title, "", "en")._asdict().items() <= row.items()


def test_tokens_of_an_older_version_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StaleArtefact, match="python -m jobs all"):
        load_tokenizer(tmp_path, CONFIG)


def test_chinese_new_words_are_found(tmp_path: Path) -> None:
    titles = ["他玩王者荣耀", "王者荣耀更新", "王者荣耀的英雄", "天气很好", "王者归来", "荣耀手机"]
    assert "王者荣耀" in learned(titles, tmp_path, _MIN_NPMI=0.3)
    assert read_table(tmp_path / "articles.parquet")["title"].to_pylist()[1] == ["王者荣耀", "更新"]


def test_parts_of_something_longer_do_not_join_but_the_whole_does(tmp_path: Path) -> None:
    titles = ["{} Abra Kada Bra {}".format(*pair) for pair in (("he", "fell"), ("she", "rose"), ("we", "sang"))]
    assert set(learned(titles, tmp_path, _MIN_BRANCHING_ENTROPY=0.5)) == {"abra_kada_bra"}


@pytest.mark.parametrize(
    "titles",
    [
        ["of the day", "of the night", "of the house"],
        ["win 2 1", "lose 2 1", "draw 2 1"],
        ["Hong. Kong", "Hong, Kong", "Hong: Kong"],
        ["Hong Kong Hong Kong Hong Kong", "else"],
    ],
    ids=["stop words", "numbers", "breaks", "one article"],
)
def test_what_never_joins(titles: list[str], tmp_path: Path) -> None:
    assert learned(titles, tmp_path, _MIN_NPMI=-1) == {}


def test_the_watch_can_be_switched_off(tmp_path: Path) -> None:
    assert learned(["Hong Kong wins", "in Hong Kong", "to Hong Kong"], tmp_path, TokensConfig(new_words=False)) == {}


@settings(deadline=None)  # the first example makes the sketch
@given(st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=30), min_size=1, max_size=8))
def test_neighbours_are_counted_as_a_counter_would(articles: list[list[int]]) -> None:
    counter = BigramCounter(10, 2)
    pairs, within = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    for codes in articles:
        counter.add(np.array(codes), np.ones(len(codes) - 1, bool), np.zeros(len(codes), np.int64))
        pairs.update(pairwise(codes))
        within.update(set(pairwise(codes)))
    found = {(a, b): (n, m) for a, b, n, m in zip(*(column.tolist() for column in counter.pairs()), strict=True)}
    assert found == {pair: (pairs[pair], within[pair]) for pair in pairs if pairs[pair] >= 2}


def test_sums_stay_within_their_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.tokens.counting.MAX_KEYS", 10)
    sums = KeyedSums(1)
    sums.add(np.array([7] * 5 + list(range(100))), np.ones((105, 1), np.int64))
    sums.merge()
    assert dict(zip(sums.keys.tolist(), sums.values[:, 0].tolist(), strict=True)) == {7: 6}
