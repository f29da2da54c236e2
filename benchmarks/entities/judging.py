"""Judging of labels: exact spans by type, and tokens."""

from collections import Counter
from collections.abc import Sequence

from recsys.entities import spans_of

Labels = Sequence[Sequence[str]]
Figures = dict[str, float]


def span_figures(gold: Labels, found: Labels) -> tuple[Figures, dict[str, float]]:
    """Precision, recall and F1 of exact spans in per cent over all types, and F1 by type.

    Source: Tjong Kim Sang & De Meulder 2003, section 2.3 (a span counts when its bounds and its type are right).
    """
    true: Counter[str] = Counter()
    given: Counter[str] = Counter()
    right: Counter[str] = Counter()
    bounds = 0
    for wanted, got in zip(gold, found, strict=True):
        spans, guesses = set(spans_of(wanted)[0]), set(spans_of(got)[0])
        true.update(span.type for span in spans)
        given.update(span.type for span in guesses)
        right.update(span.type for span in spans & guesses)
        bounds += len({span[:2] for span in spans} & {span[:2] for span in guesses})
    total = right.total()
    figures = {
        "f1": _f1(total, true.total(), given.total()),
        "precision": _percent(total, given.total()),
        "recall": _percent(total, true.total()),
        "f1_without_types": _f1(bounds, true.total(), given.total()),
    }
    return figures, {kind: _f1(right[kind], true[kind], given[kind]) for kind in sorted(true | given)}


def accuracy(gold: Labels, found: Labels) -> float:
    """Tokens with the right label, in per cent."""
    pairs = [pair for wanted, got in zip(gold, found, strict=True) for pair in zip(wanted, got, strict=True)]
    return _percent(sum(wanted == got for wanted, got in pairs), len(pairs))


def _f1(right: int, true: int, given: int) -> float:
    return _percent(2 * right, true + given)


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
