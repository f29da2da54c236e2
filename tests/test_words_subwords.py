from pathlib import Path

import numpy as np
import pytest
from gensim.models.fasttext import FastText, ft_ngram_hashes

from recsys.errors import CorruptArtefact
from recsys.words import WordVectors, load_words, save_words, unit_rows
from recsys.words.config import WordsConfig
from recsys.words.subwords import MAX_CHARS, MIN_CHARS, Subwords, bucket_rows
from recsys.words.training import train
from recsys.workspace import save_npy

STRANGE = ["economy", "经济学", "é", "a", "", "new_york", "😀x", "naïve-bayes", "ЖУК", "日本"]


@pytest.mark.parametrize("word", STRANGE)
def test_the_buckets_of_a_word_are_those_of_gensim(word: str) -> None:
    assert bucket_rows(word, 1000) == ft_ngram_hashes(word, MIN_CHARS, MAX_CHARS, 1000)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    topics = ["banks banking banker bankers loans", "tennis matches matched players played"]
    lines = [" ".join(rng.choice(topics[i % 2].split(), 8)) + "\n" for i in range(100)]
    (tmp_path / "corpus.txt").write_text("".join(lines))
    return tmp_path / "corpus.txt"


CONFIG = WordsConfig(embedding_dim=8, epochs=8, subsample=0, subwords=True, buckets=500)


def test_an_unknown_word_gets_the_vector_that_gensim_gives_it() -> None:
    texts = [["banks", "banking", "loans"], ["经济", "经济学", "loans"]] * 5
    model = FastText(texts, vector_size=6, min_count=1, bucket=300, min_n=MIN_CHARS, max_n=MAX_CHARS, epochs=2)
    guessed = Subwords(model.wv.vectors_ngrams).guessed(["bankers", "经济部"])
    assert np.allclose(guessed, [model.wv["bankers"], model.wv["经济部"]], atol=1e-6)


def test_a_space_with_subwords_rescues_unknown_words_near_their_kin(corpus: Path) -> None:
    words = train(corpus, CONFIG, 1, 1).words
    found = words.centred_of(["banks", "bankings", "matchs", "x"])
    assert np.array_equal(found[0], words.centred[words.row_of["banks"]])
    assert np.allclose(np.linalg.norm(found[:3], axis=1), 1, atol=1e-5)
    money, sport = (words.centred_of([word])[0] for word in ("loans", "tennis"))
    assert found[1] @ money > found[1] @ sport
    assert found[2] @ sport > found[2] @ money


def test_known_words_hold_their_whole_vector_with_their_n_grams(corpus: Path) -> None:
    words = train(corpus, CONFIG, 1, 1).words
    assert words.subwords is not None
    sums, sizes = words.subwords.sums(["banks"])
    own_part = words.vectors[words.row_of["banks"]] * (sizes[0] + 1) - sums[0]
    assert np.isfinite(own_part).all()
    assert not np.allclose(own_part, words.vectors[words.row_of["banks"]])


def plain(subwords: Subwords | None = None) -> WordVectors:
    vectors = np.array([[1, 2], [3, 4], [-1, 0]], dtype=np.float32)
    return WordVectors(["a", "b", "c"], np.array([5, 2, 1]), vectors, subwords)


def test_without_subwords_an_unknown_word_has_no_vector() -> None:
    found = plain().centred_of(["b", "unknown"])
    assert np.array_equal(found[0], plain().centred[1])
    assert np.isnan(found[1]).all()
    assert plain().centred_of([]).shape == (0, 2)


def test_a_word_without_a_vector_or_an_n_gram_is_nan_and_a_rescued_one_by_hand() -> None:
    bucket = np.array([[3, 5]], dtype=np.float32)  # one for all n-grams
    words = plain(Subwords(bucket))
    expected = unit_rows(bucket - words.mean)
    assert np.allclose(words.centred_of(["unknown"]), expected)
    assert np.isnan(words.centred_of([""])).all()


def test_subwords_survive_the_disk_and_those_of_another_dimension_are_refused(tmp_path: Path) -> None:
    save_words(plain(Subwords(np.ones((4, 2), dtype=np.float32))), tmp_path)
    loaded = load_words(tmp_path)
    assert loaded.subwords is not None
    assert loaded.subwords.vectors.tolist() == np.ones((4, 2)).tolist()
    save_npy(tmp_path / "subwords.npy", np.ones((4, 3), dtype=np.float32))
    with pytest.raises(CorruptArtefact, match="n-gram vectors"):
        load_words(tmp_path)


def test_subwords_go_with_word2vec_alone() -> None:
    with pytest.raises(ValueError, match="subwords only"):
        WordsConfig(model="glove", subwords=True)
