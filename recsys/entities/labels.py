"""Labels of tokens and the spans that they mark: B begins one, I goes on, E ends one, S is one alone, O is outside.

Read are BIO in both of its forms, BIOES, BMES and BILOU; inside stands BIOES, which tells the ends of a name apart, and
what comes out is BIO. A label that goes on with what nothing began begins it: no label is an error here.
Source: Ratinov & Roth 2009, section 4 (BILOU against BIO).
"""

from collections.abc import Sequence
from typing import NamedTuple

OUTSIDE = "O"
_SAME = {"M": "I", "L": "E", "U": "S"}  # letters of BMES and BILOU
_LETTERS = frozenset("BIES") | frozenset(_SAME)
ENCODING = "BIES"


class Span(NamedTuple):
    """Tokens ``begin`` to ``end`` - 1 of a sentence, and their type."""

    begin: int
    end: int
    type: str


def parsed(label: str) -> tuple[str, str] | None:
    """Letter and type of a label, "O" and no type of one outside; None for what is no such label."""
    if label == OUTSIDE:
        return OUTSIDE, ""
    letter, _, kind = label.partition("-")
    return (_SAME.get(letter, letter), kind) if letter in _LETTERS and kind else None


def spans_of(labels: Sequence[str]) -> tuple[list[Span], int]:
    """Spans of a sentence in order, and the number of labels that go on with what nothing began.

    A label that ``parsed`` does not know is outside.
    """
    spans: list[Span] = []
    begin, kind, broken = -1, "", 0
    for place, label in enumerate(labels):
        letter, type_ = parsed(label) or (OUTSIDE, "")
        fresh = letter in "BS" or type_ != kind
        if begin >= 0 and (letter == OUTSIDE or fresh):
            spans.append(Span(begin, place, kind))
            begin, kind = -1, ""
        if letter != OUTSIDE and begin < 0:
            broken += letter in "IE"
            begin, kind = place, type_
        if letter in "ES":
            spans.append(Span(begin, place + 1, kind))
            begin, kind = -1, ""
    if begin >= 0:
        spans.append(Span(begin, len(labels), kind))
    return spans, broken


def encoded(spans: Sequence[Span], length: int) -> list[str]:
    """BIOES labels of a sentence of ``length`` tokens."""
    labels = [OUTSIDE] * length
    for begin, end, kind in spans:
        labels[begin:end] = [f"I-{kind}"] * (end - begin)
        labels[begin], labels[end - 1] = f"B-{kind}", f"E-{kind}"
        if end - begin == 1:
            labels[begin] = f"S-{kind}"
    return labels


def as_bio(labels: Sequence[str]) -> list[str]:
    """BIOES labels as BIO."""
    return [
        label.replace("S-", "B-", 1) if label[0] == "S" else "I" + label[1:] if label[0] == "E" else label
        for label in labels
    ]


def may_follow(before: str | None, after: str | None) -> bool:
    """True where a whole span stays whole; None is the edge of a sentence. Both are BIOES labels."""
    inside = before is not None and before[0] in "BI"
    goes_on = after is not None and after[0] in "IE"
    return inside == goes_on and (not inside or (before or "")[2:] == (after or "")[2:])
