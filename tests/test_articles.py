from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from recsys.articles import EncodedArticle, load_encoder
from recsys.articles.config import ArticlesConfig
from recsys.articles.encoding import IDF, IDF_CONFIG, write_articles
from recsys.articles.vectors import Texts, TextVectors, idf_means, keyword_means, text_vectors
from recsys.errors import MissingArtefact, SpaceMismatch
from recsys.keywords import DocumentFrequencies, KeywordRanker, Keywords, count_articles, write_keywords
from recsys.keywords.config import KeywordsConfig
from recsys.tokens import write_tokens
from recsys.tokens.config import TokensConfig
from recsys.words import Matrix, WordVectors, save_words, unit_rows
from recsys.words.config import WordsConfig
from recsys.words.training import save_trained, train
from recsys.workspace import load_npy, read_table, write_json

WORDS = WordVectors(
    ["ball", "bank", "rate"], np.ones(3, dtype=np.int64), np.array([[3, 0], [0, 3], [0, 0]], np.float32)
)
TEXTS = [("Ball after ball", "The bank"), ("Bank rate", "rate of the bank, and a ball"), ("nothing known", "")]


def ranked(words: str, *weights: float) -> Keywords:
    return Keywords(words.split(), np.array(weights, dtype=np.float32), words.split())


def test_a_vector_is_the_mean_of_the_keywords_by_hand() -> None:
    """Centred on (1, 1): ball (2, -1), bank (-1, 2); with weights 4 : 1 their roots are 2 : 1, so 4-1 : -2+2."""
    assert keyword_means([ranked("ball bank", 4, 1)], WORDS, 40)[0] == pytest.approx([1, 0], abs=1e-6)


def test_only_the_top_keywords_count() -> None:
    one, two = keyword_means([ranked("ball", 4), ranked("ball bank", 4, 1)], WORDS, 1)
    assert one.tolist() == two.tolist()


def test_articles_without_known_words_have_rows_of_nan_between_the_others() -> None:
    found = keyword_means([ranked(""), ranked("ball", 1), ranked("strange", 1)], WORDS, 40)
    assert np.isnan(found).all(axis=1).tolist() == [True, False, True]


def test_rare_words_count_more_by_hand() -> None:
    """Of three articles, ball stands in all and says nothing; bank stands twice in this one and in no other."""
    frequencies = DocumentFrequencies({"en": np.array([3, 1, 1], dtype=np.int32)}, {"en": 3})
    found = idf_means(Texts(["en"], [["ball", "bank", "bank"]], []), WORDS, frequencies)
    assert found[0] == pytest.approx(np.array([-1, 2]) / np.sqrt(5), abs=1e-6)


def test_what_all_articles_share_is_taken_out() -> None:
    """Articles that share (1, 0) and differ along (0, 1) keep the difference."""
    rng = np.random.default_rng(0)
    vectors = unit_rows(np.stack([np.full(60, 2), rng.normal(size=60)], axis=1).astype(np.float32))
    made = TextVectors(WORDS, DocumentFrequencies({}, {}), ArticlesConfig(encoder="idf-mean"))
    made.learn_common(vectors, ["en"] * 60)
    found = made.without_common(vectors, ["en"] * 60)
    assert (np.sign(found[:, 1]) == np.sign(vectors[:, 1])).mean() > 0.9
    assert np.abs(found[:, 1]).min() > 0.9
    assert made.without_common(vectors[:1], ["zh"])[0] == pytest.approx(vectors[0], abs=1e-6)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    titles, bodies = zip(*TEXTS, strict=True)
    table = pa.table({"id": ["a", "b", "c"], "title": titles, "body": bodies, "language": ["en"] * 3})
    write_tokens(table.to_batches(), tmp_path, TokensConfig())
    save_words(WORDS, tmp_path)
    rank(WORDS, tmp_path)
    return tmp_path


def rank(words: WordVectors, folder: Path) -> None:
    batches = read_table(folder / "articles.parquet").to_batches()
    write_keywords(batches, KeywordRanker(words, count_articles(batches, words), KeywordsConfig()), folder)


def batch_and_live(
    folder: Path, out: Path, config: ArticlesConfig
) -> tuple[Matrix, list[EncodedArticle], dict[str, int]]:
    counts = write_articles(
        folder / "articles.parquet", folder / "keywords.parquet", text_vectors(folder, folder, config), out
    )
    (out / IDF).mkdir()
    means = text_vectors(folder, folder, IDF_CONFIG)
    write_articles(folder / "articles.parquet", folder / "keywords.parquet", means, out / IDF)
    live = load_encoder(folder, folder, folder, out, TokensConfig(), KeywordsConfig(), config)
    return load_npy(out / "vectors.npy"), [live.encode(title, body) for title, body in TEXTS], counts


@pytest.mark.parametrize("encoder", ["keywords", "idf-mean"])
def test_one_live_article_and_the_batch_agree(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, encoder: str
) -> None:
    out = tmp_path_factory.mktemp("articles")
    vectors, live, counts = batch_and_live(folder, out, ArticlesConfig(encoder=encoder))
    assert counts == {"articles": 3, "without_vector": 1}
    assert [one.language for one in live] == ["en"] * 3
    assert np.array([one.vector for one in live]) == pytest.approx(vectors, abs=1e-6, nan_ok=True)
    assert np.linalg.norm(vectors[:2], axis=1) == pytest.approx([1, 1])
    assert read_table(out / "ids.parquet")["id"].to_pylist() == ["a", "b", "c"]
    means = np.array([one.idf_vector for one in live])
    assert means == pytest.approx(load_npy(out / IDF / "vectors.npy"), abs=1e-6, nan_ok=True)
    assert np.isfinite(means[:2]).all()


@pytest.mark.parametrize("model", ["pv-dbow", "pv-dm"])
def test_doc2vec_of_one_live_article_is_that_of_the_batch(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, model: str
) -> None:
    config = WordsConfig.model_validate({"model": model, "embedding_dim": 4, "epochs": 3, "subsample": 0})
    (folder / "corpus.txt").write_text("ball bank rate of the\n" * 20)
    trained = train(folder / "corpus.txt", config, 1, 1)
    save_trained(trained, folder, config)
    rank(trained.words, folder)
    out = tmp_path_factory.mktemp("articles")
    vectors, live, counts = batch_and_live(folder, out, ArticlesConfig(encoder="doc2vec"))
    assert counts == {"articles": 3, "without_vector": 1}
    assert np.array([one.vector for one in live]) == pytest.approx(vectors, abs=1e-6, nan_ok=True)
    assert np.linalg.norm(vectors[:2], axis=1) == pytest.approx([1, 1])


def test_words_of_another_space_are_refused(folder: Path) -> None:
    save_words(WordVectors(WORDS.words, WORDS.counts, WORDS.vectors + 1), folder)
    with pytest.raises(SpaceMismatch):
        text_vectors(folder, folder, ArticlesConfig())


def test_doc2vec_needs_words_that_were_trained_with_texts(folder: Path) -> None:
    write_json(folder / "training.json", {"model": "skip-gram"})
    with pytest.raises(MissingArtefact, match=r"words\.model"):
        text_vectors(folder, folder, ArticlesConfig(encoder="doc2vec"))
