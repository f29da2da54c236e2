"""Copies: the rule by which two texts are one, apart from the headline, the edges and a few words.

A copy has another headline, dateline or footer, a paragraph more, or ends early: it differs in whole stretches. Two
texts of one template (weather, lottery, results) differ in the numbers and names that stand between shared phrases.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from recsys.stories.alignment import MAX_UNITS, SharedRun, shared_runs
from recsys.stories.signatures import Signature, signature
from recsys.stories.text import Text, Units, is_number, names, units

# Of a pair the first is for scripts without blanks, in characters, the second for words between blanks.
_RUN = (5, 3)  # shared units in a row; fewer are chance
_ENOUGH = (40, 20)  # units of a body that can be a copy by itself
_HEADLINE = (10, 6)  # units of a text without such a body; only its equal is a copy: shorter headlines come back daily
_SLOT = (24, 12)  # units between two shared runs that may be one value in place of another
_LEAD = (200, 100)  # units that may stand before a text that ends early
_FOOTER = (80, 40)  # units behind the last shared run that may be a publisher's own
_NAMES = (200, 100)  # shared units for each name, or word of a script without capitals, that may be another one
_NUMBERS = (1_000, 500)  # shared units for each number that may be another one: a misprint that was put right
_WORDING = 25  # shared words for each other word that may be another one: a corrected slip
_SURE = (200, 100)  # shared units that outweigh a word exchanged in the headline
_COVERED = 0.8  # of one of the texts, without its footer, is shared; a follow-up repeats half of what was known
_HALF = 0.5  # of the shorter text, footer and all
_WITHIN = 1 / 3  # of the longer text, unless that begins with it: a digest of the day is no copy of each of its pieces
_SPOKEN_OF = 0.2  # of a headline's words stand in its text; none does in a note that only subscribers may read on
_PAPER = 3  # words of a paper's name behind a headline that is no mere rubric
_BEHIND = re.compile(r"\s*[|｜]\s*|\s+[-–—]\s+")
_STEM = 5  # letters by which two forms of one word are known
_WORD = 4  # letters of a word that tells a headline's subject


@dataclass(frozen=True)
class ComparedText:
    """Article with its units and names, for comparison."""

    text: Text

    @cached_property
    def title(self) -> Units:
        """The headline's units, without the paper's name that may stand behind it."""
        main, mark, rest = _parts(self.text.title)
        paper = rest.casefold() == (self.text.source or "").casefold()
        headline = units(main)
        behind_bar = mark in "|｜" and len(headline) >= len(units(rest))  # shorter than that is a rubric: "Live | …"
        is_paper = paper or behind_bar or (len(headline) >= _HEADLINE[headline.spaced] and len(rest.split()) <= _PAPER)
        return headline if mark and is_paper and len(headline) else units(self.text.title)

    @cached_property
    def body(self) -> Units:
        """The body's units."""
        return units(self.text.body)

    @cached_property
    def names(self) -> frozenset[str]:
        """The names in the body."""
        return names(self.text.body)

    @property
    def full(self) -> bool:
        """True for a body that is long enough to be a copy by itself."""
        return len(self.body) >= _ENOUGH[self.body.spaced]

    @property
    def comparable(self) -> bool:
        """True for a text that is long enough to have a copy."""
        return self.full or len(self.title) + len(self.body) >= _HEADLINE[self.title.spaced]

    @cached_property
    def signature(self) -> Signature:
        """Signature of the body, or of headline and body where there is hardly any."""
        signed = self.body if self.full else units(f"{self.text.title}\n{self.text.body}")
        return signature(signed.keys, signed.spaced)


def is_copy(one: ComparedText, other: ComparedText) -> bool:
    """True for two articles that are copies of one text, in either order.

    Args:
        one: an article.
        other: another one.
    """
    if not (one.comparable and other.comparable):
        return False
    if not (one.full and other.full):
        return [one.title.words, one.body.words] == [other.title.words, other.body.words]
    spaced = one.body.spaced and other.body.spaced
    shared = shared_runs(one.body.keys, other.body.keys, _RUN[spaced])
    return (
        _covered(shared, one.body, other.body, spaced)
        and _same_values(shared, one, other, spaced)
        and _same_subject(shared, one, other, spaced)
    )


def _covered(shared: Sequence[SharedRun], one: Units, other: Units, spaced: bool) -> bool:
    """True for shared runs that are all but the edges of one of the texts, and not a piece from within the other."""
    length = sum(run.length for run in shared)
    sizes = [min(len(text), MAX_UNITS) for text in (one, other)]
    if length < _ENOUGH[spaced] or length < _HALF * min(sizes):
        return False
    last = shared[-1]
    tails = [sizes[0] - last.first - last.length, sizes[1] - last.second - last.length]
    shares = [length / (size - min(tail, _FOOTER[spaced])) for size, tail in zip(sizes, tails, strict=True)]
    start = shared[0].first if sizes[0] > sizes[1] else shared[0].second
    return max(shares) >= _COVERED and (length >= _WITHIN * max(sizes) or start <= _LEAD[spaced])


def _same_values(shared: Sequence[SharedRun], one: ComparedText, other: ComparedText, spaced: bool) -> bool:
    """True for texts that differ between shared runs by slips alone: no other number, hardly another name."""
    length = sum(run.length for run in shared)
    renamed = reworded = recounted = 0
    for mine, theirs in _slots(shared, one, other, spaced):
        cased = spaced and (one.names or other.names)
        if _other_numbers(mine, theirs):
            recounted += 1
        elif not cased or (one.names.intersection(mine) and other.names.intersection(theirs)):
            renamed += 1
        else:
            reworded += 1
    few = renamed <= length // _NAMES[spaced] and reworded <= length // _WORDING
    return few and recounted <= length // _NUMBERS[spaced]


def _slots(
    shared: Sequence[SharedRun], one: ComparedText, other: ComparedText, spaced: bool
) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """Words of either text between two runs where the other has others; without the papers' own names."""
    own = [set(units(reading.text.source or "").words) for reading in (one, other)]
    for before, after in pairwise(shared):
        mine = one.body.words[before.first + before.length : after.first]
        theirs = other.body.words[before.second + before.length : after.second]
        if max(len(mine), len(theirs)) <= _SLOT[spaced]:
            mine = [word for word in mine if word not in own[0]]
            theirs = [word for word in theirs if word not in own[1]]
            if mine and theirs:
                yield mine, theirs


def _other_numbers(one: Sequence[str], other: Sequence[str]) -> bool:
    """True for two sequences of units each of which has a number that the other lacks."""
    mine, theirs = ({word.replace(",", "") for word in words if is_number(word)} for words in (one, other))
    return bool(mine - theirs) and bool(theirs - mine)


def _same_subject(shared: Sequence[SharedRun], one: ComparedText, other: ComparedText, spaced: bool) -> bool:
    """True for headlines that do not contradict: no values of a series, and not both of them about something else."""
    if one.title.words == other.title.words:
        return True
    mine, theirs = set(one.title.words), set(other.title.words)
    alike = len(mine & theirs) >= _HALF * min(len(mine), len(theirs))
    if alike and _other_numbers(one.title.words, other.title.words):
        return False
    if alike and mine - theirs and theirs - mine and sum(run.length for run in shared) < _SURE[spaced]:
        shared_words = {word for run in shared for word in one.body.words[run.first : run.first + run.length]}
        if shared_words.isdisjoint(mine ^ theirs):
            return False
    return alike or (_speaks_of_its_text(one) and _speaks_of_its_text(other))


def _speaks_of_its_text(reading: ComparedText) -> bool:
    """True for a headline some of whose words stand in the body, and for a text without a headline."""
    subject, body = (_stems(text) for text in (reading.title, reading.body))
    return not subject or len(subject & body) >= _SPOKEN_OF * len(subject)


def _stems(text: Units) -> set[str]:
    """The longer words by their first letters; of a script without blanks the pairs of characters."""
    if text.spaced:
        return {word[:_STEM] for word in text.words if len(word) >= _WORD}
    return {one + other for one, other in pairwise(text.words)}


def _parts(title: str) -> tuple[str, str, str]:
    """A headline, the last sign that parts something from it, and what stands behind that."""
    marks = list(_BEHIND.finditer(title))
    if not marks:
        return title, "", ""
    return title[: marks[-1].start()], marks[-1][0].strip(), title[marks[-1].end() :].strip()
