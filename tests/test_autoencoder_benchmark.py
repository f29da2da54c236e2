"""The benchmarks' autoencoder: no word is no vector, categories lie together, the mean of the noise serves."""

import numpy as np
import pytest
import torch

from benchmarks import autoencoder
from benchmarks.autoencoder import NOISE, UNITS, Autoencoder, DenoisingAutoencoder, Vocabulary, same_story, trained

TOPICS = (["goal", "striker", "keeper", "penalty", "coach"], ["shares", "bonds", "rates", "profit", "loan"])


def texts_of(n: int) -> tuple[list[list[str]], list[str | None]]:
    """Texts of two words of one topic each; every third comes without its category."""
    rng = np.random.default_rng(2)
    texts = [[str(word) for word in rng.choice(TOPICS[row % 2], 2)] for row in range(n)]
    return texts, [None if row % 3 == 2 else str(row % 2) for row in range(n)]


@pytest.fixture
def everything_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autoencoder, "TOO_COMMON", 1.0)
    monkeypatch.setattr(autoencoder, "TEXTS_PER_STEP", 16)
    monkeypatch.setattr(autoencoder, "EPOCHS", 30)
    monkeypatch.setattr(autoencoder, "STEPS", 1)


def test_texts_of_one_category_lie_together_also_those_that_came_without(everything_counts: None) -> None:
    texts, categories = texts_of(120)
    vectors = trained(texts, categories, 1).vectors(texts)
    topic = np.arange(120) % 2
    cosines = vectors @ vectors.T
    same = topic[:, None] == topic
    untold = np.array([category is None for category in categories])
    assert cosines[untold][:, untold][same[untold][:, untold]].mean() > 0.5
    assert cosines[untold][:, untold][~same[untold][:, untold]].mean() < 0.1


def test_a_text_without_a_known_word_has_the_vector_zero(everything_counts: None) -> None:
    texts, categories = texts_of(30)
    vectors = trained(texts, categories, 1).vectors([[], ["unheard"], texts[0]])
    assert not vectors[:2].any()
    assert np.linalg.norm(vectors[2]) == pytest.approx(1)


def test_at_service_the_noise_is_its_mean_by_hand() -> None:
    network = DenoisingAutoencoder(np.array([0.5, 0.5], np.float32), UNITS)
    vocabulary = Vocabulary([["a"], ["b"]] * 20)
    vocabulary.row_of = {"a": 0, "b": 1}
    vector = Autoencoder(vocabulary, network).vectors([["a"]])[0]
    bias = network.encoder.bias.detach()
    raw = torch.tanh((1 - NOISE) * network.encoder.weight[:, 0].detach() + bias) - torch.tanh(bias)
    assert vector == pytest.approx((raw / raw.norm()).numpy(), abs=1e-6)


def test_it_begins_with_how_rare_the_words_are() -> None:
    """Else all texts learn one direction first, that words are rare, and lie together in it."""
    network = DenoisingAutoencoder(np.array([0.01, 0.1, 1.0], np.float32), UNITS)
    given = torch.sigmoid(network.decoder.bias.detach()).numpy()
    assert given == pytest.approx([0.01, 0.1, 1.0], abs=1e-3)
    assert np.isfinite(network.decoder.bias.detach().numpy()).all()


def test_words_of_more_than_a_tenth_of_all_texts_are_left_out() -> None:
    rare = [[f"word{row}", "the"] for row in range(20)]
    assert "the" not in Vocabulary(rare).row_of
    assert "word3" in Vocabulary(rare).row_of


def test_a_headline_finds_its_story_by_hand() -> None:
    """Three headlines of a story, of which the third is nearest to a lone one."""
    vectors = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9]], np.float32)
    found = same_story(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.array([0, 0, 0, 1]))
    assert found["hit@1"] == pytest.approx(2 / 3)
    assert found["mrr@10"] == pytest.approx((1 + 1 + 1 / 2) / 3)
