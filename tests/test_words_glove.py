from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from recsys.errors import DegenerateInput
from recsys.words.config import WordsConfig
from recsys.words.cooccurrence import Cells, count_pairs
from recsys.words.corpus import InitialVectors
from recsys.words.glove import GloveState, initial_state, make_batches, step
from recsys.words.training import train

ROW_OF = {"a": 0, "b": 1, "c": 2}


def dense(cells: Cells, words: int = 3) -> npt.NDArray[np.float64]:
    matrix = np.zeros((words, words))
    matrix[cells.rows, cells.columns] = cells.values
    return matrix


def test_co_occurrences_by_hand(tmp_path: Path) -> None:
    """Distances count 1/d; "?" has no row and is passed over; no pair reaches into another line."""
    (tmp_path / "corpus.txt").write_text("a b ? c\nb\na a\n")
    found = dense(count_pairs(tmp_path / "corpus.txt", ROW_OF, window=2))
    assert found.tolist() == [[1, 1, 0.5], [0, 0, 1], [0, 0, 0]]


def random_corpus(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    lines = [" ".join(f"w{word}" for word in rng.zipf(1.5, rng.integers(1, 30)) % 40) for _ in range(300)]
    (folder / "corpus.txt").write_text("\n".join(lines) + "\n")
    return folder / "corpus.txt"


def test_co_occurrences_are_those_of_a_plain_loop_in_blocks_or_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus, row_of = random_corpus(tmp_path), {f"w{word}": word for word in range(40)}
    plain = np.zeros((40, 40))
    for line in corpus.read_text().splitlines():
        rows = [row_of[word] for word in line.split()]
        for place, row in enumerate(rows):
            for distance in range(1, min(4, place) + 1):
                plain[min(row, rows[place - distance]), max(row, rows[place - distance])] += 1 / distance
    whole = count_pairs(corpus, row_of, window=4)
    assert np.allclose(dense(whole, 40), plain, rtol=1e-5)
    monkeypatch.setattr("recsys.words.cooccurrence.CORPUS_BLOCK", 200)
    in_blocks = count_pairs(corpus, row_of, window=4)
    assert np.allclose(dense(in_blocks, 40), plain, rtol=1e-5)
    assert in_blocks.forgotten == 0


def test_memory_is_bounded_by_forgetting_rare_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus, row_of = random_corpus(tmp_path), {f"w{word}": word for word in range(40)}
    monkeypatch.setattr("recsys.words.cooccurrence.CORPUS_BLOCK", 200)
    whole, bounded = count_pairs(corpus, row_of, 4), count_pairs(corpus, row_of, 4, max_cells=100)
    assert len(bounded.rows) <= 100 + 100 // 4 + 200
    assert len(bounded.rows) < len(whole.rows)
    assert bounded.values.sum() + bounded.forgotten == pytest.approx(whole.values.sum(), rel=1e-5)
    assert dense(bounded, 40).max() == pytest.approx(dense(whole, 40).max(), rel=0.05)


def oracle(state: GloveState, cells: Cells, x_max: float, rate: float) -> tuple[float, list[npt.NDArray[np.float64]]]:
    """One step over all cells in both directions, in float64 and one cell at a time."""
    words, contexts, word_squares, context_squares = (matrix.double().numpy() for matrix in state)
    slopes = np.zeros_like(words), np.zeros_like(contexts)
    squares = word_squares.copy(), context_squares.copy()
    loss = 0.0
    for row, column, value in zip(cells.rows, cells.columns, cells.values.astype(np.float64), strict=True):
        for i, j in {(row, column), (column, row)}:
            error = words[i, :-2] @ contexts[j, :-2] + words[i, -2] + contexts[j, -1] - np.log(value)
            slope = min(1, (value / x_max) ** 0.75) * error
            loss += slope * error
            for side, place, gradient in ((0, i, slope * contexts[j]), (1, j, slope * words[i])):
                slopes[side][place] += gradient
                squares[side][place] += gradient**2
    slopes[0][:, -1] = slopes[1][:, -2] = 0
    moves = [rate * slope / np.sqrt(square) for slope, square in zip(slopes, squares, strict=True)]
    return loss, [words - moves[0], contexts - moves[1]]


def test_a_step_is_that_of_a_plain_loop_over_the_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    cells = Cells(np.array([0, 0, 1, 2]), np.array([1, 3, 1, 3]), np.array([12, 3, 0.5, 7], dtype=np.float32), 0)
    state = initial_state(4, 3, None, rng)
    for matrix in (state.words, state.contexts):
        matrix[:, :-2] += 0.5  # far enough from 0 that gradients matter
    loss, moved = oracle(state, cells, 10, 0.1)
    monkeypatch.setattr("recsys.words.glove.MIN_STEPS", 1)
    (batch,) = make_batches(cells, 10, 1000, rng)
    assert step(state, batch, 0.1) == pytest.approx(loss, rel=1e-5)
    assert np.allclose(state.words, moved[0], atol=1e-6)
    assert np.allclose(state.contexts, moved[1], atol=1e-6)


def test_the_cells_are_dealt_out_whole_with_their_mirror_images() -> None:
    cells = Cells(np.array([0, 1, 1]), np.array([0, 2, 3]), np.array([1, 2, 3], dtype=np.float32), 0)
    batches = make_batches(cells, 10, 2, np.random.default_rng(0))
    dealt = sorted(value for batch in batches for value in np.exp(batch.logs.numpy()).round().tolist())
    assert dealt == [1, 2, 2, 3, 3]


TOPICS = (["goal", "match", "team", "coach", "league"], ["bank", "profit", "market", "shares", "economy"])
CONFIG = WordsConfig(model="glove", embedding_dim=8, epochs=40, learning_rate=0.1)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two topics that share no word but one."""
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.choice([*TOPICS[i % 2], "the"], 8)) + "\n" for i in range(200)]
    (tmp_path / "corpus.txt").write_text("".join(lines))
    return tmp_path / "corpus.txt"


def test_words_of_one_topic_come_together_and_the_loss_falls(corpus: Path) -> None:
    trained = train(corpus, CONFIG, 1, 1)
    assert trained.words.vectors.shape == (11, 8)
    assert trained.losses[-1] < 0.2 * trained.losses[0]
    first, second = (trained.words.centred[trained.words.rows(topic)] for topic in TOPICS)
    assert (first @ first.T).mean() > (first @ second.T).mean() + 0.3


def test_one_seed_gives_the_same_bytes(corpus: Path) -> None:
    spaces = [train(corpus, CONFIG, seed, 1).words.space for seed in (1, 1, 2)]
    assert spaces[0] == spaces[1] != spaces[2]


def test_a_start_is_shared_out_between_the_two_matrices() -> None:
    given = np.array([[2, 4], [np.nan, np.nan]], dtype=np.float32)
    state = initial_state(2, 2, InitialVectors(given, given), np.random.default_rng(0))
    assert (state.words + state.contexts)[0, :-2].tolist() == [2, 4]
    assert np.isfinite(state.words.numpy()).all()


def test_a_large_corpus_gets_fewer_epochs_but_never_none(corpus: Path) -> None:
    cells = 11 + 2 * (2 * 10 + 10)  # each word with itself; both ways: pairs within a topic, pairs with "the"
    limited = CONFIG.model_copy(update={"max_trained_words": 4 * cells // CONFIG.window + 1})
    assert len(train(corpus, limited, 1, 1).losses) == 4
    assert len(train(corpus, CONFIG.model_copy(update={"max_trained_words": 1}), 1, 1).losses) == 1


def test_a_corpus_of_single_words_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("a\nb\na\nb\n")
    with pytest.raises(DegenerateInput, match="two known words in a line"):
        train(tmp_path / "corpus.txt", CONFIG, 1, 1)
