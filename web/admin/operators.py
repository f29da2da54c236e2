"""The admin API's verbs: hide, show and delete articles, see and forget readers, and the audit of it.

Reads a bearer token, whose name is written to the audit; produces answers under ``/admin/api``. What a verb does is in
the answer of every worker within a second: this one follows at once.
"""

from zoneinfo import ZoneInfo

from apiflask import APIBlueprint

from recsys.errors import Busy, InputError
from recsys.events.personal import PersonalDataStores, forget, forgotten_state, personal_data_of
from recsys.store import Outcome, Run
from recsys.times import BadTime, read_time
from recsys.units import now_ms
from web.access import actor
from web.admin.handlers import never_stored
from web.admin.schemas import Audit, AuditOut, AuditQuery, Forgot, KeptQuery, ReaderKept, VerbDone
from web.api.bodies import id_of_address
from web.installation import Installation, installation

blueprint = APIBlueprint("operators", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


@blueprint.post("/articles/<path:article_id>/hide", merge_slashes=False)
@blueprint.output(VerbDone)
@blueprint.doc(security="bearer")
def hide(article_id: str) -> VerbDone:
    """Take an article out of every list and page, until it is shown again."""
    here = installation()
    return _done(here, article_id, here.store.hide_article(here.live.site, id_of_address(article_id), actor()))


@blueprint.post("/articles/<path:article_id>/show", merge_slashes=False)
@blueprint.output(VerbDone)
@blueprint.doc(security="bearer")
def show(article_id: str) -> VerbDone:
    """Show a hidden article; of a deleted one lift the tombstone, so that an import may bring it back."""
    here = installation()
    return _done(here, article_id, here.store.show_article(here.live.site, id_of_address(article_id), actor()))


@blueprint.delete("/articles/<path:article_id>", merge_slashes=False)
@blueprint.output(VerbDone)
@blueprint.doc(security="bearer")
def delete_article(article_id: str) -> VerbDone:
    """Delete an article for good: no import brings it back."""
    here = installation()
    return _done(here, article_id, here.store.delete_article(here.live.site, id_of_address(article_id), actor()))


@blueprint.get("/readers/<path:reader>", merge_slashes=False)
@blueprint.input(KeptQuery, location="query", arg_name="query")
@blueprint.output(ReaderKept)
@blueprint.doc(security="bearer")
def read_reader(reader: str, query: KeptQuery) -> ReaderKept:
    """Everything kept of a reader, and its places; after they were forgotten, how far that is."""
    return ReaderKept(**personal_data_of(_stores(installation()), id_of_address(reader), whole=query.all))


@blueprint.delete("/readers/<path:reader>", merge_slashes=False)
@blueprint.output(Forgot)
@blueprint.doc(security="bearer")
def forget_reader(reader: str) -> Forgot:
    """Remove everything of a reader: at once from store and workers, by a job from the log, then release by release."""
    here = installation()
    stores, reader = _stores(here), id_of_address(reader)
    removed = forget(stores, reader, actor())
    here.live.forget()
    try:
        run = here.store.queue_run(Run.asked(here.live.site, "events", {}, actor(), now_ms())).id
    except Busy:  # the next run clears the log
        run = None
    return Forgot(reader=reader, events=removed, run_id=run, **(forgotten_state(stores, reader) or {}))


@blueprint.get("/audit")
@blueprint.input(AuditQuery, location="query", arg_name="query")
@blueprint.output(Audit)
@blueprint.doc(security="bearer")
def audit(query: AuditQuery) -> Audit:
    """Every change, newest first: who made it, what was before and after, and from where."""
    here = installation()
    since = None if query.since is None else _moment(here, query.since)
    entries = here.store.audit(
        here.live.site, query.last, below=query.below, since=since, object=query.object, actor=query.actor
    )
    more = entries[-1].number if len(entries) == query.last else None
    return Audit(entries=[AuditOut(**entry._asdict()) for entry in entries], next=more)


def _moment(here: Installation, written: str) -> int:
    try:
        return read_time(written, zone=ZoneInfo(here.settings.site.timezone))
    except BadTime as error:
        raise InputError("the time from which on", str(error), "Send ms UTC, or ISO 8601.") from None


def _done(here: Installation, article_id: str, outcome: Outcome) -> VerbDone:
    here.live.take_down()
    return VerbDone(article=id_of_address(article_id), outcome=outcome)


def _stores(here: Installation) -> PersonalDataStores:
    return PersonalDataStores.below(here.settings.data_dir, here.store, here.live.site, here.releases)
