"""Editors' decisions on stories: which are one, what leaves one, and what one is called.

Reads and writes the tables ``story_decisions`` and ``story_names``; each decision, with its line in the audit, is one
transaction. It has a number of the site's changes, given under the write lock, so that every worker follows it by the
feed of the articles, and of two decisions made at once it is certain which is the later. Decisions are only added:
what a later one says holds against what an earlier one said.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select, update

from recsys.errors import InputError, StoryConflict
from recsys.store import schema
from recsys.store.articles import next_change
from recsys.store.audit import write_audit
from recsys.store.engine import Database
from recsys.store.operators import Outcome, any_version, article_row
from recsys.units import now_ms

MAX_NAME = 200  # characters of a story's name: as long as the longest headlines
MAX_SPLIT = 1_000  # articles that leave a story at once
_CHUNK = 500  # ids per query
_REFUSED = ("Cc", "Cs", "Zl", "Zp")  # categories of characters: control, half a character, ends of lines
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # turn the text around them about

articles, decisions, names = schema.articles, schema.story_decisions, schema.story_names


class StoryDecision(NamedTuple):
    """One pair of a decision.

    Attributes:
        one: id of an article.
        other: id of another one.
        together: whether they belong together, and what stands with each; else the first leaves the other's story.
        asked: True for what the editor said, False for what stood together then and was kept so.
        change: the number of that change of the site; all pairs of one decision have it, in their order.
        set_at: int ms UTC.
        set_by: ``token NAME`` or ``command USER``.
    """

    one: str
    other: str
    together: bool
    asked: bool
    change: int
    set_at: int
    set_by: str

    @classmethod
    def of(cls, values: Iterable[Any]) -> "StoryDecision":
        """A decision as a row, or a file, has it."""
        decision = cls(*values)
        return decision._replace(together=bool(decision.together), asked=bool(decision.asked))


class StoryName(NamedTuple):
    """Name of the story in which an article stands; of two named articles of one story the later name holds.

    Attributes:
        article: its id.
        name: None where the name was taken back.
        change: the number of that change of the site.
        set_at: int ms UTC.
        set_by: ``token NAME`` or ``command USER``.
    """

    article: str
    name: str | None
    change: int
    set_at: int
    set_by: str


class StoryStore(Database):
    """The tables of decisions on stories and of their names."""

    def join_stories(
        self, site: str, one: Sequence[str], other: Sequence[str], by: str, seen: int | None = None
    ) -> StoryDecision:
        """Make two stories one; what stands together now goes on doing so.

        Args:
            site: the site.
            one: articles of the story whose name stays, the one that is named first.
            other: those of the other story, likewise.
            by: who says so.
            seen: the number of the site's last change when the stories were read; None: whatever was decided since.

        Raises:
            InputError: they have an article in common.
            StoryConflict: an editor has decided on an article of theirs since.
            UnknownArticle: none of a story's articles is there.
            DeletedArticle: the only ones are deleted.
        """
        if not set(one).isdisjoint(other):
            remedy = "Name an article of another story."
            raise InputError("two stories", f"{other[0]!r:.80} and {one[0]!r:.80} of one", remedy)
        with self.writing() as connection:
            _refuse_later(connection, site, (*one, *other), seen)
            first, *others = _there(connection, site, one)
            asked, *more = _there(connection, site, other)
            pairs = [(asked, first, True, True), *((id, first, True, False) for id in (*others, *more))]
            decision = _write(connection, site, by, pairs)
            write_audit(connection, site, by, "join", first, joined=asked, articles=len(pairs) + 1)
        return decision

    def split_story(
        self, site: str, leaving: Sequence[str], staying: Sequence[str], by: str, seen: int | None = None
    ) -> StoryDecision:
        """Let articles leave their story, together; what stays goes on standing together.

        Args:
            site: the site.
            leaving: the articles.
            staying: the other articles of the story.
            by: who says so.
            seen: see ``join_stories``.

        Raises:
            StoryConflict: an editor has decided on an article of the story since.
            InputError: none leaves, none stays, or too many leave at once.
            UnknownArticle: one that leaves, or all that stay, are not there.
            DeletedArticle: the same, for they are deleted.
        """
        if not leaving or len(leaving) > MAX_SPLIT:
            remedy = "Name them; of a larger part split what stays instead."
            raise InputError(f"1 to {MAX_SPLIT} articles that leave", f"{len(leaving)}", remedy)
        if not staying or not set(staying).isdisjoint(leaving):
            raise InputError("an article that stays in the story", "none", "Leave out at least one.")
        with self.writing() as connection:
            _refuse_later(connection, site, (*leaving, *staying), seen)
            if missing := set(leaving).difference(_there(connection, site, leaving)):
                article_row(connection, site, min(missing), any_version)
            rest, *others = _there(connection, site, staying)
            first, *more = leaving
            pairs = [(id, rest, True, False) for id in others]
            pairs.append((first, rest, False, True))
            for id in more:
                pairs += [(id, rest, False, True), (id, first, True, False)]
            decision = _write(connection, site, by, pairs)
            said: dict[str, Any] = {"with": more[:20]} if more else {}
            write_audit(connection, site, by, "split", first, left=rest, articles=len(leaving), **said)
        return decision

    def name_story(self, site: str, of: Sequence[str], name: str, by: str, seen: int | None = None) -> StoryName:
        """Call a story by a name.

        Args:
            site: the site.
            of: its articles; the name goes with the first of them that is there.
            name: 1 to ``MAX_NAME`` characters without control characters.
            by: who says so.
            seen: see ``join_stories``.

        Raises:
            InputError: the name is none.
            StoryConflict: an editor has decided on an article of the story since.
            UnknownArticle: none of the articles is there.
            DeletedArticle: the only ones are deleted.
        """
        name = checked_name(name)
        with self.writing() as connection:
            _refuse_later(connection, site, of, seen)
            article = _there(connection, site, of)[0]
            named = StoryName(article, name, next_change(connection, site), now_ms(), str(by))
            before = _write_name(connection, site, named)
            write_audit(connection, site, by, "name-story", article, before=before, after={"name": name})
        return named

    def unname_story(self, site: str, of: Sequence[str], by: str, seen: int | None = None) -> Outcome:
        """Take back every name of a story's articles; see ``name_story``."""
        with self.writing() as connection:
            _refuse_later(connection, site, of, seen)
            named = [
                id
                for start in range(0, len(of), _CHUNK)
                for id in connection.scalars(
                    select(names.c.article).where(
                        names.c.site == site, names.c.article.in_(of[start : start + _CHUNK]), names.c.name.is_not(None)
                    )
                )
            ]
            if not named:
                return Outcome.UNCHANGED
            change = next_change(connection, site)
            for id in named:
                before = _write_name(connection, site, StoryName(id, None, change, now_ms(), str(by)))
                write_audit(connection, site, by, "unname-story", id, before=before)
        return Outcome.ENDED

    def story_decisions(self, site: str, *, changed_after: int = 0, asked: bool = False) -> list[StoryDecision]:
        """Decisions on stories, pair by pair in their order.

        Args:
            site: the site.
            changed_after: only those with a change after this number.
            asked: only what the editors said.
        """
        columns = [decisions.c[name] for name in StoryDecision._fields]
        query = select(*columns).where(decisions.c.site == site, decisions.c.change > changed_after)
        if asked:
            query = query.where(decisions.c.asked)
        with self.reading() as connection:
            rows = connection.execute(query.order_by(decisions.c.change, decisions.c.place)).all()
        return [StoryDecision.of(row) for row in rows]

    def story_names(self, site: str, *, changed_after: int = 0) -> list[StoryName]:
        """Names of stories in the order in which they were given, those that were taken back among them."""
        query = select(*(names.c[name] for name in StoryName._fields))
        query = query.where(names.c.site == site, names.c.change > changed_after).order_by(
            names.c.change, names.c.article
        )
        with self.reading() as connection:
            return [StoryName(*row) for row in connection.execute(query)]


def checked_name(name: str) -> str:
    """A name without blanks around it.

    Raises:
        InputError: it is too long, empty, or has characters that no headline has.
    """
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise InputError(f"a name of 1 to {MAX_NAME} characters", f"{len(name)}", "Say it in fewer words, or in some.")
    odd = next((char for char in name if char in _TURNING or unicodedata.category(char) in _REFUSED), None)
    if odd is not None:
        raise InputError("a name on one line, without control characters", f"{odd!a} in it", "Leave it out.")
    return name


def _there(connection: Connection, site: str, ids: Sequence[str]) -> list[str]:
    """Those of some articles that are there, hidden ones included, in their order.

    Raises:
        UnknownArticle: none is.
        DeletedArticle: the first one is deleted, and no other is there.
    """
    there: set[str] = set()
    for start in range(0, len(ids), _CHUNK):
        named = articles.c.id.in_(ids[start : start + _CHUNK])
        there |= set(connection.scalars(select(articles.c.id).where(articles.c.site == site, named)))
    if not there:
        article_row(connection, site, ids[0], any_version)
    return [id for id in ids if id in there]


def _refuse_later(connection: Connection, site: str, ids: Sequence[str], seen: int | None) -> None:
    """Refuse to decide on what another one has decided on meanwhile, inside the transaction that decides.

    Raises:
        StoryConflict: there is a decision with a change after ``seen`` on one of the articles.
    """
    if seen is None:
        return
    of, later = set(ids), (decisions.c.site == site) & (decisions.c.change > seen)
    columns = (decisions.c[name] for name in StoryDecision._fields)
    for row in connection.execute(select(*columns).where(later, decisions.c.asked).order_by(decisions.c.change.desc())):
        if row.one in of or row.other in of:
            did = "joined" if row.together else "left the story of"
            raise StoryConflict(row.set_by, f"{row.one!r:.80} {did} {row.other!r:.80}")
    columns = (names.c[name] for name in StoryName._fields)
    later = (names.c.site == site) & (names.c.change > seen)
    for row in connection.execute(select(*columns).where(later).order_by(names.c.change.desc())):
        if row.article in of:
            raise StoryConflict(row.set_by, "took its name back" if row.name is None else f"named it {row.name!r:.80}")


def _write(connection: Connection, site: str, by: str, pairs: Sequence[tuple[str, str, bool, bool]]) -> StoryDecision:
    """Add a decision's pairs; returns the first one that was asked for."""
    change, now = next_change(connection, site), now_ms()
    made = [StoryDecision(*pair, change, now, str(by)) for pair in pairs]
    rows = [{"site": site, "place": place} | pair._asdict() for place, pair in enumerate(made)]
    connection.execute(insert(decisions), rows)
    return next(pair for pair in made if pair.asked)


def _write_name(connection: Connection, site: str, named: StoryName) -> dict[str, str] | None:
    """Write a name; returns the one before, as the audit shows it."""
    this = (names.c.site == site) & (names.c.article == named.article)
    before = connection.scalar(select(names.c.name).where(this))
    if not connection.execute(update(names).where(this).values(named._asdict())).rowcount:
        connection.execute(insert(names).values(site=site, **named._asdict()))
    return None if before is None else {"name": before}
