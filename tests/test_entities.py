"""Entities: labels and spans, label files with every odd row, the chain against all paths, and a tagger that learns."""

import gzip
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import rjieba

from recsys.entities import Span, Tagger, load_tagger, read_labelled, spans_of, train
from recsys.entities.attributes import SHAPE, SUFFIX, WORD, WRITTEN, TokenAttributes
from recsys.entities.chain import best_paths, chain_marginals
from recsys.entities.features import feature_hashes, feature_table
from recsys.entities.labels import as_bio, encoded, may_follow
from recsys.entities.training import LONGEST, _trained_on, style_of
from recsys.errors import CorruptArtefact, DegenerateInput, ImportRefused

PEOPLE = ["Ada Quill", "Tom Harrow", "Mira Stone", "Jon Abel", "Lena Marsh", "Otto Fenn"]
PLACES = ["Port Ellis", "New Carrow", "Dunmore", "Saltby", "West Harl", "Kestrel Bay"]
FRAMES = [
    "Mayor {p} spoke in {l} on Monday .",
    "{p} , who lives in {l} , won the race .",
    "Police in {l} said that {p} was safe .",
]


def english() -> tuple[list[list[str]], list[list[str]]]:
    """Invented sentences with people and places."""
    tokens, labels = [], []
    for frame, person, place in product(FRAMES, PEOPLE, PLACES):
        words: list[str] = []
        marks: list[str] = []
        for part in frame.split():
            name = {"{p}": person, "{l}": place}.get(part)
            kind = {"{p}": "PER", "{l}": "LOC"}.get(part)
            pieces = name.split() if name else [part]
            words += pieces
            marks += [f"{'I' if number else 'B'}-{kind}" if kind else "O" for number in range(len(pieces))]
        tokens.append(words)
        labels.append(marks)
    return tokens, labels


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return train(*english(), chinese=rjieba, seed=1, epochs=5)


def test_spans_are_read_from_every_notation() -> None:
    spans = [Span(0, 1, "A"), Span(1, 3, "A"), Span(4, 7, "B")]
    for labels in (
        "B-A B-A I-A O B-B I-B I-B",
        "I-A B-A I-A O I-B I-B I-B",
        "S-A B-A E-A O B-B I-B E-B",
        "S-A B-A E-A O B-B M-B E-B",
        "U-A B-A L-A O B-B I-B L-B",
    ):
        assert spans_of(labels.split())[0] == spans, labels
    assert as_bio(encoded(spans, 7)) == ["B-A", "B-A", "I-A", "O", "B-B", "I-B", "I-B"]


def test_a_label_that_goes_on_with_nothing_begins_a_span_and_is_counted() -> None:
    assert spans_of(["O", "I-A", "I-B", "E-B", "I-B"]) == ([Span(1, 2, "A"), Span(2, 4, "B"), Span(4, 5, "B")], 3)


def test_only_whole_spans_may_be_labelled() -> None:
    names = [None, "O", "B-A", "I-A", "E-A", "S-A", "B-B", "I-B", "E-B", "S-B"]
    allowed = {(before, after) for before, after in product(names, names) if may_follow(before, after)}
    inside = {(f"{one}-{kind}", f"{two}-{kind}") for one in "BI" for two in "IE" for kind in "AB"}
    closed = [None, "O", "E-A", "S-A", "E-B", "S-B"]
    assert allowed == inside | set(product(closed, [None, "O", "B-A", "S-A", "B-B", "S-B"]))


def test_every_odd_row_has_a_rule_and_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl.gz"
    rows: list[object] = [
        {
            "tokens": ["Ada", "", " ", "\U0001f98a\U0001f98a", "和", "杜莫尔"],
            "labels": ["B-PER", "O", "O", "I-BAND", "O", "B-LOC"],
        },
        {"tokens": ["a"], "labels": ["O", "O"]},
        {"tokens": ["a", 1], "labels": ["O", "O"]},
        {"tokens": "ab", "labels": "OO"},
        {"tokens": ["x", "y"], "labels": ["PER", "B-"]},
        ["no", "object"],
        {"tokens": ["word"] * (LONGEST + 1), "tags": ["O"] * (LONGEST + 1)},
    ]
    file.write_bytes(gzip.compress("\n".join(["", *map(json.dumps, rows), "{broken"]).encode()))
    got = read_labelled([file])
    assert got.tokens[0] == ["Ada", "\U0001f98a\U0001f98a", "和", "杜莫尔"]
    assert got.labels[:2] == [["S-PER", "S-BAND", "O", "S-LOC"], ["O", "O"]]
    assert got.odd == {
        "bad_label": 2, "bad_row": 5, "broken_span": 1, "empty_token": 2, "long_sentence": 1, "rare_type": 3,
    }  # fmt: skip


def test_columns_are_read_with_the_label_last(tmp_path: Path) -> None:
    file = tmp_path / "labels.conll"
    file.write_bytes(
        "\ufeff-DOCSTART- -X- O\r\n\r\nNew NNP I-LOC\r\nCarrow NNP I-LOC\r\n\r\nalone\r\nis VBZ O".encode()
    )
    got = read_labelled([file])
    assert got.tokens == [["New", "Carrow"], ["is"]]
    assert got.labels == [["B-LOC", "E-LOC"], ["O"]]
    assert got.odd == {"bad_row": 1, "broken_span": 1, "rare_type": 1}
    assert read_labelled([file], spans=False).labels == [["I-LOC", "I-LOC"], ["O"]]


@pytest.mark.parametrize("content", [b"", b"\n\n", b'{"tokens": []}', b"one\ntwo\n", b"\xff\xfe\x00"])
def test_a_file_without_a_sentence_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ImportRefused, match="none in"):
        read_labelled([tmp_path / "file"])


def test_a_file_that_is_not_there_or_has_too_many_types_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="absent"):
        read_labelled([tmp_path / "absent"])
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"a O\n" * 9)[:-9])
    with pytest.raises(ImportRefused, match=r"cut\.gz"):
        read_labelled([tmp_path / "cut.gz"])
    (tmp_path / "many").write_text("".join(f"w B-T{number}\n" for number in range(201)))
    with pytest.raises(ImportRefused, match="201"):
        read_labelled([tmp_path / "many"])


def test_attributes_tell_what_they_should_and_nothing_else() -> None:
    words = ["Reading", "reading", "Harrow9", "Harrow4", "Bowling", "\U0001f98a", "\ud800"]
    attributes = TokenAttributes(rjieba).of([words])
    same = {name: attributes[:, column] for name, column in (("word", WORD), ("written", WRITTEN), ("shape", SHAPE))}
    assert same["word"][0] == same["word"][1] != same["word"][4]
    assert same["written"][0] != same["written"][1]
    assert same["word"][2] == same["word"][3]  # digits are alike
    assert same["shape"][0] == same["shape"][4] != same["shape"][1]
    assert attributes[0, SUFFIX + 2] == attributes[4, SUFFIX + 2]  # ing
    assert attributes[0, SUFFIX + 3] != attributes[4, SUFFIX + 3]  # ding, ling
    assert len(set(same["word"].tolist())) == 5


def test_characters_know_the_word_around_them_and_english_does_not() -> None:
    cut = TokenAttributes(rjieba).of([list("他在北京大学"), ["in", "Dunmore"]])[:, 12:]
    whole = TokenAttributes(rjieba).of([["他", "在", "北京大学"]])[:, 12:]
    assert not cut[6:].any()
    assert (cut[2:6, 3] == whole[2, 3]).all()  # one word for its four characters
    assert len({row.tobytes() for row in cut[2:6, :1]}) == 3  # first, inside, last
    assert whole[2, 0] != cut[2, 0]  # one token that is the whole word


def test_features_do_not_reach_across_sentences() -> None:
    attributes = np.array([[3], [5], [7], [3]], np.uint64)
    templates = np.array([[[0, 0], [-1, 0]], [[0, -1], [0, 0]], [[0, 2], [-1, 0]]], np.int64)
    together = feature_hashes(attributes, np.array([0, 3, 4]), templates)
    assert (together[3] == feature_hashes(attributes[3:], np.array([0, 1]), templates)[0]).all()
    assert together[0, 0] == together[3, 0]
    assert together[0, 1] == together[3, 1]  # both stand at an edge
    assert together[0, 2] != 0
    assert (together[1:, 2] == 0).tolist() == [False, True, True]  # the edge is there, nothing is behind it
    known = feature_table(np.unique(together[together != 0]))
    rows = known.rows(together)
    assert (rows >= 0).tolist() == (together != 0).tolist()
    assert (known.keys[rows[rows >= 0]] == together[together != 0]).all()
    assert known.rows(np.array([[12345, 0]], np.uint64)).tolist() == [[-1, -1]]


def test_paths_and_marginals_are_those_of_all_paths_together() -> None:
    generator = np.random.default_rng(7)
    emissions = generator.normal(size=(4, 3)).astype(np.float32)
    transitions = generator.normal(size=(4, 4)).astype(np.float32)
    transitions[0, 2] = transitions[3, 1] = -np.inf
    paths = list(product(range(3), repeat=4))
    scores = np.array([
        sum(emissions[t, label] for t, label in enumerate(path))
        + sum(transitions[one, two] for one, two in zip((3, *path), (*path, 3), strict=True))
        for path in paths
    ])  # fmt: skip
    assert best_paths(emissions, transitions, np.array([0, 4])).tolist() == list(paths[int(scores.argmax())])
    marginals, pairs = np.empty_like(emissions), np.zeros_like(transitions)
    log_sum = chain_marginals(emissions, np.exp(transitions), marginals, pairs)
    chances = np.exp(scores - log_sum)
    assert chances.sum() == pytest.approx(1, abs=1e-5)
    expected, expected_pairs = np.zeros_like(marginals), np.zeros_like(pairs)
    for path, chance in zip(paths, chances, strict=True):
        for t, label in enumerate(path):
            expected[t, label] += chance
        for one, two in zip((3, *path), (*path, 3), strict=True):
            expected_pairs[one, two] += chance
    assert marginals == pytest.approx(expected, abs=1e-5)
    assert pairs == pytest.approx(expected_pairs, abs=1e-5)


def test_names_that_were_never_seen_are_found_whole(tagger: Tagger) -> None:
    sentence = ["Mayor", "Ivo", "Lark", "spoke", "in", "North", "Pellan", "on", "Monday", "."]
    (labels,) = tagger.tag([sentence])
    assert spans_of(labels)[0] == [Span(1, 3, "PER"), Span(5, 7, "LOC")]
    assert labels[1:3] == ["B-PER", "I-PER"]


def test_nothing_that_is_tagged_breaks_a_span_or_loses_a_token(tagger: Tagger) -> None:
    odd = [[], ["Dunmore"] * 10_000, ["\U0001f98a", "住在", "Saltby", "\ud800", "\u0301"], [], ["x" * 100_000], [""]]
    tagged = tagger.tag(odd)
    assert [len(labels) for labels in tagged] == [len(sentence) for sentence in odd]
    assert all(spans_of(labels)[1] == 0 for labels in tagged)
    assert tagger.tag([odd[1], odd[2]])[1] == tagged[2]  # whatever stands before it
    assert tagger.tag([]) == []


def test_a_saved_tagger_tags_alike_and_equal_seeds_give_equal_bytes(tagger: Tagger, tmp_path: Path) -> None:
    tagger.save(tmp_path)
    sentences, _ = english()
    assert load_tagger(tmp_path, rjieba).tag(sentences) == tagger.tag(sentences)
    assert not list(tmp_path.glob("*.pkl"))
    again = train(*english(), chinese=rjieba, seed=1, epochs=5)
    assert again.weights.tobytes() == tagger.weights.tobytes()
    (tmp_path / "tagger.json").write_text(json.dumps({"format": 1, "labels": ["O"], "style": "words", "spans": True}))
    with pytest.raises(CorruptArtefact, match="jobs entities"):
        load_tagger(tmp_path, rjieba)


def test_labels_of_one_kind_teach_nothing() -> None:
    with pytest.raises(DegenerateInput, match="at least one entity"):
        train([["a", "b"]], [["O", "O"]], chinese=rjieba, seed=1)
    with pytest.raises(DegenerateInput):
        train([], [], chinese=rjieba, seed=1)
    with pytest.raises(DegenerateInput):
        train([["a", "b"]], [["n", "n"]], chinese=rjieba, seed=1, spans=False)


def test_a_sentence_of_ten_thousand_tokens_is_trained_on_in_pieces_that_cut_no_span() -> None:
    tokens = ["Dunmore", "Bay", "is"] * 3_334
    labels = ["B-LOC", "I-LOC", "O"] * 3_334
    trained = train([tokens], [labels], chinese=rjieba, seed=1, epochs=2)
    assert trained.tag([tokens[:3999]]) == [labels[:3999]]
    pieces, marks = _trained_on([tokens], [labels], True)
    assert [len(piece) for piece in pieces[:2]] == [LONGEST - 1, LONGEST - 1]  # 1,000 = 333 * 3 + 1
    assert all(spans_of(mark)[1] == 0 and mark[0] == "B-LOC" for mark in marks)
    assert sum(map(len, pieces)) == len(tokens)
    endless = train([tokens, ["a"] * 2_500], [labels, ["B-X"] + ["I-X"] * 2_499], chinese=rjieba, seed=1, epochs=1)
    assert len(endless.labels) == 9


def test_chinese_names_are_learned_from_characters() -> None:
    places = ["霁州", "云岭", "白沙镇", "青浦湾"]
    people = ["沈知远", "顾南乔", "陆明", "许言"]
    tokens, labels = [], []
    for person, place in product(people, places):
        for before, between, after in (("昨天", "在", "表示"), ("记者", "从", "发回报道"), ("", "抵达", "访问")):
            tokens.append(list(before + person + between + place + after))
            spans = [(len(before), person, "PER"), (len(before + person + between), place, "LOC")]
            labels.append(encoded([Span(at, at + len(name), kind) for at, name, kind in spans], len(tokens[-1])))
    assert style_of(tokens) == "characters"
    trained = train(tokens, labels, chinese=rjieba, seed=1, epochs=5)
    (found,) = trained.tag([list("昨天周以宁在霁州表示")])
    assert spans_of(found)[0] == [Span(2, 5, "PER"), Span(6, 8, "LOC")]


def test_parts_of_speech_are_learned_by_the_same_tagger() -> None:
    sentences = [
        f"the {noun} {verb} quickly .".split() for noun in ("dog", "boat", "train") for verb in ("runs", "sinks")
    ]
    tags = [["DET", "NOUN", "VERB", "ADV", "PUNCT"]] * len(sentences)
    trained = train(sentences, tags, chinese=rjieba, seed=1, spans=False, epochs=3)
    assert trained.tag([["the", "plane", "lands", "slowly", "."]]) == [tags[0]]
