"""Leaders: one article after the other -> the first copy of its text, by one rule for the night and for the service.

An article joins the first text that it is a copy of; only first texts can be joined, so that no chain of small
differences leads from one text to another.
"""

from collections.abc import Callable

from recsys.stories.copies import Reading, is_copy
from recsys.stories.signatures import Signature, SignatureTable
from recsys.stories.text import Text

COMPARED = 8  # texts, the likeliest ones: a template may have thousands that look alike


class Leaders:
    """The first texts so far.

    Args:
        capacity: first texts that are expected.

    Attributes:
        ids: of the first texts, by row of the table.
    """

    def __init__(self, capacity: int = 1024) -> None:
        self.ids: list[str] = []
        self._table = SignatureTable(capacity)

    def add(self, article_id: str, signature: Signature) -> None:
        """Take over the first copy of a text."""
        self._table.add(signature)
        self.ids.append(article_id)

    def join(self, article_id: str, reading: Reading, text_of: Callable[[str], Text | None]) -> str:
        """Find an article's leader; one that has none becomes a leader itself.

        Args:
            article_id: of the article.
            reading: it.
            text_of: gives the text of a leader by its id; None when it is gone.

        Returns:
            The leader's id, ``article_id`` for the first copy of a text.
        """
        if not reading.comparable:
            return article_id
        for row in self._table.like(reading.signature, COMPARED):
            leader = self.ids[row]
            if leader == article_id:
                return leader
            text = text_of(leader)
            if text is not None and is_copy(reading, Reading(text)):
                return leader
        self.add(article_id, reading.signature)
        return article_id
