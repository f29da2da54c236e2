"""Every section joined into one configuration, read once at the start of a process.

Reads the environment, ``site.yaml`` and ``config.yaml``; produces ``Settings``. The last room: it knows every section,
and no room knows it.

    config.py      the sections that no single room owns
    reference.py   every key with its default, unit and reason -> docs/settings.md and config.yaml
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from recsys.articles.config import ArticlesConfig
from recsys.categories.config import CategoriesConfig
from recsys.ctr.config import CtrConfig
from recsys.errors import ConfigError
from recsys.events.config import EventsConfig
from recsys.features.config import FeaturesConfig
from recsys.gate.config import GateConfig
from recsys.index.config import IndexConfig
from recsys.items.config import ItemsConfig
from recsys.keywords.config import KeywordsConfig
from recsys.logs.config import LogsConfig
from recsys.names import CONFIG_VARIABLE, ENV_NESTING, ENV_PREFIX, remedy_for, unknown_variable, variable_of
from recsys.readers.config import ReadersConfig
from recsys.recommend.config import RecommendConfig
from recsys.releases.config import ReleasesConfig
from recsys.settings.config import JobsConfig, SiteConfig, WebConfig
from recsys.simulate.config import SimulateConfig
from recsys.store.config import StoreConfig
from recsys.tokens.config import TokensConfig
from recsys.trends.config import TrendsConfig
from recsys.words.config import WordsConfig

CONFIG_FILE = Path("config.yaml")  # ships with the project: the keys that a site decides
SITE_FILE = Path("site.yaml")  # of this site alone; wins over it
_COMPARE = "Compare with config.yaml."


class Settings(BaseSettings):
    """The whole configuration."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENV_PREFIX, env_nested_delimiter=ENV_NESTING, validate_default=True
    )

    data_dir: Path = Field(Path("data"), description="folder: everything that is written goes below it")
    site: SiteConfig = SiteConfig()
    store: StoreConfig = StoreConfig()
    releases: ReleasesConfig = ReleasesConfig()
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
    gate: GateConfig = GateConfig()
    simulate: SimulateConfig = SimulateConfig()
    jobs: JobsConfig = JobsConfig()
    web: WebConfig = WebConfig()
    logs: LogsConfig = LogsConfig()

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
        return _Environment(settings_cls), init_settings

    @property
    def database_url(self) -> str:
        """``store.url``, or the SQLite file inside ``data_dir`` when it is empty."""
        return self.store.url or f"sqlite:///{(self.data_dir / 'store.db').resolve()}"


class _Environment(EnvSettingsSource):
    """The environment, in which lists and mappings are JSON; of what is none the check of its key says so."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


def config_files(path: Path | None) -> list[Path]:
    """Files to read, later ones over earlier ones.

    Args:
        path: a file that is read alone; None: ``$RECSYS_CONFIG`` alone, else ``config.yaml`` and ``site.yaml`` in the
            current folder, as far as they are there.

    Raises:
        ConfigError: the file that was named is not there.
    """
    named = path or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
    if named is None:
        return [file for file in (CONFIG_FILE, SITE_FILE) if file.is_file()]
    if not named.is_file():
        raise ConfigError("a configuration file", f"no file at {named}", "Check --config or RECSYS_CONFIG.")
    return [named]


def load_settings(path: Path | None = None) -> Settings:
    """Read and check the whole configuration.

    Args:
        path: a YAML file; see ``config_files`` for what is read without one.

    Returns:
        The frozen settings, environment over files over defaults.

    Raises:
        ConfigError: a key is unknown, a value is not valid, or a file is not YAML.
    """
    if error := unknown_variable(os.environ):
        raise error
    contents = {file: _mapping(file) for file in config_files(path)}
    values: dict[str, Any] = {}
    for content in contents.values():
        for key, value in content.items():
            both = isinstance(value, dict) and isinstance(values.get(key), dict)
            values[key] = values[key] | value if both else value
    try:
        return Settings(**values)
    except ValidationError as invalid:
        raise _as_config_error(invalid, contents) from None


def _mapping(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"a YAML mapping of sections in {file}", str(error), _COMPARE) from None
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ConfigError(f"a YAML mapping of sections in {file}", type(content).__name__, _COMPARE)
    return content


def _as_config_error(invalid: ValidationError, contents: Mapping[Path, dict[str, Any]]) -> ConfigError:
    """Pydantic's first complaint as a message that a stranger can act on."""
    first = invalid.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    source = _source(tuple(str(part) for part in first["loc"][:2]), contents)
    if first["type"] == "extra_forbidden":
        return ConfigError(f"only known keys in {source}", repr(key), remedy_for(key))
    said = first["msg"].removeprefix("Value error, ")
    return ConfigError(
        f"a valid value for {key!r} ({said[0].lower()}{said[1:]})",
        "keys that do not go together" if isinstance(first["input"], Mapping) else repr(first["input"]),
        f"Correct it in {source}; docs/settings.md gives its unit and reason.",
    )


def _source(parts: tuple[str, ...], contents: Mapping[Path, dict[str, Any]]) -> str:
    """The file or variable that a wrong value came from: the one that wins."""
    variable = variable_of(".".join(parts))
    if variable in {name.upper() for name in os.environ}:
        return f"the environment variable {variable}"
    for file in reversed(list(contents)):
        section = contents[file].get(parts[0])
        if section is not None and (len(parts) == 1 or not isinstance(section, dict) or parts[1] in section):
            return str(file)
    return "the environment"
