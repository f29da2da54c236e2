from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from recsys.articles import ArticlesConfig, article_vector, load_encoder, write_articles
from recsys.errors import SpaceMismatch
from recsys.keywords import KeywordsConfig, Ranker
from recsys.keywords.batch import count_articles, write_keywords
from recsys.tokens import TokensConfig, write_tokens
from recsys.words import WordVectors, save_words
from recsys.workspace import load_npy, read_table

WORDS = WordVectors(
    ["ball", "bank", "rate"], np.ones(3, dtype=np.int64), np.array([[3, 0], [0, 3], [0, 0]], np.float32)
)
TEXTS = [("Ball after ball", "The bank"), ("Bank rate", "rate of the bank, and a ball"), ("nothing known", "")]


def weights(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array(values, dtype=np.float32)


def test_a_vector_is_the_mean_of_the_keywords_by_hand() -> None:
    """Centred on (1, 1): ball (2, -1), bank (-1, 2); with weights 4 : 1 their roots are 2 : 1, so 4-1 : -2+2."""
    assert article_vector(["ball", "bank"], weights(4, 1), WORDS, ArticlesConfig()) == pytest.approx([1, 0], abs=1e-6)


def test_only_the_top_keywords_count() -> None:
    one = article_vector(["ball"], weights(4), WORDS, ArticlesConfig())
    assert (
        article_vector(["ball", "bank"], weights(4, 1), WORDS, ArticlesConfig(top_keywords=1)).tolist() == one.tolist()
    )


def test_an_article_without_keywords_has_a_row_of_nan() -> None:
    assert np.isnan(article_vector([], weights(), WORDS, ArticlesConfig())).all()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    titles, bodies = zip(*TEXTS, strict=True)
    table = pa.table({"id": ["a", "b", "c"], "title": titles, "body": bodies, "language": ["en"] * 3})
    write_tokens(table.to_batches(), tmp_path, TokensConfig())
    save_words(WORDS, tmp_path)
    batches = read_table(tmp_path / "articles.parquet").to_batches()
    write_keywords(batches, Ranker(WORDS, count_articles(batches, WORDS), KeywordsConfig()), tmp_path)
    return tmp_path


def test_one_live_article_and_the_batch_agree(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    out = tmp_path_factory.mktemp("articles")
    counts = write_articles(folder / "keywords.parquet", WORDS, out, ArticlesConfig())
    assert counts == {"articles": 3, "without_vector": 1}
    vectors = load_npy(out / "vectors.npy")
    encoder = load_encoder(folder, folder, TokensConfig(), KeywordsConfig(), ArticlesConfig())
    for (title, body), vector in zip(TEXTS, vectors, strict=True):
        live = encoder.encode(title, body)
        assert live.language == "en"
        assert live.vector == pytest.approx(vector, abs=1e-6, nan_ok=True)
    assert np.linalg.norm(vectors[:2], axis=1) == pytest.approx([1, 1])
    assert read_table(out / "ids.parquet")["id"].to_pylist() == ["a", "b", "c"]


def test_words_of_another_space_are_refused(folder: Path) -> None:
    save_words(WordVectors(WORDS.words, WORDS.counts, WORDS.vectors + 1), folder)
    with pytest.raises(SpaceMismatch):
        load_encoder(folder, folder, TokensConfig(), KeywordsConfig(), ArticlesConfig())
