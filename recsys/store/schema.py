"""The tables, as SQLAlchemy Core; the migrations in ``migrations/`` build the same ones and a test compares the two.

Every time is an integer of milliseconds UTC since the epoch, so that it means the same in both databases, in Parquet
and in JSON.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

# Names that the migrations can refer to; without a convention each database invents its own.
_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=_NAMING)

# SQLite numbers rows by itself only in a column declared INTEGER.
Sequential = BigInteger().with_variant(Integer, "sqlite")
# Byte order, which in UTF-8 is also Python's order of strings: SQLite's default, PostgreSQL's only when asked.
Identifier = Text().with_variant(Text(collation="C"), "postgresql")

articles = Table(
    "articles",
    metadata,
    Column("site", Identifier, primary_key=True),
    Column("id", Identifier, primary_key=True),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("url", Text),
    Column("image", Text),
    Column("source", Text),
    Column("language", Text),
    Column("category", Text),
    Column("subcategory", Text),
    Column("entities", Text, nullable=False),
    Column("published_at", BigInteger),
    Column("expires_at", BigInteger),
    Column("hidden", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("hidden_by", Text),  # "import", or the operator who said so; NULL while it is shown
    Column("declared_hidden", Boolean),  # what a file said last; NULL when none ever said anything
    Column("change", BigInteger, nullable=False, server_default="0"),
    Column("filed_by", Text),  # the editor who said the category; NULL while it is that of the file
    Column("declared_category", Text),  # what a file said last, while an editor's category stands in its place
    Column("tags", Text),  # JSON: the tags that an editor gave it, in their order; NULL: those of the models
    Column("tagged_by", Text),  # the editor
    Index(None, "site", "change"),
)

# Whoever looks for words of a title must not read the bodies. SQLite keeps these in the row; PostgreSQL moves long ones
# out of it, and would refuse a row of this index: a title of 500 characters may have 2,000 bytes, 2,704 is the most.
titles = Index("ix_articles_titles", *(articles.c[name] for name in ("site", "published_at", "id", "title")))
titles.ddl_if(dialect="sqlite")

# The feed: every change of a site's articles, and every reader who is forgotten, has a number that only grows. It is
# given under the write lock, so whoever asks for "everything after n" misses nothing, whatever the clocks say.
changes = Table(
    "changes",
    metadata,
    Column("site", Identifier, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

# A tombstone: the article's text is gone, its identifier is kept so that no import brings it back.
deleted_articles = Table(
    "deleted_articles",
    metadata,
    Column("site", Identifier, primary_key=True),
    Column("id", Identifier, primary_key=True),
    Column("deleted_at", BigInteger, nullable=False),
    Column("deleted_by", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    Index(None, "site", "change"),
)

# What editors decided on lists, each with an end: beside the articles, so that no import and no put touches it. One row
# per article and kind; a later decision takes the place of the one before.
editorial = Table(
    "editorial",
    metadata,
    Column("site", Identifier, primary_key=True),
    Column("article", Identifier, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("until", BigInteger, nullable=False),
    Column("set_at", BigInteger, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("place", Integer),  # of a pin, from 1
    Column("slot", Text),  # of a pin; NULL: every list
    Column("factor", Double),  # of a boost
    CheckConstraint("kind IN ('pin', 'boost', 'bury')", name="kind"),
)

# What editors said of stories, pair by pair in their order: only added to, for a later pair holds against earlier ones.
story_decisions = Table(
    "story_decisions",
    metadata,
    Column("site", Identifier, primary_key=True),
    Column("change", BigInteger, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),  # of the pair in its decision
    Column("one", Identifier, nullable=False),
    Column("other", Identifier, nullable=False),
    Column("together", Boolean, nullable=False),
    Column("asked", Boolean, nullable=False),  # by the editor; else it keeps together what stood so then
    Column("set_at", BigInteger, nullable=False),
    Column("set_by", Text, nullable=False),
)

# What editors said of new words: the next night joins none that is refused, and keeps each that is accepted.
word_decisions = Table(
    "word_decisions",
    metadata,
    Column("site", Identifier, primary_key=True),
    Column("language", Identifier, primary_key=True),
    Column("entry", Identifier, primary_key=True),
    Column("accepted", Boolean, nullable=False),
    Column("parts", Text, nullable=False),  # JSON
    Column("occurrences", BigInteger, nullable=False),
    Column("npmi", Double, nullable=False),
    Column("branching_entropy", Double, nullable=False),
    Column("set_at", BigInteger, nullable=False),
    Column("set_by", Text, nullable=False),
)

# The release that every host of a site serves, where they share releases at an address.
live_releases = Table(
    "live_releases",
    metadata,
    Column("site", Identifier, primary_key=True),
    Column("name", Text, nullable=False),
    Column("move", BigInteger, nullable=False),  # how often it was moved
    Column("set_by", Text, nullable=False),
    Column("set_at", BigInteger, nullable=False),
)

# What editors call the story in which an article stands. A name that is taken back is NULL, so that whoever follows the
# changes sees it go.
story_names = Table(
    "story_names",
    metadata,
    Column("site", Identifier, primary_key=True),
    Column("article", Identifier, primary_key=True),
    Column("change", BigInteger, nullable=False),
    Column("name", Text),
    Column("set_at", BigInteger, nullable=False),
    Column("set_by", Text, nullable=False),
    Index(None, "site", "change"),
)

# Who was forgotten, as a hash: it says that it was done and when, and not who it was to anybody who does not know.
forgotten_readers = Table(
    "forgotten_readers",
    metadata,
    Column("site", Identifier, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("forgotten_at", BigInteger, nullable=False),
    Column("through", BigInteger, nullable=False),  # the site's last seq by then: later events are of a new reader
    Column("log_cleared_at", BigInteger),  # NULL while the Parquet log may still hold something of them
    Column("change", BigInteger, nullable=False),
    Index(None, "site", "change"),
)

# What a reader chose of their own lists: one row, so that a later choice takes the place of the one before.
reader_choices = Table(
    "reader_choices",
    metadata,
    Column("site", Identifier, primary_key=True),
    Column("reader", Identifier, primary_key=True),
    Column("personal", Boolean, nullable=False),
    Column("tags", Text, nullable=False),  # JSON: folded tag -> [as it was written, weight]
    Column("set_at", BigInteger, nullable=False),
    Column("change", BigInteger, nullable=False),
    Index(None, "site", "change"),
)

audit = Table(
    "audit",
    metadata,
    Column("number", Sequential, Identity(always=True), primary_key=True),
    Column("site", Identifier, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("origin", Text),  # address of the request, or machine of the command
    Column("before", Text),  # JSON of what was changed; NULL where there was nothing, as of entries of earlier versions
    Column("after", Text),
    Index(None, "site", "number"),
    Index(None, "site", "object", "number"),
    sqlite_autoincrement=True,
)

# Without a row number of its own SQLite keeps a reader in one tree instead of two. The column that tells rows apart
# comes first in the keys that every event is looked up in: databases compare first columns fastest.
readers = Table(
    "readers",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("site", Identifier, primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    metadata,
    Column("seq", Sequential, Identity(always=True), primary_key=True),
    Column("event_id", Identifier, nullable=False),
    Column("site", Identifier, nullable=False),
    Column("kind", Text, nullable=False),
    Column("article", Identifier, nullable=False),
    Column("reader", Identifier),
    Column("session", Identifier),
    Column("time", BigInteger),
    Column("slot", Text),
    Column("position", SmallInteger),
    Column("impression", Identifier),
    Column("dwell_ms", Integer),
    Column("context", Text),
    Column("proof", SmallInteger),  # see records.Evidence; NULL: nobody needs to doubt it
    ForeignKeyConstraint(["reader", "site"], ["readers.id", "readers.site"], ondelete="CASCADE"),
    CheckConstraint("kind IN ('impression', 'click', 'dismiss', 'dwell')", name="kind"),
    Index("uq_events_event_id_site", "event_id", "site", unique=True),
    Index(None, "reader", "site", "time"),
    Index(
        None, "site", "seq"
    ),  # followers ask "everything of my site after n", beside any number of other sites' events
    Index(
        "ix_events_clicks",
        "site",
        "time",
        "article",
        sqlite_where=text("kind = 'click'"),
        postgresql_where=text("kind = 'click'"),
    ),
    # A number that was given out once never comes back, even when the newest rows are deleted: readers poll by it.
    sqlite_autoincrement=True,
)

runs = Table(
    "runs",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("job", Text, nullable=False),
    Column("params", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("holder", Text, unique=True),
    Column("pid", Integer),
    Column("created_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("heartbeat_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("progress", Text, nullable=False),
    Column("error", Text),
    Column("release", Text),
    Column("log", Text),
    Column("site", Identifier),
    Column("workspace", Text),
    Column("host", Text),
    Column("fence", BigInteger),
    Column("beats", BigInteger, nullable=False, server_default="0"),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("not_before", BigInteger),
    Column("asked_by", Text),
    Column("key", Text),
    Column("cancelled_by", Text),
    Column("exit_code", Integer),
    Column("peak_mib", BigInteger),
    CheckConstraint("state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'interrupted')", name="state"),
    Index(None, "created_at"),
    Index(None, "site", "state"),
)

# When jobs begin by themselves. ``next_at`` is moved by whoever queues the run, in one transaction: once for all.
schedules = Table(
    "schedules",
    metadata,
    Column("site", Identifier, primary_key=True),
    Column("name", Identifier, primary_key=True),
    Column("job", Text, nullable=False),
    Column("params", Text, nullable=False),
    Column("cron", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("jitter_seconds", Integer, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("last_at", BigInteger),
    Column("last_run", Text),
    Column("set_at", BigInteger, nullable=False),
    Column("set_by", Text, nullable=False),
)

# What is tried on some readers: arms as JSON, and when it ran. One runs at a time.
experiments = Table(
    "experiments",
    metadata,
    Column("site", Identifier, primary_key=True),
    Column("name", Identifier, primary_key=True),
    Column("salt", Text, nullable=False),
    Column("arms", Text, nullable=False),  # JSON: a list of name, share and settings, the control first
    Column("window_days", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("started_by", Text, nullable=False),
    Column("stopped_at", BigInteger),  # NULL while it runs
    Column("stopped_by", Text),
)

# Who was served by which arm, from the first list on; written by the service, and gone with a reader who is forgotten.
exposures = Table(
    "exposures",
    metadata,
    Column("site", Identifier, primary_key=True),
    Column("experiment", Identifier, primary_key=True),
    Column("reader", Identifier, primary_key=True),
    Column("arm", SmallInteger, nullable=False),  # its number, from 0
    Column("first_at", BigInteger, nullable=False),
    Index(None, "site", "reader"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sha256", Text, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("scope", Text, nullable=False),
    Column("site", Identifier),  # NULL: every site, as of the tokens that were made before there were scopes
    Column("expires_at", BigInteger),  # NULL: never
    Column("last_used_at", BigInteger),  # to the minute
)

people = Table(
    "people",
    metadata,
    Column("name", Text, primary_key=True),
    Column("scope", Text, nullable=False),
    Column("site", Identifier),  # NULL: every site
    Column("password", Text, nullable=False),  # argon2id in PHC form, with its salt and parameters
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

# A session that has ended is kept for a while: it says from where a person has signed in before.
sessions = Table(
    "sessions",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("address", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),  # NULL while nobody has ended it
    Index(None, "person", "address"),
)
