"""Articles, events, readers, runs, tokens and people in SQLite or PostgreSQL.

Reads and writes one database; its file or server is named by ``store.url``. SQLite is one file in ``data_dir`` and
needs nothing; PostgreSQL serves several machines. Both run the same statements and pass the same tests.
"""

from typing import Self

from recsys.store.articles import ArticleStore
from recsys.store.audit import Actor, AuditEntry, AuditStore
from recsys.store.choices import ChoiceStore, ReaderChoices, TagChoice
from recsys.store.config import StoreConfig
from recsys.store.editorial import Decided, Decision, DecisionKind, EditorialStore
from recsys.store.engine import CACHE_MIB, check_address, opened_engine
from recsys.store.event_writer import EventWriter
from recsys.store.events import EventStore
from recsys.store.experiments import LEFT_OUT, ExperimentArm, ExperimentStore, Exposure, ReaderOutcome, StoredExperiment
from recsys.store.filing import FilingStore
from recsys.store.forgetting import Forgotten, KindKept, ReaderStore, reader_digest
from recsys.store.live_releases import LiveRelease, LiveReleaseStore
from recsys.store.new_words import NewWordStore, WordDecision
from recsys.store.operators import OperatorStore, Outcome
from recsys.store.passwords import hashed_password, is_password
from recsys.store.people import PeopleStore, Person, SignedIn
from recsys.store.publishing import ArticleEdit, EditOutcome, EditVerb, Published, PublisherStore
from recsys.store.reader_ids import is_made_here, new_reader_id
from recsys.store.records import (
    MAX_IDENTIFIER,
    Article,
    ArticlePatch,
    DatedClick,
    Event,
    Evidence,
    Kind,
    Merged,
    PastEvent,
    ReaderPast,
    StoredArticle,
    StoredEvent,
    Written,
    clean_text,
    compact_json,
    identifier,
    normal_id,
)
from recsys.store.runs import Place, Run, RunStore
from recsys.store.schedules import Schedule, ScheduleStore
from recsys.store.shown_lists import ShownCard, ShownList, ShownListStore
from recsys.store.stories import StoryDecision, StoryName, StoryStore
from recsys.store.tokens import ROLES, AccessToken, ListedToken, Scope, TokenStore, at_least

__all__ = [
    "LEFT_OUT",
    "MAX_IDENTIFIER",
    "ROLES",
    "AccessToken",
    "Actor",
    "Article",
    "ArticleEdit",
    "ArticlePatch",
    "AuditEntry",
    "DatedClick",
    "Decided",
    "Decision",
    "DecisionKind",
    "EditOutcome",
    "EditVerb",
    "Event",
    "EventWriter",
    "Evidence",
    "ExperimentArm",
    "Exposure",
    "Forgotten",
    "Kind",
    "KindKept",
    "ListedToken",
    "LiveRelease",
    "Merged",
    "Outcome",
    "PastEvent",
    "Person",
    "Place",
    "Published",
    "ReaderChoices",
    "ReaderOutcome",
    "ReaderPast",
    "Run",
    "Schedule",
    "Scope",
    "ShownCard",
    "ShownList",
    "SignedIn",
    "Store",
    "StoredArticle",
    "StoredEvent",
    "StoredExperiment",
    "StoryDecision",
    "StoryName",
    "TagChoice",
    "WordDecision",
    "Written",
    "at_least",
    "clean_text",
    "compact_json",
    "hashed_password",
    "identifier",
    "is_made_here",
    "is_password",
    "new_reader_id",
    "normal_id",
    "reader_digest",
]


class Store(
    ArticleStore,
    AuditStore,
    OperatorStore,
    EditorialStore,
    StoryStore,
    FilingStore,
    NewWordStore,
    PublisherStore,
    EventStore,
    ShownListStore,
    LiveReleaseStore,
    ReaderStore,
    ChoiceStore,
    ExperimentStore,
    RunStore,
    ScheduleStore,
    TokenStore,
    PeopleStore,
):
    """The database. Safe to use from several threads; a child process opens its own."""

    @classmethod
    def open(cls, url: str, config: StoreConfig = StoreConfig(), cache_mib: int = CACHE_MIB) -> Self:  # noqa: B008
        """Open a database, make it if it was never there, and bring its schema up to date.

        Args:
            url: ``sqlite:///relative.db``, ``sqlite:////absolute.db`` or ``postgresql://user:password@host/name``.
            config: how it is opened; frozen, so that it can be a default.
            cache_mib: MiB of SQLite pages that each connection keeps in memory at most.

        Raises:
            ConfigError: the URL is not one of SQLite or PostgreSQL.
            StoreError: the database cannot be reached, belongs to a later version, or was there and is lost.
        """
        store = cls.named(url, config, cache_mib)
        with store.reading():
            return store

    @classmethod
    def named(cls, url: str, config: StoreConfig = StoreConfig(), cache_mib: int = CACHE_MIB) -> Self:  # noqa: B008
        """A database that is opened when it is first in reach; see ``open``.

        Until then everything that asks it raises a ``StoreError``.

        Raises:
            ConfigError: the URL is not one of SQLite or PostgreSQL.
        """
        check_address(url)
        return cls(lambda: opened_engine(url, config, cache_mib))
