"""Word2vec, the vocabulary, the word space on disk, and the benchmark of word vectors."""

import argparse
import gzip
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.words import Figures, best, cut, read_texts, write_corpus
from recsys.errors import CorruptArtefact, DegenerateInput
from recsys.words import WordVectors, load_words, save_words
from recsys.words.config import WordsConfig
from recsys.words.corpus import choose_vocabulary, count_words
from recsys.words.sampled_loss import SampledLoss
from recsys.words.training import train
from recsys.words.word2vec import LossRecorder
from recsys.workspace import save_npy

TOPICS = (["goal", "match", "team", "coach", "league"], ["bank", "profit", "market", "shares", "economy"])
FORMS = [(model, output) for model in ("skip-gram", "cbow") for output in ("negative-sampling", "hierarchical-softmax")]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two topics that share no word: each line is eight words of one of them."""
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.choice(TOPICS[i % 2], 8)) + "\n" for i in range(200)]
    (tmp_path / "corpus.txt").write_text("".join(lines))
    return tmp_path / "corpus.txt"


def form(model: str = "skip-gram", output: str = "negative-sampling", **keys: float) -> WordsConfig:
    return WordsConfig.model_validate(
        {"model": model, "output": output, "embedding_dim": 8, "epochs": 10, "subsample": 0, **keys}
    )


@pytest.mark.parametrize(("model", "output"), FORMS)
class TestEveryFormOfWord2vec:
    def test_words_of_one_topic_come_together(self, corpus: Path, model: str, output: str) -> None:
        words = train(corpus, form(model, output), 1, 1).words
        assert words.vectors.dtype == np.float32
        assert words.vectors.shape == (10, 8)
        first, second = (words.centred[words.rows(topic)] for topic in TOPICS)
        assert (first @ first.T).mean() > (first @ second.T).mean() + 0.5

    def test_the_loss_is_recorded_by_epoch_and_falls(self, corpus: Path, model: str, output: str) -> None:
        seen: list[int] = []
        losses = train(corpus, form(model, output), 1, 1, lambda epoch, loss: seen.append(epoch)).losses
        assert seen == list(range(1, 11))
        assert losses[-1] < losses[0]

    def test_one_worker_and_one_seed_give_the_same_bytes(self, corpus: Path, model: str, output: str) -> None:
        runs = [train(corpus, form(model, output), seed, 1) for seed in (1, 1, 2)]
        assert runs[0].words.vectors.tobytes() == runs[1].words.vectors.tobytes()
        assert runs[0].losses == runs[1].losses
        assert runs[0].words.words == runs[1].words.words
        assert runs[0].words.space != runs[2].words.space


def test_the_loss_of_negative_sampling_by_hand() -> None:
    """One prediction, word 0 -> word 1, with word 2 as noise: -log s(2) - log s(-1)."""
    vectors = np.array([[1, 0], [0, 0], [0, 0]], dtype=np.float32)
    outputs = np.array([[0, 0], [2, 5], [1, 5]], dtype=np.float32)
    model = SimpleNamespace(hs=0, wv=SimpleNamespace(vectors=vectors), syn1neg=outputs)
    sampled_loss = SampledLoss(np.array([0]), np.array([0]), np.array([1]), np.array([[2]]))
    assert sampled_loss.of(model) == pytest.approx(np.log(1 + np.exp(-2)) + np.log(1 + np.exp(1)))


def test_the_loss_of_hierarchical_softmax_by_hand() -> None:
    """Words 0 and 1 (their mean) -> word 2, whose path is left at node 0 and right at node 1."""
    vectors = np.array([[2, 0], [0, 2], [0, 0]], dtype=np.float32)
    path = {"point": np.array([0, 1]), "code": np.array([0, 1])}
    wv = SimpleNamespace(vectors=vectors, get_vecattr=lambda row, name: path[name])
    model = SimpleNamespace(hs=1, wv=wv, syn1=np.array([[1, 2], [-1, 0]], dtype=np.float32))
    sampled_loss = SampledLoss(np.array([0, 1]), np.array([0]), np.array([2]), np.zeros((1, 0), dtype=np.int64))
    assert sampled_loss.of(model) == pytest.approx(np.log(1 + np.exp(-3)) + np.log(1 + np.exp(-1)))


def test_a_corpus_without_a_repeated_word_is_read_with_a_min_count_of_one(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("every word stands once here\n")
    trained = train(tmp_path / "corpus.txt", form(min_count=5), 1, 1)
    assert trained.min_count == 1
    assert len(trained.words.words) == 5


@pytest.mark.parametrize("text", ["", "alone alone alone\n"])
def test_fewer_than_two_words_are_an_empty_space_that_survives_the_disk(tmp_path: Path, text: str) -> None:
    (tmp_path / "corpus.txt").write_text(text)
    trained = train(tmp_path / "corpus.txt", form(), 1, 1)
    assert (trained.losses, trained.tokens) == ([], 0)
    save_words(trained.words, tmp_path)
    loaded = load_words(tmp_path)
    assert loaded.words == []
    assert loaded.vectors.shape == loaded.centred.shape == (0, 8)
    assert loaded.rows(["alone"]).tolist() == [-1]


def test_a_training_that_loses_itself_is_stopped() -> None:
    lost = np.full((2, 2), np.nan, dtype=np.float32)
    sampled_loss = SampledLoss(np.array([0]), np.array([0]), np.array([1]), np.array([[0]]))
    with pytest.raises(DegenerateInput, match="a finite loss"):
        LossRecorder(sampled_loss, None).on_epoch_end(
            SimpleNamespace(hs=0, wv=SimpleNamespace(vectors=lost), syn1neg=lost)
        )


def small() -> WordVectors:
    vectors = np.array([[1, 2], [3, 4], [-1, 0]], dtype=np.float32)
    return WordVectors(["a", "b", "c"], np.array([5, 2, 1]), vectors)


def test_an_unknown_word_has_row_minus_one() -> None:
    assert small().rows(["c", "?", "a"]).tolist() == [2, -1, 0]


def test_an_unknown_word_has_no_vector() -> None:
    vectors = small().centred_of(["b", "unknown"])
    assert np.array_equal(vectors[0], small().centred[1])
    assert np.isnan(vectors[1]).all()
    assert small().centred_of([]).shape == (0, 2)


def test_centred_vectors_are_seen_from_the_corpus_mean_by_hand() -> None:
    words = WordVectors(["a", "b"], np.array([3, 1]), np.array([[0, 0], [4, 0]], dtype=np.float32))
    assert words.centred.tolist() == [[-1, 0], [1, 0]]  # the mean is (1, 0)


def test_a_space_survives_the_disk(tmp_path: Path) -> None:
    save_words(small(), tmp_path)
    loaded = load_words(tmp_path)
    assert loaded.words == ["a", "b", "c"]
    assert loaded.vectors.tolist() == small().vectors.tolist()
    assert loaded.space == small().space


def test_files_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    save_words(small(), tmp_path)
    save_npy(tmp_path / "vectors.npy", np.zeros((2, 2), dtype=np.float32))
    with pytest.raises(CorruptArtefact, match="float32 vectors"):
        load_words(tmp_path)


@pytest.mark.parametrize("value", [0, np.nan])
def test_vectors_without_meaning_are_refused(value: float) -> None:
    with pytest.raises(DegenerateInput):
        WordVectors(["a"], np.array([1]), np.full((1, 2), value, dtype=np.float32))


def test_the_rooms_that_the_web_service_uses_import_no_gensim_and_no_networkx() -> None:
    code = "import sys, recsys.articles, recsys.categories; sys.exit(bool({'gensim', 'networkx'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_large_corpus_gets_fewer_epochs_but_never_none(corpus: Path) -> None:
    """1,600 words: a budget of 4,000 is two passes."""
    for budget, epochs in ((4_000, 2), (1, 1), (10**9, 10)):
        assert len(train(corpus, form(max_trained_words=budget), 1, 1).losses) == epochs


def test_the_vocabulary_is_bounded_to_the_most_frequent_words(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("a a a b b c c c c d\n")
    counts, lines = count_words(tmp_path / "corpus.txt")
    found = choose_vocabulary(counts, lines, 2, 2, {})
    assert (found.words, found.counts.tolist(), found.tokens, found.covered, found.lines) == (
        ["c", "a"],
        [4, 3],
        10,
        7,
        1,
    )
    kept = choose_vocabulary(counts, lines, 2, 10, {"old": 7, "d": 1})
    assert dict(zip(kept.words, kept.counts.tolist(), strict=True)) == {"old": 7, "c": 4, "a": 3, "b": 2, "d": 2}


def test_counting_forgets_rare_words_when_memory_runs_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.words.corpus.CORPUS_BLOCK", 10)
    (tmp_path / "corpus.txt").write_text("".join(f"often rare{i}\n" for i in range(50)))
    counts, lines = count_words(tmp_path / "corpus.txt", max_counted=10)
    assert lines == counts["often"] == 50
    assert len(counts) <= 10


@pytest.mark.parametrize("name", ["corpus.jsonl", "corpus.jsonl.gz", "corpus.txt", "corpus.txt.gz"])
def test_a_corpus_is_read_from_lines_or_json_lines_compressed_or_not(tmp_path: Path, name: str) -> None:
    rows = [{"title": "Bank profit", "body": "rises"}, {"text": "Only a text"}, {"id": 3}]
    texts = ["Bank profit\nrises", "Only a text", ""]
    lines = [json.dumps(row) for row in rows] if "json" in name else ["Bank profit rises", "Only a text", ""]
    data = "".join(f"{line}\n" for line in lines).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    found = [text.strip() for text in read_texts(tmp_path / name, 2)]
    assert found == (texts if "json" in name else lines) * 2


def test_raw_text_becomes_a_corpus_file_whose_tokens_are_counted(tmp_path: Path) -> None:
    (tmp_path / "raw.txt").write_text("The Bank, the profit!\n\n银行利润\n")
    options = argparse.Namespace(corpus=tmp_path / "raw.txt", times=1, workers=1)
    tokens = write_corpus(options, tmp_path / "corpus.txt")
    assert (tmp_path / "corpus.txt").read_text().split() == ["the", "bank", "the", "profit", "银行", "利润"]
    assert tokens == 6


def test_the_baseline_cuts_english_with_gensim_and_chinese_with_rjieba() -> None:
    assert cut("The Bank, the profit!") == ["the", "bank", "the", "profit"]
    assert cut("银行利润") == ["银行", "利润"]


def test_the_best_is_the_least_memory_and_the_most_of_all_else() -> None:
    small: Figures = {"peak_mib": 3, "speed": 2, "x": None}
    ours = {"large": small | {"peak_mib": 5, "speed": 1}, "small": small}
    assert [best(name, ours) for name in ("peak_mib", "speed", "x")] == [3, 2, None]


def test_rows_of_mapped_vectors_are_those_of_the_whole_table(tmp_path: Path) -> None:
    vectors = np.random.default_rng(1).normal(size=(40, 12)).astype(np.float32)
    words = WordVectors([f"w{n}" for n in range(40)], np.arange(40, 0, -1), vectors)
    save_words(words, tmp_path)
    mapped = load_words(tmp_path, mapped=True)
    mapped.give_back()
    rows = np.array([3, 0, 3, len(words.words) - 1])
    assert np.array_equal(mapped.centred_rows(rows), words.centred[rows])
    assert "centred" not in vars(mapped), "no second table"
