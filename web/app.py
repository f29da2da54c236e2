"""The application of one worker: its state, its calls and its pages, put together.

Reads the settings, the store and the live release; produces a Flask application. Each worker makes its own, after it
was started: a FAISS index that was used must not cross a fork.
"""

import contextlib
import functools
from collections.abc import Callable

import faiss
from apiflask import APIFlask

from recsys import __version__
from recsys.compiled import compiling
from recsys.recommend.impressions import ImpressionTokens
from recsys.releases import Releases
from recsys.releases.sharing import SharedReleases, releases_of
from recsys.serving.live import LiveState
from recsys.serving.reader_tokens import ReaderTokens
from recsys.serving.release_mirror import ReleaseMirror
from recsys.serving.warmup import warm_up
from recsys.settings import Settings, load_settings
from recsys.store import Store
from web import access, metrics, request_ids
from web.admin import (
    catalogue_map,
    challenge,
    data,
    editorial,
    experiments,
    filing,
    forecast,
    front,
    operators,
    people,
    pipeline,
    runs,
    session,
    stories,
    story_reads,
    tokens,
    tracing,
    words,
)
from web.admin import handlers as admin
from web.api import docs, publisher, readers
from web.api import handlers as api
from web.api.challenging import Challenging
from web.api.direct import DirectLists
from web.api.direct_events import DirectEvents
from web.api.problem_details import register
from web.api.rates import EventRates
from web.attempts import Bounds
from web.background import in_background
from web.console import openid
from web.console import site as console
from web.demo import site
from web.demo.newsroom import LiveNewsroom
from web.figures import Figures
from web.forwarding import Forwarded
from web.gateway.limits import MAX_BODY_BYTES
from web.installation import KEY, Installation, secured
from web.last_use import LastUse
from web.outlook import EXTENSION as OUTLOOK
from web.outlook import OutlookCounter
from web.widget import handlers as widget

MIRROR = "mirror"  # the extension that follows the release that hosts share
CACHE_MIB = 8  # SQLite pages that each thread's connection keeps: the system keeps the file's for all of them together
DESCRIPTION = """Recommendations for a news site: "guess you like" (猜你喜欢).

Errors are application/problem+json with a stable code. Times are int milliseconds UTC since the epoch."""


def prepare(settings: Settings, doing: Callable[[str], None] = lambda _: None) -> None:
    """Load the machine code of serving, once in a process and those forked from it.

    Args:
        settings: the configuration.
        doing: is told what takes time.
    """
    faiss.omp_set_num_threads(1)  # one list is too small to share, and the workers share the cores already
    with compiling(doing):
        warm_up(settings)


def create_app(
    settings: Settings | None = None,
    doing: Callable[[str], None] = lambda _: None,
    release: str | None = None,
    succeed: Callable[[str | None, bool], None] | None = None,
    *,
    hurried: bool = False,
    pinned: bool = False,
) -> APIFlask:
    """Make one worker's application.

    Args:
        settings: the configuration; without it, ``load_settings`` reads it.
        doing: is told what takes time.
        release: of a successor, which lays out this one ("": none), in the background, or fails; see ``LiveState``.
        succeed: see ``LiveState``.
        hurried: of a successor, see ``in_background``.
        pinned: of a challenger, which stays with its release and asks no other.

    Raises:
        RecsysError: the configuration is not valid, or the release of a successor cannot be served.
    """
    settings = settings or load_settings()
    prepare(settings, doing)
    doing("laying out the release")
    app = APIFlask(__name__, title=settings.site.name, version=__version__, docs_path=None, json_errors=False)
    app.description = DESCRIPTION
    app.security_schemes = {"bearer": {"type": "http", "scheme": "bearer"}}
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["AUTO_SERVERS"] = False  # the address that a proxy shows is not ours to say
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    store = Store.named(settings.database_url, settings.store, CACHE_MIB)  # lists come from memory, with or without it
    releases = _releases(settings, store)
    mirror = None if pinned or not isinstance(releases, SharedReleases) else ReleaseMirror(releases)
    live = _live_state(settings, store, releases, release, hurried=hurried, pinned=pinned)
    live.succeed = succeed
    if pinned:
        live.has_beside(live.release)
    reader_tokens = ReaderTokens(settings.data_dir, settings.site.id)
    impressions = ImpressionTokens.of(settings.data_dir, settings.site.id)
    rates = EventRates(settings.web.address_events, settings.web.workers)
    challenging = Challenging(live, None if pinned else settings.data_dir)
    shared = (settings, store, releases, live, impressions, LastUse(store), Bounds(), reader_tokens, rates)
    here = Installation(*shared, challenging)
    app.extensions |= {KEY: here, "live": LiveNewsroom(here), "figures": Figures(store, live)}
    app.extensions[openid.EXTENSION] = None if pinned else openid.provider_of(settings)
    app.extensions |= {OUTLOOK: OutlookCounter(), MIRROR: mirror}
    register(app)
    docs.install(app, settings.recommend)
    admin_api = (
        admin,
        runs,
        pipeline,
        operators,
        editorial,
        filing,
        front,
        stories,
        story_reads,
        tracing,
        words,
        catalogue_map,
        data,
        tokens,
        people,
        session,
        experiments,
        challenge,
        forecast,
    )
    for part in (api, readers, publisher, *admin_api, docs, metrics, widget, site, console):
        app.register_blueprint(part.blueprint)
    request_ids.install(app)
    access.install(app)
    app.after_request(secured)
    app.after_request(metrics.name_route)
    direct = DirectLists(DirectEvents(app.wsgi_app, here), here)
    app.wsgi_app = Forwarded(direct, settings.web.proxies)  # type: ignore[method-assign]
    if release is not None:
        live.follow()
    live.start()
    if mirror is not None:
        mirror.start(settings.web.poll_seconds)
    return app


def _releases(settings: Settings, store: Store) -> Releases:
    """The releases of this host, which it may share with others."""
    folder = settings.data_dir / "releases"
    return releases_of(folder, settings.releases, settings.site.id, lambda: contextlib.nullcontext(store))


def _live_state(
    settings: Settings, store: Store, releases: Releases, release: str | None, *, hurried: bool, pinned: bool
) -> LiveState:
    """A worker's state; others answer while a successor lays its own out."""
    if release is None:
        return LiveState(settings, store, releases)
    made = functools.partial(LiveState, settings, store, releases, release=release, pinned=pinned)
    return in_background(made, hurried=hurried)


def close_app(app: APIFlask, *, succeeded: bool = False) -> None:
    """Stop an application's threads and close its database; ``succeeded``: see ``LiveState.close``."""
    here: Installation = app.extensions[KEY]
    if (mirror := app.extensions[MIRROR]) is not None:
        mirror.close()
    here.challenging.close()
    here.live.close(succeeded=succeeded)
    here.last_use.close()
    app.extensions["figures"].close()
    here.store.close()
