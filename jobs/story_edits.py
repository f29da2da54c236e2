"""``python -m jobs join|split|name-story``: what editors decide on stories, which holds in every night to come.

Reads the live release, what editors said since, and the store; writes the store. Every worker follows within a second.
Each decision is in the audit with who made it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from jobs.operators import identified
from jobs.runner import Context, open_store
from jobs.terminal import log, who
from recsys.catalogue import story_edits
from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.released import ReleasedCatalogue
from recsys.store import Store
from recsys.stories.editors_word import EditorsWord, pair_of


def join(context: Context, one: str, other: str) -> None:
    """Make two stories one, each by its id or that of any article of it."""
    one, other = identified(one, "an article"), identified(other, "an article")
    with _opened(context, one, other) as (store, catalogue):
        made = story_edits.join(store, context.settings.site.id, catalogue, one, other, who())
    log.info("as before" if made is None else "joined", job="join", story=one, joined=other)


def split(context: Context, articles: Sequence[str]) -> None:
    """Let articles leave their story, together."""
    leaving = [identified(id, "an article") for id in articles]
    with _opened(context, *leaving) as (store, catalogue):
        made = story_edits.split(store, context.settings.site.id, catalogue, leaving[0], leaving, who())
    log.info("split", job="split", articles=",".join(leaving), left=made.other)


def name(context: Context, of: str, called: str | None) -> None:
    """Call a story by a name, or take its name back."""
    site, of = context.settings.site.id, identified(of, "an article")
    with _opened(context, of) as (store, catalogue):
        if called is None:
            log.info(story_edits.unname(store, site, catalogue, of, who()).value, job="name-story", story=of)
            return
        named = story_edits.name(store, site, catalogue, of, called, who())
    log.info("named", job="name-story", story=of, name=named.name)


@contextmanager
def _opened(context: Context, *ids: str) -> Iterator[tuple[Store, Catalogue]]:
    """The store, and the stories of the live release with what editors said since; other articles stand alone."""
    store, site = open_store(context.settings), context.settings.site.id
    try:
        word, released = EditorsWord([], 0, []), ReleasedCatalogue.empty()
        if context.releases.current():
            release = context.releases.open()
            word = EditorsWord.load(release.path("stories"))
            released = ReleasedCatalogue.load(release.path("catalogue"))
        since = [pair_of(one) for one in store.story_decisions(site, changed_after=word.decided)]
        later = dict.fromkeys([*ids, *(id for pair in since for id in pair[:2])])
        there = {article.id for article in store.articles_named(site, list(later))}
        new = [id for id in later if id in there and id not in released.row_of]
        catalogue = Catalogue(new, released=released)
        catalogue.decide_stories(since)
        yield store, catalogue
    finally:
        store.close()
