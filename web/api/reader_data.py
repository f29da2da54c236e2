"""A reader's data: what is known of them, in short and in full.

Reads the store and the live state; produces an answer, and an export that is written while it is read.
"""

from collections.abc import Iterator
from typing import Any

from recsys.store import Kind, ReaderChoices, TagChoice
from recsys.tags import Tag
from recsys.tags.synonyms import with_synonyms
from recsys.units import DAY_MS, now_ms
from web.api.reader_schemas import ChosenTag, Known, KnownArticle, KnownTag, KnownTags
from web.api.serialisers import dumps, tag_out
from web.installation import Installation
from web.reader_texts import reader_says
from web.texts import said_in

RECENT = 20  # articles that an answer lists; the export has all


def known(here: Installation, reader: str, lang: str | None) -> Known:
    """Everything that is known of a reader, in short."""
    store, site = here.store, here.live.site
    lang = said_in(lang or here.settings.site.language)
    choices = store.choices_of(site, reader) or ReaderChoices(reader)
    kinds = store.kept_events(site, reader)
    numbers = {kind: kinds[kind.value].events if kind.value in kinds else 0 for kind in Kind}
    tags, _ = here.live.profile(reader, None)
    forgotten = store.forgotten_reader(site, reader)
    days = here.settings.events.keep_days
    last = max((kept.last for kept in kinds.values() if kept.last is not None), default=None)
    said = reader_says(lang, events=sum(numbers.values()), on=choices.personal, days=days)
    return Known(
        reader=reader,
        personalisation=choices.personal,
        since=store.reader_since(site, reader),
        kept_until=None if last is None or not days else last + days * DAY_MS,
        shown=numbers[Kind.IMPRESSION],
        clicks=numbers[Kind.CLICK],
        dismissed=numbers[Kind.DISMISS],
        dwells=numbers[Kind.DWELL],
        dwell_ms=store.dwell_ms_of(site, reader),
        recent=_articles(here, reader, Kind.CLICK),
        dismissed_articles=_articles(here, reader, Kind.DISMISS),
        tags=KnownTags(
            bar=[_known_tag(tag, lang, choices) for tag in tags.bar],
            stem=[_known_tag(tag, lang, choices) for tag in tags.stem],
        ),
        choices=chosen_tags(choices),
        forgotten_at=None if forgotten is None else forgotten.forgotten_at,
        says=said,
    )


def chosen_tags(choices: ReaderChoices) -> list[ChosenTag]:
    """The tags that a reader weakened or removed, as they are answered."""
    return [ChosenTag(tag=tag, name=choice.name, weight=choice.weight) for tag, choice in sorted(choices.tags.items())]


def exported(here: Installation, reader: str) -> Iterator[bytes]:
    """Everything that is stored of a reader as one JSON object, piece by piece: some hundred events at once."""
    store, site = here.store, here.live.site
    choices = store.choices_of(site, reader) or ReaderChoices(reader)
    head: dict[str, Any] = {
        "reader": reader,
        "site": site,
        "exported_at": now_ms(),
        "since": store.reader_since(site, reader),
        "personalisation": choices.personal,
        "choices": [tag.model_dump() for tag in chosen_tags(choices)],
    }
    yield dumps(head)[:-1].encode() + b',"events":['
    comma = b""
    for events in store.all_events_of(site, reader):
        yield comma + b",".join(dumps(event).encode() for event in events)
        comma = b","
    yield b"]}\n"


def _articles(here: Installation, reader: str, kind: Kind) -> list[KnownArticle]:
    rows = here.store.kept_articles(here.live.site, reader, kind, RECENT)
    return [KnownArticle(article=row["article"], title=row["title"], time=row["time"]) for row in rows]


def _known_tag(tag: Tag, lang: str, choices: ReaderChoices) -> KnownTag:
    names = with_synonyms(tag.name)
    made: list[TagChoice] = [choice for folded, choice in choices.tags.items() if folded in names]
    chosen = min((choice.weight for choice in made), default=1.0)
    return KnownTag(**tag_out(tag, lang).model_dump(), chosen=chosen)
