"""The installation: what the handlers of one worker share, reached through the application and not through globals."""

from dataclasses import dataclass
from typing import cast

from flask import Response, current_app

from recsys.recommend.impressions import ImpressionTokens
from recsys.releases import Releases
from recsys.serving.live import LiveState
from recsys.serving.reader_tokens import ReaderTokens
from recsys.settings import Settings
from recsys.store import Store
from web.api.challenging import Challenging
from web.api.rates import EventRates
from web.attempts import Bounds
from web.last_use import LastUse

KEY = "installation"
SECURING_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


@dataclass(frozen=True)
class Installation:
    """One worker's settings, database, releases, live state, signing keys, use of tokens, bounds, and challenger."""

    settings: Settings
    store: Store
    releases: Releases
    live: LiveState
    tokens: ImpressionTokens
    last_use: LastUse
    bounds: Bounds
    reader_tokens: ReaderTokens
    rates: EventRates
    challenging: Challenging


def installation() -> Installation:
    """The one of the application that handles this request."""
    return cast(Installation, current_app.extensions[KEY])


def secured(response: Response) -> Response:
    """An answer with the headers that keep browsers from guessing, framing and leaking."""
    for name, value in SECURING_HEADERS.items():
        response.headers.setdefault(name, value)
    return response
