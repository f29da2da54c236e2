"""``python -m jobs simulate``: fill the store with the demo newsroom.

Reads nothing; stores the demo articles and, in one transaction, the events of simulated readers who visited until now.
Run again it changes nothing, so that ``make run`` can be repeated.
"""

import time

import numpy as np

from jobs.runner import Context, open_store
from jobs.terminal import log, peak_mib, reset_peak_memory
from recsys import demo
from recsys.errors import InputError
from recsys.simulate import simulated_world, visits
from recsys.store import Store
from recsys.units import DAY_MS, now_ms


def command(context: Context) -> None:
    """Store the demo articles and the simulated events.

    Raises:
        InputError: the store holds articles of a real site.
    """
    store = open_store(context.settings)
    try:
        site = context.settings.site.id
        if store.last_seq(site) > 0:
            log.info("nothing simulated", job="simulate", reason="the store already holds events", site=site)
            return
        _fill(store, context, now_ms())
    finally:
        store.close()


def _fill(store: Store, context: Context, now: int) -> None:
    config, site = context.settings.simulate, context.settings.site.id
    rng = np.random.default_rng(context.seed)
    log.info("start", job="simulate", seed=context.seed, readers=config.readers, days=config.days)
    reset_peak_memory()
    began = time.monotonic()
    articles = demo.articles(site, now, config.days + 1, rng)
    ours = {article.id for article in articles}
    if any(stored.id not in ours for stored in store.articles(site)):
        raise InputError(
            "an empty store", f"articles of the site {site!r}", "Point RECSYS_DATA_DIR at a new folder for the demo."
        )
    world = simulated_world(articles, demo.truth(), config, rng)
    stream = visits(world, config, now - config.days * DAY_MS, now, rng)
    events = [event for visit in context.track(stream, None, "visits") for event in visit]
    store.put_articles(articles)
    written = store.add_events(events)
    log.info(
        "done",
        job="simulate",
        articles=len(articles),
        events=written.stored,
        seconds=round(time.monotonic() - began, 2),
        peak_mib=peak_mib(),
    )
