"""The installation: what the handlers of one worker share, reached through the application and not through globals."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from recsys.releases import Releases
from recsys.serving.live import LiveState
from recsys.settings import Settings
from recsys.store import Store

KEY = "installation"


@dataclass(frozen=True)
class Installation:
    """One worker's settings, database, releases and live state."""

    settings: Settings
    store: Store
    releases: Releases
    live: LiveState


def installation() -> Installation:
    """The one of the application that handles this request."""
    return cast(Installation, current_app.extensions[KEY])
