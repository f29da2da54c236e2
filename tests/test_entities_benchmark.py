"""The benchmarks of entities and of parts of speech: figures and baselines by hand, both programs on tiny files."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import tagging
from benchmarks.entities import __main__ as entities
from benchmarks.entities.baselines import commonest_label, dictionary
from benchmarks.entities.judging import accuracy, span_figures
from recsys.entities import LabelledSentences
from tests.test_entities import english


def test_only_exact_spans_of_the_right_type_count() -> None:
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "O"]]
    found = [["B-PER", "O", "O", "B-LOC"], ["B-PER", "O"]]
    figures, by_type = span_figures(gold, found)
    assert figures == {"f1": 33.33, "precision": 33.33, "recall": 33.33, "f1_without_types": 66.67}
    assert by_type == {"LOC": 66.67, "PER": 0.0}
    assert span_figures([["O"]], [["O"]]) == (dict.fromkeys(figures, 0.0), {})
    assert accuracy(gold, found) == 66.67


def test_the_dictionary_takes_the_longest_entry_that_is_marked_as_often_as_not() -> None:
    tokens = [["New", "Carrow", "new"], ["New", "Carrow", "Bay"], ["Harl"], ["Harl"], ["Harl"]]
    labels = [["B-LOC", "I-LOC", "O"], ["B-ORG", "I-ORG", "I-ORG"], ["B-PER"], ["O"], ["O"]]
    train = LabelledSentences(tokens, labels, {})
    assert dictionary(train, [["in", "New", "Carrow", "Bay", "New", "Carrow", "Harl"]]) == [
        ["O", "B-ORG", "I-ORG", "E-ORG", "B-LOC", "E-LOC", "O"]
    ]


def test_an_unknown_word_gets_the_label_of_rare_words() -> None:
    train = LabelledSentences([["a", "a", "b", "c"]], [["x", "x", "y", "y"]], {})
    assert commonest_label(train, [["a", "b", "unknown"]]) == [["x", "y", "y"]]


def write(file: Path, name: str) -> Path:
    tokens, labels = english()
    rows = (json.dumps({"tokens": row, name: marks}) for row, marks in zip(tokens, labels, strict=True))
    file.write_text("\n".join(rows))
    return file


@pytest.mark.parametrize(("program", "figure"), [(entities, "f1"), (tagging, "accuracy")])
def test_both_programs_print_ours_and_baselines(
    program: object, figure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "file.jsonl", "labels" if figure == "f1" else "tags")
    for options in (["--test", str(file)], ["--part", "0.2"]):
        monkeypatch.setattr(sys, "argv", ["benchmark", "--train", str(file), *options])
        program.main()  # type: ignore[attr-defined]
        result = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert result["best"][figure] > 95
        assert result["best"][figure] >= max(row[figure] for row in result["baselines"].values())
        assert len(result["baselines"]) == 2
        assert result["sentences"] == {"train": 108, "test": 108} if "--test" in options else {"train": 86, "test": 22}
