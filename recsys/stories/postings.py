"""Postings: term -> the stories that have it.

Most stories are of one headline, and what a term says is the same for all of them. Their rows stand in sets of their
own, in which those that share several terms are found without a look at each.
"""

from collections.abc import Iterable, Mapping, Set

_NO_ROWS: frozenset[int] = frozenset()
_NO_COUNTS: Mapping[int, int] = {}


class TermPostings:
    """Rows of stories by their terms: of one headline as sets, of more with the number of headlines that have the term.

    A story that has had more than one headline stays among those, whatever is left of it.
    """

    def __init__(self) -> None:
        self._single: dict[str, set[int]] = {}
        self._counts: dict[str, dict[int, int]] = {}

    def length(self, word: str) -> int:
        """Number of stories that have a term."""
        return len(self._single.get(word, ())) + len(self._counts.get(word, ()))

    def single(self, word: str) -> Set[int]:
        """Rows of the stories of one headline that have a term."""
        return self._single.get(word, _NO_ROWS)

    def counts(self, word: str) -> Mapping[int, int]:
        """Row of each larger story that has a term -> headlines that have it."""
        return self._counts.get(word, _NO_COUNTS)

    def count(self, word: str, row: int) -> int:
        """Headlines of a story that have a term."""
        return 1 if row in self.single(word) else self.counts(word).get(row, 0)

    def begin(self, words: Iterable[str], row: int) -> None:
        """The terms of a story's first headline."""
        for word in words:
            self._single.setdefault(word, set()).add(row)

    def grow(self, words: Iterable[str], row: int) -> None:
        """A story has more than one headline from now on."""
        for word in words:
            if row in self.single(word):
                self._leave_single(word, row)
                self._counts.setdefault(word, {})[row] = 1

    def add(self, word: str, row: int, change: int) -> int:
        """Change the count of a term in a larger story; returns it, and forgets the story where it is 0 or less."""
        count = self.counts(word).get(row, 0) + change
        if count > 0:
            self._counts.setdefault(word, {})[row] = count
        else:
            self._leave_counts(word, row)
        return count

    def drop(self, words: Iterable[str], row: int) -> None:
        """Forget a story."""
        for word in words:
            self._leave_single(word, row)
            self._leave_counts(word, row)

    def _leave_single(self, word: str, row: int) -> None:
        if (rows := self._single.get(word)) is not None:
            rows.discard(row)
            if not rows:
                del self._single[word]

    def _leave_counts(self, word: str, row: int) -> None:
        if (rows := self._counts.get(word)) is not None:
            rows.pop(row, None)
            if not rows:
                del self._counts[word]
