"""The configuration: one frozen, validated section per room.

Reads ``config.yaml`` and environment variables (``RECSYS_ITEMS__WINDOW=8``), the environment over the file; produces
``Section`` objects. A section's class stands in its room's ``config.py``; ``recsys.settings`` joins them into one.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from recsys.errors import ConfigError

ENV_PREFIX = "RECSYS_"
ENV_NESTING = "__"


class Section(BaseModel):
    """One room's settings: frozen, unknown keys refused, every field with its unit and reason as description."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def nearest(name: str, valid: Iterable[str]) -> str:
    """Say which valid name was most likely meant, or list them all.

    Returns:
        A sentence for the end of an error message.
    """
    names = sorted(valid)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else f"Valid names: {', '.join(names)}."


def section_fields(model: type[BaseModel], path: Iterable[str | int]) -> list[str]:
    """Names that were valid at ``path`` inside ``model``, for a suggestion."""
    for part in path:
        field = model.model_fields.get(str(part))
        if field is None or not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            return []
        model = field.annotation
    return list(model.model_fields)


def as_config_error(error: ValidationError, model: type[BaseModel], source: str) -> ConfigError:
    """Turn pydantic's first complaint into a message that a stranger can act on."""
    first = error.errors()[0]
    path = first["loc"]
    name = ".".join(str(part) for part in path)
    if first["type"] == "extra_forbidden":
        remedy = nearest(str(path[-1]), section_fields(model, path[:-1]))
        return ConfigError(f"only known keys in {source}", f"{name!r}", remedy)
    said = first["msg"].removeprefix("Value error, ")
    return ConfigError(
        f"a valid value for {name!r} ({said[0].lower()}{said[1:]})",
        "keys that do not go together" if isinstance(first["input"], Mapping) else f"{first['input']!r}",
        f"Correct it in {source}; its unit and reason: docs/settings.md.",
    )


def unknown_environment(environ: Mapping[str, str], model: type[BaseModel], also: Iterable[str]) -> ConfigError | None:
    """Find a ``RECSYS_…`` variable that sets nothing.

    Args:
        environ: the process environment.
        model: the joined settings.
        also: variables that are read elsewhere and are valid.

    Returns:
        An error that names the nearest valid variable, or None.
    """
    valid = set(also) | set(_variables(model, ENV_PREFIX))
    for name in sorted(environ):
        if name.startswith(ENV_PREFIX) and name.upper() not in valid:
            return ConfigError("only known RECSYS_… environment variables", f"{name!r}", nearest(name.upper(), valid))
    return None


def _variables(model: type[BaseModel], prefix: str) -> list[str]:
    names: list[str] = []
    for key, field in model.model_fields.items():
        names.append(prefix + key.upper())
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            names += _variables(field.annotation, prefix + key.upper() + ENV_NESTING)
    return names


def masked(url: str) -> str:
    """A database URL with its password replaced by ``***``, safe for logs."""
    head, at, tail = url.rpartition("@")
    if not at or ":" not in head.split("//", 1)[-1]:
        return url
    return head.rsplit(":", 1)[0] + ":***@" + tail


def plain(section: BaseModel) -> dict[str, Any]:
    """A section as JSON-ready values, for fingerprints and manifests."""
    return section.model_dump(mode="json")
