"""Every section joined into one configuration, read once at the start of a process.

Reads the environment and ``config.yaml``; produces ``Settings``. The last room: it knows every section, and no room
knows it.
"""

import os
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import yaml
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, YamlConfigSettingsSource

from recsys.articles.config import ArticlesConfig
from recsys.categories.config import CategoriesConfig
from recsys.config import ENV_NESTING, ENV_PREFIX, Section, as_config_error, unknown_environment
from recsys.ctr.config import CtrConfig
from recsys.errors import ConfigError
from recsys.evaluate import EvaluateConfig
from recsys.events.config import EventsConfig
from recsys.features.config import FeaturesConfig
from recsys.imports.config import ImportsConfig
from recsys.index import IndexConfig
from recsys.items.config import ItemsConfig
from recsys.keywords.config import KeywordsConfig
from recsys.languages import language_code
from recsys.readers.config import ReadersConfig
from recsys.recommend.config import RecommendConfig
from recsys.releases import ReleasesConfig
from recsys.report.config import ReportConfig
from recsys.simulate import SimulateConfig
from recsys.store.config import StoreConfig
from recsys.tokens.config import TokensConfig
from recsys.trends.config import TrendsConfig
from recsys.words.config import WordsConfig

CONFIG_VARIABLE = "RECSYS_CONFIG"
DEFAULT_FILE = Path("config.yaml")


class SiteConfig(Section):
    """The one news site that this installation serves."""

    id: str = Field(
        "default",
        min_length=1,
        max_length=64,
        description="name: the site whose articles and events this installation works on",
    )
    name: str = Field(
        "The Morning Vector",
        description="text: the masthead of the demo site and the title of the report",
    )
    timezone: str = Field(
        "Asia/Shanghai",
        description='IANA zone: decides when "today" begins for the list of most clicked articles (今日点击)',
    )
    language: str = Field(
        "zh",
        description=(
            "language code, such as zh, en, da or pt-BR: of articles that name none, and listed first; pages are "
            "Chinese on a Chinese site, English elsewhere"
        ),
    )
    base_url: str = Field(
        "",
        pattern=r"^(https?://[^\s/]+(/\S*)?)?$",
        description=(
            "address: relative addresses of an import are taken as below it, such as https://example.org; empty: they "
            "are left out"
        ),
    )

    @field_validator("language")
    @classmethod
    def _known_language(cls, tag: str) -> str:
        code = language_code(tag)
        if code is None:
            raise ValueError("a language code such as zh, en-GB or dan")
        return code

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("an IANA time zone such as Europe/Berlin")
        return name


class JobsConfig(Section):
    """Settings that all jobs share."""

    seed: int = Field(
        1,
        ge=0,
        description=(
            "integer: of all randomness; with workers at 1 the same seed and input give the same bytes; --seed "
            "overrides it for one run"
        ),
    )
    workers: int = Field(
        1,
        ge=1,
        le=256,
        description="threads: one gives the same bytes every time; more are faster and cannot promise that",
    )


class WebConfig(Section):
    """Settings of the web service."""

    host: str = Field(
        "127.0.0.1",
        description="address to listen on: this machine only; 0.0.0.0 behind a proxy or in a container",
    )
    port: int = Field(8080, ge=0, le=65535, description="TCP port that the service listens on")
    workers: int = Field(
        2,
        ge=1,
        le=64,
        description="processes: one per core; at least two, so that one can die and come back unnoticed",
    )
    threads: int = Field(
        4,
        ge=1,
        le=64,
        description="threads per worker: requests that wait for the database do not hold up the others",
    )
    poll_seconds: float = Field(
        0.5,
        gt=0,
        le=60,
        description="seconds: how often a worker looks for events, articles and releases; all see them within 1 s",
    )
    max_articles: int = Field(
        200_000,
        ge=1,
        description="articles: the newest so many are served; bounds memory and start-up time",
    )
    max_readers: int = Field(
        20_000,
        ge=1,
        description="readers (and as many sessions) held in memory per worker; others are read from the database",
    )
    max_catch_up: int = Field(
        200_000,
        ge=0,
        description="events: how far a starting worker goes back for its counts; some 5 s of work",
    )
    max_body_bytes: int = Field(
        65_536,
        ge=1024,
        description="bytes: the largest request body; 64 KiB is what browsers' sendBeacon sends at most",
    )


class Settings(BaseSettings):
    """The whole configuration."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENV_PREFIX, env_nested_delimiter=ENV_NESTING, validate_default=True
    )

    data_dir: Path = Field(Path("data"), description="folder: everything that is written goes below it")
    site: SiteConfig = SiteConfig()
    store: StoreConfig = StoreConfig()
    releases: ReleasesConfig = ReleasesConfig()
    imports: ImportsConfig = ImportsConfig()
    events: EventsConfig = EventsConfig()
    tokens: TokensConfig = TokensConfig()
    words: WordsConfig = WordsConfig()
    keywords: KeywordsConfig = KeywordsConfig()
    articles: ArticlesConfig = ArticlesConfig()
    categories: CategoriesConfig = CategoriesConfig()
    items: ItemsConfig = ItemsConfig()
    readers: ReadersConfig = ReadersConfig()
    trends: TrendsConfig = TrendsConfig()
    features: FeaturesConfig = FeaturesConfig()
    ctr: CtrConfig = CtrConfig()
    index: IndexConfig = IndexConfig()
    recommend: RecommendConfig = RecommendConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    report: ReportConfig = ReportConfig()
    simulate: SimulateConfig = SimulateConfig()
    jobs: JobsConfig = JobsConfig()
    web: WebConfig = WebConfig()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the values passed in, which are the file's."""
        return env_settings, init_settings

    @property
    def database_url(self) -> str:
        """``store.url``, or the SQLite file inside ``data_dir`` when it is empty."""
        return self.store.url or f"sqlite:///{(self.data_dir / 'store.db').resolve()}"


def config_file(path: Path | None) -> Path | None:
    """The file to read: the one named, else ``$RECSYS_CONFIG``, else ``config.yaml`` here when there is one."""
    named = path or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
    if named is None:
        return DEFAULT_FILE if DEFAULT_FILE.is_file() else None
    if not named.is_file():
        raise ConfigError("a configuration file", f"no file at {named}", "Check --config or RECSYS_CONFIG.")
    return named


def load_settings(path: Path | None = None) -> Settings:
    """Read and check the whole configuration.

    Args:
        path: a YAML file; see ``config_file`` for what is read without one.

    Returns:
        The frozen settings, environment over file over defaults.

    Raises:
        ConfigError: a key is unknown, a value is not valid, or the file is not YAML.
    """
    file = config_file(path)
    source = f"{file} or the environment" if file else "the environment"
    if problem := unknown_environment(os.environ, Settings, also=[CONFIG_VARIABLE]):
        raise problem
    try:
        values: dict[str, Any] = YamlConfigSettingsSource(Settings, yaml_file=file)() if file else {}
        return Settings(**values)
    except ValidationError as error:
        raise as_config_error(error, Settings, source) from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, TypeError) as error:
        raise ConfigError(f"a YAML mapping of sections in {source}", str(error), "Compare with config.yaml.") from None
