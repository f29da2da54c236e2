"""Schemas of the calls on tokens."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from recsys.store import ListedToken, Scope
from web.api.schemas import Id

Role = Annotated[Scope, Field(description="docs/roles.md lists what each may do; write is a publisher's key")]


class TokenIn(BaseModel):
    """A token to make."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"name": "desk", "role": "editor", "expires": "90d"}}
    )

    name: Id = Field(description="who will hold it")
    role: Role
    expires: int | float | str | None = Field(
        None, description="the end: a span such as 90d, an epoch number or ISO 8601; null: it is valid until revoked"
    )
    every_site: bool = Field(False, description="for every site of this database, which an owner of every site may say")


class TokenFields(BaseModel):
    """A token, without its secret."""

    name: str
    role: Role
    site: str | None = Field(description="the only site that it is for; null: every site")
    expires_at: int | None = Field(description="ms UTC; null: it is valid until revoked")


class TokenMade(TokenFields):
    """A token that was made."""

    token: str = Field(description="the secret, which is shown this once")


class TokenOut(TokenFields):
    """A token as it is listed."""

    valid: bool = Field(description="neither revoked nor expired")
    created_at: int = Field(description="ms UTC")
    last_used_at: int | None = Field(description="ms UTC, to the minute; null: never")
    revoked_at: int | None

    @classmethod
    def of(cls, token: ListedToken, now: int) -> Self:
        """A token of the store at a moment, int ms UTC."""
        facts = token._asdict()
        valid = token.revoked_at is None and (token.expires_at is None or now < token.expires_at)
        return cls(role=facts.pop("scope"), valid=valid, **facts)


class Tokens(BaseModel):
    """All tokens of a site, in the order of their names."""

    tokens: list[TokenOut]
