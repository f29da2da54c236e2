"""Evaluation of a word space, as the report shows it.

Reads the space, the tokens table, and word lists with human scores: the English ones come inside gensim (WordSim-353,
SimLex-999, Google's analogies), others are named in ``words.similarity_files``. Produces the content of
``evaluation.json``.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from gensim.test.utils import datapath

from recsys.errors import ImportRefused
from recsys.tokens.stopwords import STOP_WORDS
from recsys.words import WordVectors
from recsys.words.intrinsic import analogies, neighbours, plane, similarity
from recsys.words.pretrained import Pretrained
from recsys.words.training import Trained

_ENGLISH_PAIRS = {"WordSim-353": "wordsim353.tsv", "SimLex-999": "simlex999.txt"}
_ENGLISH_ANALOGIES = {"Google analogies": "questions-words.txt"}
_NOUNS = 30  # words per language whose neighbours are displayed
_NEAREST = 8  # neighbours of each
_MAPPED = 150  # words per language on the map: more would hide each other
_MIN_CHARS = 2  # of a word that is displayed: a single character is half a Chinese word, or an English abbreviation
_MIN_COUNT = 5  # times that a neighbour stands in the corpus: rarer ones are near to anything
_QUESTION_FIELDS = 4

Pairs = list[tuple[str, str, float]]


class WordUsage(NamedTuple):
    """Counts of the words in the texts of one language.

    Attributes:
        words: word -> count.
        nouns: the same, where the word is tagged as a noun.
    """

    words: Counter[str]
    nouns: Counter[str]


def usage_by_language(batches: Iterable[pa.RecordBatch]) -> dict[str, WordUsage]:
    """Count words and nouns by language, a batch of the tokens table at a time.

    Args:
        batches: columns language, title, body, tags of the tokens table.
    """
    by_language: defaultdict[str, WordUsage] = defaultdict(lambda: WordUsage(Counter(), Counter()))
    for batch in batches:
        for language in pc.unique(batch.column("language")).to_pylist():
            usage = by_language[language]
            part = batch.filter(pc.equal(batch.column("language"), language))
            words, tags = _words(part), pc.list_flatten(part.column("tags"))
            _add(usage.words, words)
            if len(tags) == len(words):
                _add(usage.nouns, words.filter(pc.starts_with(tags, "n")))
    return dict(sorted(by_language.items()))


def _words(part: pa.RecordBatch) -> pa.Array:
    """All words of some articles, each article's title before its body."""
    title, body = part.column("title"), part.column("body")
    sizes = np.stack([pc.list_value_length(column).to_numpy(zero_copy_only=False) for column in (title, body)], axis=1)
    starts = np.cumsum(sizes, axis=0) - sizes + [0, sizes[:, 0].sum()]  # (A, 2): in titles, then bodies
    before = np.cumsum(sizes.ravel()) - sizes.ravel()
    places = np.repeat(starts.ravel() - before, sizes.ravel()) + np.arange(sizes.sum())
    return pa.concat_arrays([pc.list_flatten(title), pc.list_flatten(body)]).take(pa.array(places))


def _add(counter: Counter[str], words: pa.Array) -> None:
    counted = pc.value_counts(words)
    counter.update(dict(zip(counted.field(0).to_pylist(), counted.field(1).to_pylist(), strict=True)))


def evaluate_words(trained: Trained, usage: Mapping[str, WordUsage], similarity_files: Sequence[str]) -> dict[str, Any]:
    """Evaluate a word space.

    Args:
        trained: the space.
        usage: counts of the words in the texts, by language.
        similarity_files: further files of word pairs.

    Returns:
        Ready for JSON: similarity, analogies, neighbours, out_of_vocabulary, loss, drift, map, pretrained.

    Raises:
        ImportRefused: a file of pairs has none.
    """
    words = trained.words
    displayed = {language: _displayed(words, used, language) for language, used in usage.items()}
    return {
        "similarity": word_similarity(words, similarity_files),
        "analogies": [_analogies(words, name, file) for name, file in _ENGLISH_ANALOGIES.items()],
        "neighbours": [
            row for language, rows in displayed.items() for row in _neighbours(words, usage, language, rows)
        ],
        "out_of_vocabulary": {name: _unknown_share(words, used) for name, used in usage.items() if used.words},
        "loss": trained.losses,
        "drift": trained.drift._asdict() if trained.drift else None,
        "map": [row for language, rows in displayed.items() for row in _map(words, language, rows[:_MAPPED])],
        "pretrained": _pretrained(trained.pretrained) if trained.pretrained else None,
    }


def word_similarity(words: WordVectors, files: Sequence[str]) -> list[dict[str, Any]]:
    """Spearman against human scores, for gensim's English lists and for each file.

    Raises:
        ImportRefused: a file is missing, or holds no pair.
    """
    named = {name: Path(datapath(file)) for name, file in _ENGLISH_PAIRS.items()}
    named |= {Path(file).stem: Path(file) for file in files}
    rows = []
    for name, file in named.items():
        pairs = read_pairs(file)
        left, right = (words.centred_of(side) for side in ([a for a, _, _ in pairs], [b for _, b, _ in pairs]))
        agreement = similarity(left, right, np.array([score for _, _, score in pairs]))
        rows.append({"name": name, "language": _language(pair[0] for pair in pairs), **agreement._asdict()})
    return rows


def read_pairs(file: Path) -> Pairs:
    """Word pairs with scores: two words and a number between tabs, commas or spaces; other lines are passed over.

    Raises:
        ImportRefused: no such file, or no such line in it.
    """
    expected, remedy = f"lines of two words and a score in {file}", "Correct words.similarity_files."
    if not file.is_file():
        raise ImportRefused(expected, "no such file", remedy)
    pairs: Pairs = []
    for line in file.read_text(encoding="utf-8", errors="replace").lower().splitlines():
        fields = line.replace(",", "\t").split("\t" if "\t" in line or "," in line else None)
        try:
            first, second, score = fields[0].strip(), fields[1].strip(), float(fields[2])
        except (IndexError, ValueError):
            continue
        pairs.append((first, second, score))
    if not pairs:
        raise ImportRefused(expected, "none", remedy)
    return pairs


def _analogies(words: WordVectors, name: str, file: str) -> dict[str, Any]:
    """Questions of one file, lower-cased; those with an unknown word are left out."""
    lines = Path(datapath(file)).read_text(encoding="utf-8").lower().splitlines()
    questions = [fields for line in lines if len(fields := line.split()) == _QUESTION_FIELDS and fields[0] != ":"]
    rows = words.rows(word for question in questions for word in question).reshape(-1, _QUESTION_FIELDS)
    covered = rows[(rows >= 0).all(axis=1)].astype(np.int64)
    accuracy = round(analogies(words.centred, covered) / len(covered), 4) if len(covered) else None
    figures = {"questions": len(questions), "covered": len(covered), "accuracy": accuracy}
    return {"name": name, "language": "en", **figures}


def _displayed(words: WordVectors, used: WordUsage, language: str) -> npt.NDArray[np.int64]:
    """Rows of one language's words that are worth displaying, the most frequent first: nouns where it has tags."""
    counts = used.nouns or used.words
    stops = STOP_WORDS.get(language, frozenset())
    row_of = words.row_of
    eligible = [
        (-count, word)
        for word, count in counts.items()
        if word in row_of and word not in stops and len(word) >= _MIN_CHARS and not any(map(str.isdigit, word))
    ]
    return np.array([row_of[word] for _, word in sorted(eligible)], dtype=np.int64)


def _neighbours(
    words: WordVectors, usage: Mapping[str, WordUsage], language: str, rows: npt.NDArray[np.int64]
) -> list[dict[str, Any]]:
    """The nearest words of the most frequent ones, all of one language."""
    frequent = rows[words.counts[rows] >= _MIN_COUNT] if len(rows) else rows
    nearest = neighbours(words.centred, rows[:_NOUNS], frequent, _NEAREST)
    return [
        {
            "word": (word := words.words[row]),
            "language": language,
            "count": usage[language].words[word],
            "nearest": [[words.words[other], round(cosine, 4)] for other, cosine in pairs],
        }
        for row, pairs in zip(rows[:_NOUNS].tolist(), nearest, strict=True)
    ]


def _map(words: WordVectors, language: str, rows: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    """One language's words in a plane; another language has its own, since the two share no frame."""
    places = np.round(plane(words.centred[rows]).astype(np.float64), 4).tolist()
    return [
        {"word": words.words[row], "language": language, "x": x, "y": y}
        for row, (x, y) in zip(rows.tolist(), places, strict=True)
    ]


def _unknown_share(words: WordVectors, used: WordUsage) -> float:
    """The share of a language's tokens that have no vector of their own."""
    unknown = sum(count for word, count in used.words.items() if word not in words.row_of)
    return round(unknown / used.words.total(), 4)


def _pretrained(result: Pretrained) -> dict[str, Any]:
    repeated = result.refused.get("repeated", 0)
    return {
        "file": result.file,
        "words": result.rows,
        "used": result.used,
        "duplicates": repeated,
        "refused": sum(result.refused.values()) - repeated,
        "reasons": result.refused,
    }


def _language(words: Iterable[str]) -> str:
    """The language of a list of pairs, by its letters."""
    return "zh" if any("\u4e00" <= character <= "\u9fff" for word in words for character in word) else "en"
