"""``python -m jobs hide|show|delete|forget|reader|audit``: what an operator does to one article or one reader.

Reads and writes the store, and for a forgotten reader the Parquet log and the rejected rows; every worker follows
within a second. Each verb is written to the audit with who did it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import typer

from jobs.runner import Context, open_store
from jobs.runs import exclusive_run
from jobs.terminal import log, who
from recsys.errors import BadReader, Busy
from recsys.events.personal import PersonalDataStores, clear_log, forget, forgotten_state, personal_data_of
from recsys.store import Outcome, normal_id

SAYS = {
    Outcome.LIFTED: "It was deleted: its text is gone, and the next import or call that has it brings it back.",
    Outcome.DELETED: "No import brings it back. What readers did with it stays theirs; `show` lifts the tombstone.",
    Outcome.HIDDEN: "It stays stored. It is shown again by `show`, or by an import that newly says hidden: false.",
}


def change_article(context: Context, verb: str, id: str) -> None:
    """Hide, show or delete an article.

    Args:
        context: the invocation.
        verb: ``hide``, ``show`` or ``delete``.
        id: the article.

    Raises:
        UnknownArticle: there is none by that id.
    """
    with _stores(context) as stores:
        outcome = getattr(stores.database, f"{verb}_article")(stores.site, identified(id, "an article"), who())
    facts = {"note": SAYS[outcome]} if outcome in SAYS else {}
    log.info(outcome.value, job=verb, article=id, site=context.settings.site.id, **facts)


def forget_reader(context: Context, reader: str) -> None:
    """Forget a reader: store and rejects at once, the log too unless a run holds it; print how far it is, as JSON.

    Raises:
        UnknownReader: nothing was ever kept of them.
    """
    reader = identified(reader, "a reader")
    with _stores(context) as stores:
        removed = forget(stores, reader, who())
        try:
            with exclusive_run(context, "forget", None):
                from_log = clear_log(stores.log, stores.database, stores.site)
        except Busy as busy:
            log.warning("log not cleared yet", job="forget", because=busy.got, remedy="The next run clears it.")
            from_log = 0
        state = forgotten_state(stores, reader) or {}
    log.info("forgotten", job="forget", events=removed, from_log=from_log, everything=state["done"])
    facts = {"reader": reader, "events": removed, "from_log": from_log} | state
    typer.echo(json.dumps(facts, ensure_ascii=False, indent=2))


def show_reader(context: Context, reader: str, *, whole: bool) -> None:
    """Print what is kept of a reader, as JSON.

    Raises:
        UnknownReader: nothing was ever kept of them.
    """
    with _stores(context) as stores:
        kept = personal_data_of(stores, identified(reader, "a reader"), whole=whole)
    typer.echo(json.dumps(kept, ensure_ascii=False, indent=2))


def show_audit(context: Context, limit: int) -> None:
    """Print the last lines of the audit, newest first."""
    with _stores(context) as stores:
        entries = stores.database.audit(stores.site, limit)
    if not entries:
        log.info("nothing yet", job="audit", site=context.settings.site.id)
    for entry in entries:
        details = " ".join(f"{name}={value!r}" for name, value in entry.details.items())
        time = datetime.fromtimestamp(entry.time / 1000, UTC)
        typer.echo(f"{time:%Y-%m-%d %H:%M:%S}  {entry.actor:20}  {entry.verb:7}  {entry.object}  {details}".rstrip())


@contextmanager
def _stores(context: Context) -> Iterator[PersonalDataStores]:
    settings, store = context.settings, open_store(context.settings)
    try:
        yield PersonalDataStores.below(settings.data_dir, store, settings.site.id, context.releases)
    finally:
        store.close()


def identified(text: str, what: str) -> str:
    """An identifier as every door reads it.

    Raises:
        BadReader: it is none.
    """
    id = normal_id(text)
    if id is None:
        raise BadReader(f"an id of {what}", repr(text), "Give the id as it was imported.")
    return id
