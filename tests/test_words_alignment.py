"""A retrained space in the frame of the last one, training that goes on from it, and what the job makes of both."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.runner import Context, run_stage
from jobs.stages import stage_of
from jobs.words import STAGE
from recsys.errors import SpaceMismatch
from recsys.settings import Settings
from recsys.tokens import Tokens
from recsys.tokens.table import as_table
from recsys.words import WordVectors
from recsys.words.alignment import alignment, drift, rotation
from recsys.words.config import WordsConfig
from recsys.words.corpus import save_trained_ids, write_new_texts
from recsys.words.training import Parent, load_parent, save_trained, train
from recsys.workspace import Workspace, read_json, save_npy

TOPICS = (["goal", "match", "team", "coach", "league"], ["bank", "profit", "market", "shares", "economy"])
CONFIG = WordsConfig(embedding_dim=4, epochs=10, subsample=0)


def space(seed: int, words: int = 30, dim: int = 5) -> WordVectors:
    rng = np.random.default_rng(seed)
    names = [f"w{row}" for row in range(words)]
    return WordVectors(names, np.arange(words, 0, -1), rng.normal(size=(words, dim)).astype(np.float32))


def random_rotation(dim: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(9).normal(size=(dim, dim)))[0].astype(np.float32)


def test_a_rotated_space_is_turned_back_exactly() -> None:
    last, turn = space(1), random_rotation(5)
    rotated = WordVectors(last.words, last.counts, last.vectors @ turn)
    back = alignment(rotated, last)
    assert back is not None
    assert np.allclose(back, turn.T, atol=1e-5)
    aligned = WordVectors(last.words, last.counts, rotated.vectors @ back)
    assert drift(aligned, last).mean_cosine == pytest.approx(1, abs=1e-4)


def test_the_rotation_is_the_best_of_many() -> None:
    source, target, weights = space(1).vectors, space(2).vectors, np.arange(30, dtype=np.float32)
    found = rotation(source, target, weights)
    assert np.allclose(found @ found.T, np.eye(5), atol=1e-5)

    def error(turn: np.ndarray) -> float:
        return float((weights[:, None] * (source @ turn - target) ** 2).sum())

    rng = np.random.default_rng(3)
    others = [np.linalg.qr(rng.normal(size=(5, 5)))[0] for _ in range(200)]
    assert error(found) < min(map(error, others))


def test_the_word_that_moved_is_named_first() -> None:
    last = space(1)
    vectors = last.vectors.copy()
    vectors[3] *= -1
    moved = drift(WordVectors(last.words, last.counts, vectors), last)
    assert moved.parent == last.space
    assert moved.shared_words == 30
    assert moved.moved_most[0][0] == "w3"
    assert moved.moved_most[0][1] < -0.5


def test_another_dimension_and_too_few_shared_words_are_not_aligned_to() -> None:
    assert alignment(space(1, dim=5), space(1, dim=4)) is None
    assert alignment(space(1, words=30), space(1, words=4)) is None
    strangers = WordVectors(["x", "y"], np.array([1, 1]), np.ones((2, 5), dtype=np.float32))
    assert alignment(strangers, space(1)) is None


def write(folder: Path, topics: tuple[list[str], ...], seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    lines = [" ".join(rng.choice(topics[i % len(topics)], 8)) + "\n" for i in range(200)]
    (folder / "corpus.txt").write_text("".join(lines))
    return folder / "corpus.txt"


def test_a_retrained_space_lands_in_the_frame_of_the_last(tmp_path: Path) -> None:
    corpus = write(tmp_path, TOPICS)
    last = train(corpus, CONFIG, 1, 1)
    apart = train(corpus, CONFIG, 2, 1).words
    retrained = train(corpus, CONFIG, 2, 1, parent=Parent(last.words, last.outputs))
    assert retrained.drift is not None
    assert retrained.drift.mean_cosine > 0.9 > drift(apart, last.words).mean_cosine
    assert np.allclose(retrained.words.vectors @ retrained.words.vectors.T, apart.vectors @ apart.vectors.T, atol=1e-4)
    assert retrained.outputs is not None


def test_the_same_training_again_keeps_the_bytes_of_the_last_space(tmp_path: Path) -> None:
    corpus = write(tmp_path, TOPICS)
    first = train(corpus, CONFIG, 1, 1)
    second = train(corpus, CONFIG, 2, 1, parent=Parent(first.words, first.outputs))
    third = train(corpus, CONFIG, 2, 1, parent=Parent(second.words, second.outputs))
    assert second.words.space == third.words.space != first.words.space


@pytest.mark.parametrize("keys", [{}, {"output": "hierarchical-softmax"}, {"model": "glove"}])
def test_continued_training_adds_words_and_keeps_old_neighbours(tmp_path: Path, keys: dict[str, object]) -> None:
    config = WordsConfig.model_validate(CONFIG.model_dump() | keys)
    last = train(write(tmp_path, TOPICS), config, 1, 1)
    new = write(tmp_path, (["goal", "match", "referee", "penalty"],))
    goes_on = config.model_copy(update={"start": "last"})
    trained = train(new, goes_on, 1, 1, parent=Parent(last.words, last.outputs))
    assert trained.continued
    assert set(trained.words.words) == {*last.words.words, "referee", "penalty"}
    added = dict(zip(trained.words.words, trained.words.counts.tolist(), strict=True))
    assert sum(added.values()) == int(last.words.counts.sum()) + 1600
    centred = trained.words.centred_of
    assert (centred(["bank"]) @ centred(TOPICS[1]).T).mean() > (centred(["bank"]) @ centred(TOPICS[0]).T).mean() + 0.3
    assert trained.drift is not None
    assert trained.drift.shared_words == 10


def test_to_go_on_without_a_last_space_is_to_begin(tmp_path: Path) -> None:
    corpus, goes_on = write(tmp_path, TOPICS), CONFIG.model_copy(update={"start": "last"})
    begun = train(corpus, goes_on, 1, 1)
    assert not begun.continued
    assert begun.words.space == train(corpus, CONFIG, 1, 1).words.space
    other = Parent(space(1, dim=6), None)
    assert train(corpus, goes_on, 1, 1, parent=other).words.space == begun.words.space


def test_to_go_on_without_a_new_text_keeps_the_last_space(tmp_path: Path) -> None:
    last = train(write(tmp_path, TOPICS), CONFIG, 1, 1)
    (tmp_path / "corpus.txt").write_text("")
    goes_on = CONFIG.model_copy(update={"start": "last"})
    kept = train(tmp_path / "corpus.txt", goes_on, 1, 1, parent=Parent(last.words, last.outputs))
    assert kept.words.space == last.words.space
    assert kept.losses == []


def test_a_parent_survives_the_disk_and_contradicting_outputs_are_refused(tmp_path: Path) -> None:
    last = train(write(tmp_path, TOPICS), CONFIG, 1, 1)
    save_trained(last, tmp_path, CONFIG)
    loaded = load_parent(tmp_path)
    assert loaded.words.space == last.words.space
    assert loaded.outputs is not None
    assert np.array_equal(loaded.outputs, last.outputs)  # type: ignore[arg-type]
    save_npy(tmp_path / "outputs.npy", np.zeros((1, 4), dtype=np.float32))
    with pytest.raises(SpaceMismatch, match="output vectors"):
        load_parent(tmp_path)


def tokens_table(file: Path, texts: dict[str, str]) -> pq.ParquetFile:
    rows = [Tokens("en", text.split()[:1], text.split()[1:], ["n"] * len(text.split()), []) for text in texts.values()]
    pq.write_table(as_table(pa.array(list(texts)), rows), file)
    return pq.ParquetFile(file)


def test_only_articles_that_the_last_space_has_not_seen_are_new(tmp_path: Path) -> None:
    save_trained_ids(tokens_table(tmp_path / "old.parquet", {"1": "old text", "2": "gone text"}), tmp_path)
    now = tokens_table(tmp_path / "new.parquet", {"1": "old text", "3": "brand new text", "4": ""})
    assert write_new_texts(now, tmp_path, tmp_path / "new.txt") == 2
    assert (tmp_path / "new.txt").read_text() == "brand new text\n"
    assert write_new_texts(now, tmp_path / "no space", tmp_path / "new.txt") == 3


def run_words(folder: Path, texts: dict[str, str], *, seed: int = 1, **keys: object) -> Workspace:
    """The words job over given texts, without the stages before it."""
    words = WordsConfig.model_validate(CONFIG.model_dump() | keys)
    context = Context(Settings(data_dir=folder, words=words), seed)
    with context.workspace.write("tokens", str(sorted(texts.items())), {}) as out:
        tokens_table(out / "articles.parquet", texts)
        (out / "corpus.txt").write_text("".join(f"{text}\n" for text in texts.values()))
    run_stage(context, *stage_of("words"))
    assert stage_of("words")[0] == STAGE
    return context.workspace


TEXTS = {str(i): " ".join(np.random.default_rng(i).choice(TOPICS[i % 2], 12)) for i in range(60)}
NEW = {f"new {i}": "goal match referee penalty referee goal" for i in range(20)}


def test_the_job_aligns_to_the_last_space_and_reports_the_drift(tmp_path: Path) -> None:
    first = run_words(tmp_path, TEXTS)
    space_of_first = read_json(first.path("words") / "space.json")["space"]
    assert read_json(first.path("words") / "evaluation.json")["drift"] is None
    second = run_words(tmp_path, TEXTS, seed=2)
    evaluation = read_json(second.path("words") / "evaluation.json")
    assert evaluation["drift"]["parent"] == space_of_first
    assert evaluation["drift"]["mean_cosine"] > 0.8
    assert "mean_cosine_with_last" in second.record("words").facts


def test_the_job_goes_on_with_new_articles_alone(tmp_path: Path) -> None:
    run_words(tmp_path, TEXTS)
    work = run_words(tmp_path, TEXTS | NEW, start="last")
    facts = work.record("words").facts
    assert (facts["new_articles"], facts["tokens"], facts["words"]) == (20, 120, 12)
    kept = "articles.parquet evaluation.json outputs.npy space.json training.json vectors.npy vocabulary.parquet"
    assert sorted(work.record("words").files) == kept.split()


def test_a_last_space_of_another_dimension_is_said_and_begun_anew(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run_words(tmp_path, TEXTS)
    work = run_words(tmp_path, TEXTS, embedding_dim=6, start="last")
    assert work.record("words").facts["tokens"] == 60 * 12  # all articles, not the new ones alone
    assert read_json(work.path("words") / "evaluation.json")["drift"] is None
    assert "not aligned" in "".join(capfd.readouterr())


def test_a_broken_last_space_does_not_stop_the_job(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    work = run_words(tmp_path, TEXTS)
    (work.path("words") / "vectors.npy").write_bytes(b"broken")
    assert run_words(tmp_path, TEXTS | NEW).record("words").facts["words"] == 12
    assert "cannot be used" in "".join(capfd.readouterr())
