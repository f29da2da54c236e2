"""Settings of the site, of the jobs and of the web service, which no single room owns."""

from typing import Literal
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, field_validator

from recsys.config import Section
from recsys.languages import language_code


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
    schedules: dict[str, str] = Field(
        {"all": "30 3 * * *"},
        description=(
            "job -> five fields of cron (minute, hour, day of the month, month, day of the week), in site.timezone: "
            "when `python -m jobs worker` runs it; further ones by command or API"
        ),
    )
    max_hours: float = Field(
        12.0, ge=0, description="hours: a run that a worker started is ended when it takes longer; 0 for no limit"
    )
    max_memory_gib: float = Field(
        0.0, ge=0, description="GiB: a run that a worker started is ended when it takes more; 0 for no limit"
    )


class OidcProvider(Section):
    """An OpenID Connect provider that people sign in with."""

    issuer: str = Field(
        pattern=r"^(https://|http://(127\.0\.0\.1|localhost)(:|/|$)).*",
        description="address as its tokens name it, such as https://login.example.org; http on this machine alone",
    )
    client_id: str = Field(min_length=1, description="name of this service at the provider")
    client_secret: SecretStr = Field(
        SecretStr(""), description="its secret there; empty: it has none, PKCE alone proves it"
    )
    scope: str = Field("openid email profile", description="what the provider is asked for, words with spaces between")
    claim: str = Field(
        "email",
        min_length=1,
        description="claim that is the name of the account here; email counts only where the provider has verified it",
    )
    roles_claim: str = Field(
        "groups", min_length=1, description="claim whose values give roles: a text or a list of texts"
    )
    roles: dict[str, Literal["viewer", "editor", "operator", "owner"]] = Field(
        {}, description="value of that claim -> role here; of several the highest; empty: only accounts that were made"
    )


class WebConfig(Section):
    """Settings of the web service."""

    host: str = Field(
        "127.0.0.1",
        description="address to listen on: this machine only; 0.0.0.0 behind a proxy or in a container",
    )
    port: int = Field(8080, ge=1, le=65535, description="TCP port that the service listens on")
    workers: int = Field(
        2,
        ge=1,
        le=64,
        description="processes: one per core; at least two, so that one can die and come back unnoticed",
    )
    threads: int = Field(
        12,
        ge=1,
        le=64,
        description=(
            "threads per worker that may wait for the database at once: beacons that wait together are written together"
        ),
    )
    poll_seconds: float = Field(
        0.2,
        gt=0,
        le=60,
        description="seconds: how often a worker looks for events, articles and releases; all see them within 1 s",
    )
    oidc: OidcProvider | None = Field(
        None,
        description=(
            "sign-in to the console by an OpenID Connect provider: issuer, client_id, client_secret, scope, claim, "
            "roles_claim, roles (docs/roles.md); null: by passwords alone"
        ),
    )
    reader_tokens: Literal["optional", "required"] = Field(
        "optional",
        description=(
            "optional, required: whether readers with ids of the site's own need a signed token, without which whoever "
            "knows an id acts as that reader; those with ids made here always do"
        ),
    )
    max_readers: int = Field(
        20_000,
        ge=1,
        description="readers (and as many sessions) held in memory per worker; others are read from the database",
    )
    proxies: int = Field(
        0,
        ge=0,
        le=8,
        description=(
            "proxies between readers and the service, each of which adds to X-Forwarded-For: whose address is counted; "
            "0: none, or one on this machine"
        ),
    )
    address_events: int = Field(
        6_000,
        ge=0,
        description=(
            "events a minute: from one address to one worker, beyond which it is answered 429; 400 readers who look "
            "at lists at once send as many; 0: addresses are not looked at"
        ),
    )
