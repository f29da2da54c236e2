from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from recsys.errors import CorruptArtefact
from recsys.tokens.classes import NO_CLASSES, TOKENS_AT_ONCE, WordClasses, load_classes
from recsys.tokens.induction import induce, sample_tokens
from recsys.tokens.table import TOKENS_SCHEMA, Tokens, as_table
from recsys.workspace import save_npy

NOUNS = ["blorf", "snarp", "quindle", "frabb", "tolk"]  # made up: nothing is known of them but where they stand
VERBS = ["grent", "plosh", "vark", "drimp", "sculk"]
BOTH = "zend"  # "the zend of", "to zend the"


def sentences(seed: int = 0, count: int = 300) -> list[str]:
    """Made-up English: the grammar's frames with words that no grammar lists."""
    rng = np.random.default_rng(seed)
    lines = []
    for _ in range(count):
        noun, other = (str(word) for word in rng.choice([*NOUNS, BOTH], 2, replace=False))
        verb = str(rng.choice([*VERBS, BOTH]))
        lines.append(f"the {noun} of the {other} will {verb} it and they {verb} the {noun} to {verb} a {other}")
    return lines


def batches(lines: Sequence[str], language: str = "en", rows: int = 50) -> list[pa.RecordBatch]:
    texts = [Tokens(language, [], line.split(), [""] * len(line.split()), []) for line in lines]
    found: list[pa.RecordBatch] = as_table(pa.array(map(str, range(len(texts))), pa.string()), texts).to_batches(rows)
    return found


def tagged(classes: WordClasses, text: str) -> dict[str, str]:
    """The tag of each word of a text."""
    words = text.split()
    known = list(dict.fromkeys(words))
    codes = np.array([known.index(word) for word in words], np.int64)
    starts = np.arange(len(words)) == 0
    return dict(zip(words, classes.tags_in_context(codes, known, starts).tolist(), strict=True))


@pytest.fixture(scope="module")
def learned() -> WordClasses:
    return induce(batches(sentences()))


def test_made_up_words_are_classed_by_what_stands_beside_them(learned: WordClasses) -> None:
    assert learned.tags(NOUNS) == ["n"] * len(NOUNS)
    assert learned.tags(VERBS) == ["v"] * len(VERBS)


def test_a_word_of_two_classes_is_judged_by_its_neighbours(learned: WordClasses) -> None:
    assert tagged(learned, f"the {BOTH} of it")[BOTH] == "n"
    assert tagged(learned, f"they will {BOTH} the tolk")[BOTH] == "v"


def test_a_word_of_two_classes_is_judged_by_its_neighbours_before_any_text() -> None:
    assert tagged(NO_CLASSES, "the report of the bank")["report"] == "n"
    assert tagged(NO_CLASSES, "they will report the crime")["report"] == "v"
    assert tagged(NO_CLASSES, "to report the crime")["report"] == "v"


@pytest.mark.parametrize(
    ("word", "tag"),
    [
        ("zorbification", "n"),
        ("grumpiness", "n"),
        ("zorbible", "a"),
        ("plinkful", "a"),
        ("zorbily", "d"),
        ("zorbify", "v"),
        ("new_zorbification", "n"),  # a joined word is of its last part's class
        ("the", "u"),
        ("1984", "m"),
        ("seven", "m"),
        ("24-hour", "n"),
        ("", "n"),
    ],
)
def test_words_never_seen_are_judged_by_their_endings(learned: WordClasses, word: str, tag: str) -> None:
    assert learned.tags([word]) == NO_CLASSES.tags([word]) == [tag]


def test_endings_are_learned_from_the_words_that_share_them() -> None:
    """No grammar knows "-oaf": five verbs end in it."""
    verbs = ["bloaf", "groaf", "ploaf", "stroaf", "kroaf"]
    classes = induce(batches([f"they will {verb} the bank and to {verb} it" for verb in verbs * 20]))
    assert NO_CLASSES.tags(["troaf"]) == ["n"]
    assert classes.tags(["troaf"]) == ["v"]


@pytest.mark.parametrize("lines", [[], [""], ["the of and"], ["1 2 3"]])
def test_without_open_words_there_is_what_a_grammar_knows(lines: list[str]) -> None:
    assert induce(batches(lines)) is NO_CLASSES
    assert induce(batches(sentences(), "zh")) is NO_CLASSES
    assert induce(pa.table({name: [] for name in TOKENS_SCHEMA.names}, schema=TOKENS_SCHEMA).to_batches()) is NO_CLASSES


def test_a_single_sentence_is_enough_to_learn_from() -> None:
    classes = induce(batches(["the bank raised the rate"]))
    assert classes.tags(["bank", "the", "unseen"]) == ["n", "u", "n"]
    assert classes.contexts.max() < 100  # no adverb stands there, which says little of adverbs
    assert classes.words == []  # each open word stands there once: its ending says as much


def test_shares_are_shares(learned: WordClasses) -> None:
    assert learned.shares.sum(axis=1) == pytest.approx(1)
    assert set(learned.words) == {*NOUNS, *VERBS, BOTH}


def test_no_words_have_no_tags(learned: WordClasses) -> None:
    assert learned.tags([]) == []
    assert len(learned.tags_in_context(np.empty(0, np.int64), [], np.empty(0, bool))) == 0


def test_the_same_text_gives_the_same_classes(learned: WordClasses) -> None:
    again = induce(batches(sentences(), rows=7))  # whatever the batches are
    assert (again.words, again.endings) == (learned.words, learned.endings)
    assert np.array_equal(again.shares, learned.shares)
    assert np.array_equal(again.contexts, learned.contexts)


def test_classes_survive_saving(learned: WordClasses, tmp_path: Path) -> None:
    learned.save(tmp_path)
    loaded = load_classes(tmp_path)
    words = [*NOUNS, *VERBS, BOTH, "the", "7", "unseen", "zorbily"]
    assert loaded.tags(words) == learned.tags(words)
    assert np.array_equal(loaded.contexts, learned.contexts)
    NO_CLASSES.save(tmp_path)  # no learned endings
    assert load_classes(tmp_path).tags(words) == NO_CLASSES.tags(words)


def test_classes_made_for_other_contexts_are_refused(learned: WordClasses, tmp_path: Path) -> None:
    learned.save(tmp_path)
    save_npy(tmp_path / "contexts.npy", learned.contexts[:, :-1])
    with pytest.raises(CorruptArtefact):
        load_classes(tmp_path)


def test_a_long_text_is_judged_in_parts_as_if_it_were_one(learned: WordClasses) -> None:
    """The tokens on either side of a part's end see each other."""
    words = ["the", BOTH, "of", "will"]
    pattern = np.array([0, 1, 2, 3, 1, 0, 1])  # the zend of will zend the zend
    codes = np.tile(pattern, TOKENS_AT_ONCE // len(pattern) + 2)
    starts = np.arange(len(codes)) % len(pattern) == 0
    tags = learned.tags_in_context(codes, words, starts).reshape(-1, len(pattern))
    assert (tags == tags[0]).all()
    assert tags[0, :6].tolist() == ["u", "n", "u", "u", "v", "u"]


def test_a_sample_holds_an_even_part_of_many_batches() -> None:
    lines = [f"word{number} again" for number in range(64)]
    part = sample_tokens(batches(lines, rows=1), max_tokens=32)
    numbers = [int(part.words[code].removeprefix("word")) for code in part.codes[::2]]
    assert len(numbers) <= 32
    assert numbers[0] == 0
    assert len(set(np.diff(numbers).tolist())) == 1  # evenly spaced
    assert numbers[-1] > 48  # up to the end
    assert part.starts.tolist() == [True, False] * len(numbers)
