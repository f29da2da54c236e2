"""The configuration's sections: one frozen, validated class per room, in the room's ``config.py``.

``recsys.settings`` joins them into one and reads files and environment.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One room's settings: frozen, unknown keys refused, every field with its unit and reason as description."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def masked(url: str) -> str:
    """A database URL with its password replaced by ``***``, safe for logs."""
    head, at, tail = url.rpartition("@")
    if not at or ":" not in head.split("//", 1)[-1]:
        return url
    return head.rsplit(":", 1)[0] + ":***@" + tail


def plain(section: BaseModel) -> dict[str, Any]:
    """A section as JSON-ready values, for fingerprints and manifests."""
    return section.model_dump(mode="json")
