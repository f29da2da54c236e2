import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import MissingArtefact
from recsys.words import WordVectors, unit_rows
from recsys.words.config import WordsConfig
from recsys.words.doc2vec import DocumentInference, load_inference
from recsys.words.training import save_trained, train

TOPICS = (["goal", "match", "team", "coach", "league"], ["bank", "profit", "market", "shares", "economy"])


def trained(folder: Path, **keys: object) -> DocumentInference:
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.choice(TOPICS[i % 2], 12)) + "\n" for i in range(200)]
    (folder / "corpus.txt").write_text("".join(lines))
    config = WordsConfig.model_validate({"embedding_dim": 8, "epochs": 20, "subsample": 0, **keys})
    save_trained(train(folder / "corpus.txt", config, 1, 1), folder, config)
    return load_inference(folder)


@pytest.mark.parametrize(("model", "margin"), [("pv-dm", 0.15), ("pv-dbow", 0.5)])  # PV-DM leaves it less to tell
def test_texts_of_one_topic_come_together(tmp_path: Path, model: str, margin: float) -> None:
    inference = trained(tmp_path, model=model, window=1)
    rng = np.random.default_rng(5)
    texts = [inference.words.rows(rng.choice(TOPICS[i % 2], 9)) for i in range(20)]
    vectors = unit_rows(np.array([inference.infer(rows) for rows in texts]))
    cosines = vectors @ vectors.T
    same = np.add.outer(np.arange(20), np.arange(20)) % 2 == 0
    assert cosines[same].mean() > cosines[~same].mean() + margin
    assert np.array_equal(inference.infer(texts[0]), inference.infer(texts[0]))


def test_a_text_without_a_known_word_has_no_vector_and_unknown_words_are_passed_over(tmp_path: Path) -> None:
    inference = trained(tmp_path, model="pv-dbow", epochs=2)
    assert np.isnan(inference.infer(np.array([-1, -1], dtype=np.int32))).all()
    assert np.isnan(inference.infer(np.empty(0, dtype=np.int32))).all()
    with_unknown = inference.infer(np.array([3, -1, 4], dtype=np.int32))
    assert np.array_equal(with_unknown, inference.infer(np.array([3, 4], dtype=np.int32)))


def test_a_very_long_text_is_one_of_its_first_words(tmp_path: Path) -> None:
    inference = trained(tmp_path, model="pv-dm", epochs=2)
    long = np.tile(np.arange(5, dtype=np.int32), 2000)
    assert np.array_equal(inference.infer(long), inference.infer(long[:2000]))


def gradient(inference: DocumentInference, rows: list[int], vector: np.ndarray) -> np.ndarray:
    """Of the loss that inference lowers, word by word in float64."""
    total = vector.astype(np.float64)
    for place, row in enumerate(rows):
        window = inference.window
        around = rows[max(place - window, 0) : place] + rows[place + 1 : place + 1 + window] if window else []
        share = 1 / (len(around) + 1)
        hidden = share * (inference.words.vectors[around].sum(axis=0, dtype=np.float64) + vector)
        for target, truth in [(row, 1), *((noise, 0) for noise in inference.noise[place].tolist())]:
            output = inference.outputs[target].astype(np.float64)
            total += (1 / (1 + np.exp(-hidden @ output)) - truth) * share * output
    return total


@pytest.mark.parametrize("window", [0, 2])
def test_inference_ends_where_a_plain_loop_finds_no_slope(window: int) -> None:
    rng = np.random.default_rng(2)
    words = WordVectors(list("abcdef"), np.arange(6, 0, -1), rng.normal(size=(6, 4)).astype(np.float32))
    inference = DocumentInference(
        words, rng.normal(size=(6, 4)).astype(np.float32), window, 2, rng.integers(6, size=(20, 2))
    )
    rows = [0, 3, 1, 5, 2, 2, 4]
    found = inference.infer(np.array(rows, dtype=np.int32))
    at_start, at_end = (np.linalg.norm(gradient(inference, rows, at)) for at in (np.zeros(4), found))
    assert at_end < 0.01 * at_start


@pytest.mark.parametrize("keys", [{"model": "cbow"}, {"model": "pv-dm", "output": "hierarchical-softmax"}])
def test_a_space_that_is_no_doc2vec_is_refused_with_a_remedy(tmp_path: Path, keys: dict[str, object]) -> None:
    with pytest.raises(MissingArtefact, match="pv-dm or pv-dbow"):
        trained(tmp_path, epochs=1, **keys)


def test_a_site_without_texts_gives_no_text_a_vector(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("")
    config = WordsConfig(model="pv-dbow", embedding_dim=8)
    save_trained(train(tmp_path / "corpus.txt", config, 1, 1), tmp_path, config)
    inference = load_inference(tmp_path)
    assert np.isnan(inference.infer(inference.words.rows(["goal", "bank"]))).all()


def test_inference_imports_no_gensim_and_no_torch() -> None:
    code = "import sys, recsys.words.doc2vec; sys.exit(bool({'gensim', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
