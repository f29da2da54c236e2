"""The benchmarks' own parts: judging by hand, known intervals, readers of odd files, baselines on tiny texts."""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.bootstrap import paired_interval
from benchmarks.cost import Cost, run_process
from benchmarks.keywords.baselines import cooccurrence_textrank, first_phrases, tf_idf, word_ranks
from benchmarks.keywords.data import Document, read_documents, read_texts
from benchmarks.keywords.judging import f1, judge, stemmed
from benchmarks.keywords.pipeline import LEVERS, prepare, random_vectors, ranked, without
from benchmarks.keywords.texts import Text, as_texts, phrase, runs
from benchmarks.scale.chart import picture
from benchmarks.scale.growth import Growth, as_markdown, growth_of, report
from benchmarks.simulated_articles import TOPICS, write_articles
from recsys.errors import ArtefactError, DegenerateInput, ImportRefused
from recsys.keywords.config import DEFAULT_PARAMETERS, KeywordsConfig
from recsys.settings import Settings
from recsys.tokens import TOKENS_SCHEMA
from recsys.words.config import WordsConfig


def row(title: list[str], body: list[str], tags: str, breaks: list[int], language: str = "en") -> Text:
    """One document; a tag per word, one letter each."""
    values = {
        "id": ["1"],
        "language": [language],
        "title": [title],
        "body": [body],
        "tags": [list(tags)],
        "breaks": [breaks],
    }
    return as_texts(pa.table(values, schema=TOKENS_SCHEMA), [" ".join(title + body)])[0]


def keys_of(text: Text) -> list[str]:
    return [phrase(text, *run) for run in runs(text)]


def test_f1_is_what_the_hand_computes() -> None:
    gold = {"a", "b", "c", "d"}
    assert f1(["a", "x", "b", "y", "c"], gold, 5) == pytest.approx(2 * 3 / (5 + 4))  # P 3/5, R 3/4
    assert f1(["a", "x", "b", "y", "c"], gold, 2) == pytest.approx(2 * 1 / (2 + 4))
    assert f1(["a"], gold, 10) == pytest.approx(2 * 1 / (1 + 4))  # precision of what was predicted, not of ten
    assert f1([], gold, 5) == 0
    assert f1(["x"], gold, 5) == 0


def test_words_are_compared_by_their_porter_stems() -> None:
    assert stemmed("Interest Rates") == stemmed("interest rate") == "interest rate"
    assert stemmed('the "economies",\tOPEC:') == "the economi opec"
    assert stemmed("...") == ""


def test_repeats_after_stemming_count_once_in_both_lists() -> None:
    document = Document("", "banks raise rates", ["bank", "Banks", "rate"])
    values = judge([["banks", "bank", "rates"]], [document], "en").values
    assert values["f1@5"].tolist() == [1.0]  # two different keys predicted, two given, both right


def test_present_keys_are_those_whose_stems_stand_in_the_text() -> None:
    documents = [Document("Central banks", "act", ["central bank", "money"]), Document("", "hello", ["absent"])]
    judged = judge([["central bank"], ["hello"]], documents, "en")
    assert judged.values["f1@10_present"][0] == 1.0
    assert np.isnan(judged.values["f1@10_present"][1])
    assert judged.means()["f1@10_present"] == 1.0
    assert judged.means()["f1@10"] == pytest.approx((2 / 3 + 0) / 2)


def test_chinese_keys_match_exactly_without_spaces_and_case() -> None:
    document = Document("人工智能AI发布", "", ["人工 智能", "ai"])
    assert judge([["人工智能", "AI"]], [document], "zh").values["f1@5"].tolist() == [1.0]
    assert judge([["人工", "智能"]], [document], "zh").values["f1@5"].tolist() == [0.0]


def test_an_interval_of_equal_differences_is_a_point() -> None:
    ours, other = np.array([0.5, 0.7, 0.9]), np.array([0.25, 0.45, 0.65])
    interval = paired_interval(ours, other, np.random.default_rng(1))
    assert interval == pytest.approx((0.25, 0.25, 0.25))


def test_an_interval_is_as_wide_as_the_normal_law_says() -> None:
    rng = np.random.default_rng(3)
    ours = rng.normal(0.1, 1.0, 900)
    interval = paired_interval(ours, np.zeros(900), rng)
    half = 1.96 * ours.std() / 30
    assert interval.low == pytest.approx(ours.mean() - half, abs=0.01)
    assert interval.high == pytest.approx(ours.mean() + half, abs=0.01)


def test_documents_without_a_figure_are_left_out_of_the_interval() -> None:
    ours, other = np.array([1.0, np.nan, 1.0]), np.array([0.0, 0.0, 0.0])
    assert paired_interval(ours, other, np.random.default_rng(1)).difference == 1.0


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(DegenerateInput, match="same documents"):
        paired_interval(np.array([np.nan]), np.array([1.0]), np.random.default_rng(1))
    with pytest.raises(DegenerateInput):
        paired_interval(np.ones(2), np.ones(3), np.random.default_rng(1))


@pytest.mark.parametrize("packed", [False, True])
def test_data_sets_of_many_makers_are_read(tmp_path: Path, packed: bool) -> None:
    rows = [
        {"id": "1", "text": "One", "keyphrases": ["a", " "]},
        {"title": "Two", "keywords": "b; c ;"},
        {"title": "Three", "body": None, "abstract": "More", "keys": [["d", "e"], "f"]},
        {"title": "No keys", "keywords": []},
        {"keyphrases": ["no text"]},
        {"text": 7, "keyphrases": 5},
    ]
    lines = "\n".join(["not JSON", "[1]", "", *(json.dumps(entry) for entry in rows)]).encode() + b"\n\xff\xfe"
    file = tmp_path / "data.jsonl"  # the name does not say whether it is compressed
    file.write_bytes(gzip.compress(lines) if packed else lines)
    documents, skipped = read_documents(file)
    assert documents == [
        Document("", "One", ["a"]),
        Document("Two", "", ["b", "c"]),
        Document("Three", "More", ["d", "e", "f"]),
    ]
    assert skipped == {"unreadable": 3, "no_text": 2, "no_keys": 1}
    assert len(read_documents(file, limit=3).documents) == 1


def test_a_file_without_a_single_usable_row_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "data.jsonl"
    file.write_text('{"text": "no keys"}\n')
    with pytest.raises(ImportRefused, match="no_keys"):
        read_documents(file)


def test_a_corpus_may_be_plain_lines_or_rows(tmp_path: Path) -> None:
    file = tmp_path / "corpus"
    file.write_text('Plain line\n{"title": "T", "body": "B"}\n{"other": 1}\n{"text": "Only text"}\n', encoding="utf-8")
    assert list(read_texts(file)) == [("", "Plain line"), ("T", "B"), ("", "Only text")]


def test_candidates_are_runs_of_nouns_and_adjectives_that_end_with_a_noun() -> None:
    text = row(["oil", "spill"], ["grave", "oil", "spill", "spread", "red", "sea", "coast", "angry"], "nnannvanna", [2])
    assert keys_of(text) == ["oil spill", "grave oil spill", "red sea coast"]


def test_no_candidate_crosses_a_break_and_a_collocation_is_taken_apart() -> None:
    text = row([], ["new_york", "bank", "rate", "cut"], "nnnv", [2])
    assert text.words == ["new", "york", "bank", "rate", "cut"]
    assert keys_of(text) == ["new york bank", "rate"]


def test_candidates_may_be_single_words() -> None:
    text = row([], ["grave", "oil", "spill"], "ann", [])
    assert [phrase(text, *run) for run in runs(text, "words")] == ["oil", "spill"]


def test_chinese_candidates_are_words() -> None:
    assert keys_of(row([], ["中国", "经济", "的", "增长"], "nnuv", [], "zh")) == ["中国", "经济"]


def test_first_phrases_come_in_reading_order_and_once() -> None:
    text = row([], ["banks", "raise", "rates", "bank"], "nvnn", [3])
    assert first_phrases([text]) == [["banks", "rates"]]


def test_tf_idf_prefers_what_is_frequent_here_and_rare_elsewhere() -> None:
    here = row([], ["oil", "x", "oil", "x", "bank"], "nunun", [])
    there = row([], ["bank"], "n", [])
    assert tf_idf([here, there])[0] == ["oil", "bank"]


def test_word_ranks_are_those_of_a_star() -> None:
    ranks = word_ranks(np.array([1, 0, 2, -1, -1, 3, 0]), 4, window=2)  # 0 is the centre of 1, 2 and 3
    leaf = ranks[1]
    assert ranks[[2, 3]] == pytest.approx([leaf, leaf])
    assert ranks[0] == pytest.approx(0.15 / 4 + 0.85 * 3 * leaf, abs=1e-4)
    assert ranks.sum() == pytest.approx(1, abs=1e-4)


def test_textrank_puts_the_word_that_meets_most_others_first() -> None:
    words = ["oil", "spill", "oil", "tanker", "oil", "coast"]
    breaks = [1, 2, 3, 4, 5]
    far = [filler for word in words for filler in (word, *["x"] * 9)]
    text = row([], far, "".join("n" if word != "x" else "u" for word in far), [place * 10 for place in breaks])
    assert cooccurrence_textrank([text])[0][0] == "oil"


def test_texts_without_words_have_no_keys() -> None:
    nothing = row([], [], "", [])
    assert first_phrases([nothing]) == tf_idf([nothing]) == cooccurrence_textrank([nothing]) == [[]]


def test_ours_is_ranked_by_the_jobs_code_and_no_key_is_seen(tmp_path: Path) -> None:
    texts = ["The central bank raised interest rates.", "An oil tanker spilled crude oil near the coast.", "the of and"]
    documents = [Document("", text, ["never seen"]) for text in texts]
    settings = Settings(words=WordsConfig(epochs=1))
    prepared = prepare(documents, [("Interest rates", "The bank lends oil money to the coast.")], tmp_path, settings, 1)
    assert prepared.language == "en"
    assert prepared.documents.num_rows == 3  # the corpus is learned from, not ranked
    keys, seconds = ranked(prepared, settings.keywords)
    assert {"bank", "interest", "rates"} & set(" ".join(keys[0]).split())
    assert {"tanker", "oil", "coast"} & set(" ".join(keys[1]).split())
    assert keys[2] == []
    assert seconds > 0
    random = random_vectors(prepared.words, np.random.default_rng(1))
    assert random.words == prepared.words.words
    assert random.space != prepared.words.space
    assert len(ranked(prepared, settings.keywords, words=random)[0]) == 3


@pytest.mark.parametrize("lever", LEVERS)
def test_every_lever_changes_the_settings(lever: str) -> None:
    assert without(KeywordsConfig(), lever) != (KeywordsConfig(), DEFAULT_PARAMETERS)


def test_simulated_articles_are_many_different_and_the_same_again(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_articles(tmp_path / name, 40, 30, chinese_share=0.5, seed=2)
    lines = [json.loads(line) for line in (tmp_path / "one").read_text(encoding="utf-8").splitlines()]
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert len({line["id"] for line in lines}) == len({line["body"] for line in lines}) == 40
    assert {line["category"] for line in lines} <= {f"topic{number:02}" for number in range(TOPICS)}
    english = [line for line in lines if line["title"].isascii()]
    assert 5 < len(english) < 35
    assert {len(line["body"].split()) for line in english} == {30}


def test_no_article_cannot_be_simulated(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused):
        write_articles(tmp_path / "none", 0, 30, 0.0, 1)


def costs(*cpu_seconds: float) -> list[dict[str, Cost]]:
    return [{"stage": Cost(9.0, seconds, 200)} for seconds in cpu_seconds]


def test_time_that_grows_with_the_square_has_the_exponent_two_whatever_starting_takes() -> None:
    sizes, tables = [1, 100, 200, 400], costs(5.0, 5.0 + 2.0, 5.0 + 8.0, 5.0 + 32.0)
    growth = growth_of(sizes, tables)["stage"]
    assert growth.cpu == pytest.approx(2.0)
    assert growth == Growth(growth.cpu, None)
    assert growth_of(sizes, costs(5.0, 5.1, 5.2, 5.4))["stage"].cpu is None, "noise has no exponent"
    assert growth_of(sizes[:2], tables[:2])["stage"].cpu is None, "two points less the first are one"
    best = report(sizes, tables, [{"cpu_ms": 2.0}] * 4, 1, 3.0)
    assert (best["best"]["above"], best["best"]["peak_mib"]) == (["stage"], 200)
    assert best["ours"]["service"]["cpu_ms@400"] == 2.0


def test_growth_is_shown_as_a_table_and_a_picture() -> None:
    sizes, tables = [1, 100, 200, 400], costs(5.0, 7.0, 13.0, 37.0)
    growth = growth_of(sizes, tables)
    assert "| stage | 5 s, 200 | 7 s, 200 | 13 s, 200 | 37 s, 200 | n^2.00 | – |" in as_markdown(sizes, tables, growth)
    assert "stage, n^2.00" in picture(sizes, tables, growth)


def test_a_process_is_measured_with_its_children() -> None:
    large = "import time; held = bytearray(64 << 20); time.sleep(0.5)"
    child = f"import sys, subprocess; subprocess.run([sys.executable, '-c', {large!r}])"
    assert run_process([sys.executable, "-c", child], {}).peak_mib >= 64


def test_a_process_that_fails_says_why() -> None:
    with pytest.raises(ArtefactError, match="no such luck"):
        run_process([sys.executable, "-c", "raise SystemExit('no such luck')"], {})
