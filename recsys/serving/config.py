"""The sections of the configuration that serving reads.

``recsys.settings`` knows every section and lies downstream: it satisfies this protocol by its attributes.
"""

from pathlib import Path
from typing import Protocol

from recsys.articles.config import ArticlesConfig
from recsys.events.config import EventsConfig
from recsys.index.config import IndexConfig
from recsys.items.config import ItemsConfig
from recsys.keywords.config import KeywordsConfig
from recsys.readers.config import ReadersConfig
from recsys.recommend.config import RecommendConfig
from recsys.tokens.config import TokensConfig
from recsys.trends.config import TrendsConfig


class SiteSection(Protocol):
    """The site that is served."""

    @property
    def id(self) -> str:
        """Its identifier in the store."""

    @property
    def name(self) -> str:
        """Its name, which is the source of its own articles."""

    @property
    def language(self) -> str:
        """Its own language, a code."""

    @property
    def timezone(self) -> str:
        """Its time zone, an IANA name."""


class LimitsSection(Protocol):
    """Pace and bounds of the live state."""

    @property
    def poll_seconds(self) -> float:
        """Seconds between two looks at the store and the releases."""

    @property
    def max_readers(self) -> int:
        """Readers held in memory, and as many sessions."""


class ServingSettings(Protocol):
    """The configuration as far as serving reads it."""

    @property
    def data_dir(self) -> Path:
        """The folder of everything that is written."""

    @property
    def database_url(self) -> str:
        """The address of the store."""

    @property
    def site(self) -> SiteSection:
        """The site."""

    @property
    def web(self) -> LimitsSection:
        """Pace and bounds."""

    @property
    def events(self) -> EventsConfig:
        """Visits."""

    @property
    def tokens(self) -> TokensConfig:
        """Tokens."""

    @property
    def keywords(self) -> KeywordsConfig:
        """Keywords."""

    @property
    def articles(self) -> ArticlesConfig:
        """Article vectors."""

    @property
    def items(self) -> ItemsConfig:
        """Item vectors."""

    @property
    def readers(self) -> ReadersConfig:
        """Reader vectors."""

    @property
    def trends(self) -> TrendsConfig:
        """Live counts."""

    @property
    def index(self) -> IndexConfig:
        """Candidates of the index."""

    @property
    def recommend(self) -> RecommendConfig:
        """Lists."""
