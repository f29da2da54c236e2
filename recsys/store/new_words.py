"""Decisions of editors on new words: which are words of the dictionary, and which are none.

Reads and writes the table ``word_decisions``; each decision and its line in the audit are one transaction. The next
night follows them: what is refused is not joined, what is accepted stays a word even where texts use it less.
"""

import json
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select

from recsys.store import schema
from recsys.store.audit import write_audit
from recsys.store.engine import Database
from recsys.store.records import compact_json
from recsys.units import now_ms

decisions = schema.word_decisions


class WordDecision(NamedTuple):
    """A decision on one new word, with what the night knew of it.

    Attributes:
        language: of the articles in which it was found.
        entry: as it stands in texts.
        accepted: whether it is a word.
        parts: the words that it is joined from.
        occurrences: in the corpus, then.
        npmi: of its parts, then.
        branching_entropy: then, in nats.
        set_at: int ms UTC.
        set_by: who said so.
    """

    language: str
    entry: str
    accepted: bool
    parts: tuple[str, ...]
    occurrences: int
    npmi: float
    branching_entropy: float
    set_at: int = 0
    set_by: str = ""


class NewWordStore(Database):
    """The table of decisions on new words."""

    def decide_word(self, site: str, decision: WordDecision, by: str) -> WordDecision:
        """Accept or refuse a word; a later decision takes the place of the one before."""
        made = decision._replace(set_at=now_ms(), set_by=str(by))
        with self.writing() as connection:
            old = connection.execute(delete(decisions).where(_is(site, made)).returning(decisions.c.accepted)).first()
            values = made._asdict() | {"site": site, "parts": compact_json(list(made.parts))}
            connection.execute(insert(decisions).values(values))
            before = None if old is None else {"accepted": bool(old.accepted)}
            after = {"accepted": made.accepted}
            write_audit(connection, site, by, "word", f"{made.language} {made.entry}", before=before, after=after)
        return made

    def withdraw_word(self, site: str, language: str, entry: str, by: str) -> bool:
        """Take a decision on a word back.

        Returns:
            Whether there was one.
        """
        this = WordDecision(language, entry, False, (), 0, 0.0, 0.0)
        with self.writing() as connection:
            old = connection.execute(delete(decisions).where(_is(site, this)).returning(decisions.c.accepted)).first()
            if old is not None:
                before = {"accepted": bool(old.accepted)}
                write_audit(connection, site, by, "word", f"{language} {entry}", before=before)
        return old is not None

    def word_decisions(self, site: str) -> list[WordDecision]:
        """The decisions on words of a site, in the order of languages and words."""
        query = select(*(decisions.c[name] for name in WordDecision._fields)).where(decisions.c.site == site)
        with self.reading() as connection:
            rows = connection.execute(query.order_by(decisions.c.language, decisions.c.entry)).all()
        return [
            WordDecision(*row)._replace(accepted=bool(row.accepted), parts=tuple(json.loads(row.parts))) for row in rows
        ]


def _is(site: str, word: WordDecision) -> Any:
    named = (decisions.c.language == word.language) & (decisions.c.entry == word.entry)
    return (decisions.c.site == site) & named
