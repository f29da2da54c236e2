import gzip
from pathlib import Path

import numpy as np
import pytest
from structlog.processors import LogfmtRenderer
from structlog.testing import capture_logs

from jobs.runner import Context, Job
from jobs.words import STAGE, warn
from recsys.errors import ImportRefused
from recsys.words.config import WordsConfig
from recsys.words.evaluation import evaluate_words
from recsys.words.pretrained import MAX_LINE_BYTES, Pretrained, read_vectors
from recsys.words.training import train
from tests.newsroom import toy_settings

WANTED = {"bank": 0, "银行": 1, "goal": 2}
ROWS = {"bank": [1.0, 2.0, 3.0], "unwanted": [9.0, 9.0, 9.0], "银行": [0.5, -1.0, 0.25], "Goal": [4.0, 5.0, 6.0]}


def text(rows: dict[str, list[float]] = ROWS, *, header: bool) -> bytes:
    lines = [f"{word} {' '.join(map(str, values))}\n" for word, values in rows.items()]
    return (f"{len(rows)} 3\n" * header + "".join(lines)).encode()


def binary(rows: dict[str, list[float]] = ROWS, *, ends: str = "\n", dim: int = 3) -> bytes:
    parts = [
        word.encode() + b" " + np.array(values, dtype="<f4").tobytes() + ends.encode() for word, values in rows.items()
    ]
    return f"{len(rows)} {dim}\n".encode() + b"".join(parts)


def read(folder: Path, content: bytes, name: str = "vectors.vec", dim: int = 3) -> Pretrained:
    (folder / name).write_bytes(content)
    return read_vectors(folder / name, WANTED, dim)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (text(header=True), "word2vec.txt"),
        (text(header=False), "glove.txt"),
        (text(header=True).replace(b"\n", b" \n"), "fasttext.vec"),
        (text(header=False).replace(b" ", b"\t").replace(b"\n", b"\r\n"), "tabs.txt"),
        (binary(), "word2vec.bin"),
        (binary(ends=""), "google.bin"),
        (gzip.compress(binary(), mtime=0), "word2vec.bin.gz"),
        (gzip.compress(text(header=False), mtime=0), "glove.txt.gz"),
    ],
)
def test_every_format_gives_the_same_vectors(tmp_path: Path, content: bytes, name: str) -> None:
    found = read(tmp_path, content, name)
    assert found.vectors.tolist() == [[1, 2, 3], [0.5, -1, 0.25], [4, 5, 6]]  # "Goal" stands in for "goal"
    assert found == Pretrained(name, found.vectors, 4, 3, {})


def test_a_word_as_it_is_written_wins_over_another_case_of_it(tmp_path: Path) -> None:
    for rows in ("Goal 1 1 1\ngoal 2 2 2\n", "goal 2 2 2\nGoal 1 1 1\nGOAL 3 3 3\n"):
        assert read(tmp_path, rows.encode()).vectors[2].tolist() == [2, 2, 2]
    assert read(tmp_path, b"Goal 1 1 1\nGOAL 3 3 3\n").vectors[2].tolist() == [1, 1, 1]


def test_words_with_spaces_are_read_from_the_right(tmp_path: Path) -> None:
    found = read(tmp_path, b"at home 1 2 3\nbank 4 5 6\n. . . 1 1 1\n".replace(b"at home", b"at", 1))
    assert found.rows == 3
    assert found.vectors[0].tolist() == [4, 5, 6]


@pytest.mark.parametrize(
    ("content", "refused", "rows"),
    [
        (b"bank 1 2 3\nbank 4 5 6\n", {"repeated": 1}, 1),
        (b"bank 1 2 3\ngoal nan 1 1\nx inf 0 1\ny 0 0 0\n", {"not finite or zero": 3}, 1),
        (b"bank 1 2 3\ngoal 1 2\nx 1 2 b\n\n", {"another number of values": 2}, 1),
        (b"bank 1 2 3\n\xff\xfe 1 2 3\n", {"not UTF-8": 1}, 1),
        (b"bank 1 2 3\ngoal 1 2", {"cut off": 1}, 1),
        (b"5 3\nbank 1 2 3\ngoal 1 2 3\n", {"missing": 3}, 2),
        (b"3 3\nbank 1 2 3\ngoal 1 2 3.", {"cut off": 1, "missing": 1}, 1),
        (b"1 3\nbank 1 2 3\ngoal 1 2 3\n", {}, 2),
        (binary()[:-9], {"cut off": 1}, 3),
        (binary()[: len(binary()) // 2], {"cut off": 1, "missing": 2}, 1),
        (binary(ROWS | {"zero": [0.0, 0.0, 0.0]}), {"not finite or zero": 1}, 4),
        (binary() + b"surplus", {}, 4),
        (b"bank 1 2 3\n" + b"x" * (MAX_LINE_BYTES + 10), {"cut off": 2}, 1),
    ],
)
def test_rows_that_cannot_be_used_are_counted(
    tmp_path: Path, content: bytes, refused: dict[str, int], rows: int
) -> None:
    found = read(tmp_path, content)
    assert (found.refused, found.rows) == (refused, rows)
    assert found.vectors[0].tolist() == [1, 2, 3]


def test_a_compressed_file_that_ends_in_the_middle_gives_what_it_has(tmp_path: Path) -> None:
    lines = "".join(f"word{row} {row + 1} {row * 7 % 13} 1\n" for row in range(5000))
    found = read(tmp_path, gzip.compress(b"bank 1 2 3\n" + lines.encode())[:20_000], "vectors.txt.gz")
    assert found.vectors[0].tolist() == [1, 2, 3]
    assert 1 < found.rows < 5001
    assert found.refused["cut off"] >= 1


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "an empty file"),
        (b"\n\n", "an empty file"),
        (b"2 4\nbank 1 2 3 4\n", "4 dimensions"),
        (b"bank 1 2 3 4\n", "4 dimensions"),
        (binary(dim=4), "4 dimensions"),
        (b"only words in this\n", "no row that can be used"),
        (b"9 3\n", "no row that can be used"),
        (b"x" * (MAX_LINE_BYTES + 1), "no line end"),
        (b"\x00\x01\x02\x03" * 100, "dimensions in its first line"),
        (b"3 3\n" + b"\x00" * 5000, "no row that can be used"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_what_was_found(tmp_path: Path, content: bytes, got: str) -> None:
    with pytest.raises(ImportRefused, match=got):
        read(tmp_path, content)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="no such file"):
        read_vectors(tmp_path / "none.vec", WANTED, 3)


def corpus(folder: Path) -> Path:
    (folder / "corpus.txt").write_text("bank goal team money\n" * 20)
    return folder / "corpus.txt"


CONFIG = WordsConfig(embedding_dim=3, epochs=1, subsample=0, learning_rate=1e-6)


@pytest.mark.parametrize("keys", [{"model": "cbow"}, {"model": "glove"}, {"model": "pv-dm"}])
def test_training_begins_with_the_vectors_of_the_file(tmp_path: Path, keys: dict[str, object]) -> None:
    (tmp_path / "vectors.vec").write_bytes(text(header=True))
    config = WordsConfig.model_validate(CONFIG.model_dump() | keys | {"pretrained": str(tmp_path / "vectors.vec")})
    trained = train(corpus(tmp_path), config, 1, 1)
    rows = trained.words.rows(["bank", "goal"])
    assert np.allclose(trained.words.vectors[rows], [[1, 2, 3], [4, 5, 6]], atol=1e-2)
    assert trained.pretrained is not None
    found = evaluate_words(trained, {}, [])["pretrained"]
    assert (found["words"], found["used"], found["duplicates"], found["refused"]) == (4, 2, 0, 0)


def test_a_file_of_another_dimension_stops_the_training_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "vectors.vec").write_bytes(text(header=True))
    config = CONFIG.model_copy(update={"pretrained": str(tmp_path / "vectors.vec"), "embedding_dim": 8})
    with pytest.raises(ImportRefused, match="embedding_dim"):
        train(corpus(tmp_path), config, 1, 1)


def test_what_a_file_lacks_is_a_line_of_the_log(tmp_path: Path) -> None:
    (tmp_path / "vectors.vec").write_bytes(b"bank 1 2 3\ngoal nan 1 1\nteam 1 2\nmoney 1")
    config = CONFIG.model_copy(update={"pretrained": str(tmp_path / "vectors.vec")})
    trained = train(corpus(tmp_path), config, 1, 1)
    with capture_logs() as lines:
        warn(Job(Context(toy_settings(tmp_path), seed=1), STAGE, tmp_path), trained, aligned=True)
    told = [LogfmtRenderer(sort_keys=True)(None, "warning", line) for line in lines]
    assert told == [
        'another_number_of_values=1 cut_off=1 event="rows of words.pretrained refused" log_level=warning '
        "not_finite_or_zero=1 stage=words"
    ]
