import argparse
import gzip
import json
from pathlib import Path

import pytest

from benchmarks.words import Figures, best, cut, read_texts, write_corpus


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
