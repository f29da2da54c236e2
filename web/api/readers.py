"""A reader's rights: a token, what is known of them, export, choices and forgetting.

Reads the header ``Reader-Token``; produces JSON. Whoever knows an id and has no token gets nothing of that reader.
"""

from apiflask import APIBlueprint
from flask import Response, request

from recsys.errors import UnknownReader
from recsys.events.personal import PersonalDataStores, forget, forgotten_state
from recsys.serving.reader_tokens import DAY_SECONDS
from recsys.store import ReaderChoices, TagChoice, is_made_here, new_reader_id
from recsys.tags import fold
from recsys.units import DAY_MS, now_ms
from web.addresses import client_address
from web.api.bodies import id_of_address, json_body
from web.api.handlers import for_any_site
from web.api.identity import HEADER, READER_ACTOR, check_reader, proven_reader
from web.api.problem_details import Refused
from web.api.reader_data import chosen_tags, exported, known
from web.api.reader_schemas import (
    Choices,
    Forgotten,
    Known,
    KnownQuery,
    PersonalisationIn,
    PersonalisationOut,
    ReaderMade,
    TagWeightIn,
)
from web.api.schemas import Profile, ProfileQuery
from web.api.serialisers import tee
from web.attempts import Attempts, network_of
from web.gateway.wsgi import SPOOLED
from web.installation import Installation, installation
from web.reader_texts import forgotten_says, personalisation_says
from web.sessions import too_many
from web.texts import said_in

TOKEN_DAYS = 180  # of a token made here: who comes again in that time gets a new one, and after it nobody is known
MADE = Attempts(600, 0.1)  # tokens: many people may share an address, and nothing is stored of a token
CHANGED = Attempts(60, 1.0)  # choices and forgetting, which are stored
EXPORTED = Attempts(10, 6.0)

blueprint = APIBlueprint("reader", __name__, tag="reader")
blueprint.after_request(for_any_site)


@blueprint.post("/api/v1/readers")
@blueprint.output(ReaderMade, status_code=201)
def make_reader() -> ReaderMade:
    """A new reader and their token, or, with the token of one who was made here, a new token. Nothing is stored."""
    _count(MADE, "new readers")
    if request.get_data(cache=True, parse_form_data=False) and json_body() != {}:
        raise Refused(422, "invalid", "Expected an empty body or {}; got something in it.", "Send {}.")
    reader = proven_reader() if HEADER in request.headers else new_reader_id()
    if not is_made_here(reader):
        detail = "Expected the token of a reader who was made here; got one that the site signed."
        raise Refused(403, "not-made-here", detail, "The site's server signs a new one.")
    here = installation()
    token = here.reader_tokens.make(reader, TOKEN_DAYS * DAY_SECONDS)
    if token is None:
        detail = "Expected a key in the data folder; it cannot be written there, or was cut off."
        raise Refused(503, "no-reader-key", detail, "The operator looks at readers.key, or rotates it.")
    return ReaderMade(reader=reader, token=token, expires_at=now_ms() + TOKEN_DAYS * DAY_MS)


@blueprint.get("/api/v1/reader")
@blueprint.input(KnownQuery, location="query", arg_name="query")
@blueprint.output(Known)
def read_own(query: KnownQuery) -> Known:
    """Everything that is known of the reader of the token, in short."""
    return known(installation(), proven_reader(), query.lang)


@blueprint.get("/api/v1/reader/export")
@blueprint.doc(responses={200: "One JSON object with everything stored, events last."})
def export_own() -> Response:
    """Everything that is stored of the reader of the token, as one JSON object."""
    here, reader = installation(), proven_reader()
    _count(EXPORTED, "exports")
    request.environ[SPOOLED] = True
    response = Response(exported(here, reader), mimetype="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="your-data.json"'
    return response


@blueprint.delete("/api/v1/reader")
@blueprint.input(KnownQuery, location="query", arg_name="query")
@blueprint.output(Forgotten)
def forget_own(query: KnownQuery) -> Forgotten:
    """Forget the reader of the token: at once in the store and in every worker, from the log with the next run."""
    return _forget(installation(), proven_reader(), READER_ACTOR, query.lang)


@blueprint.put("/api/v1/reader/personalisation")
@blueprint.input(PersonalisationIn)
@blueprint.input(KnownQuery, location="query", arg_name="query")
@blueprint.output(PersonalisationOut)
def choose_personalisation(json_data: PersonalisationIn, query: KnownQuery) -> PersonalisationOut:
    """Switch personalisation on or off: off, lists are a stranger's and what is done is kept without the reader."""
    here, reader, on = installation(), proven_reader(), json_data.on
    _count(CHANGED, "changes")
    made = here.store.choose_personalisation(here.live.site, reader, on=on)
    here.live.follow_choices()
    kept = sum(kind.events for kind in here.store.kept_events(here.live.site, reader).values())
    lang = said_in(query.lang or here.settings.site.language)
    return PersonalisationOut(
        personalisation=made.personal,
        kept_events=kept,
        new_events="with the reader" if on else "without the reader",
        says=personalisation_says(lang, events=kept, on=on),
    )


@blueprint.put("/api/v1/reader/tags/<path:tag>", merge_slashes=False)
@blueprint.input(TagWeightIn)
@blueprint.output(Choices)
def choose_tag(tag: str, json_data: TagWeightIn) -> Choices:
    """Weaken a tag, or remove it: no list is made because of what was read of it."""
    return _choose(tag, TagChoice(tag.strip(), json_data.weight))


@blueprint.delete("/api/v1/reader/tags/<path:tag>", merge_slashes=False)
@blueprint.output(Choices)
def undo_tag(tag: str) -> Choices:
    """Undo the choice about a tag."""
    return _choose(tag, None)


@blueprint.get("/api/v1/readers/<path:reader>/tags", merge_slashes=False)
@blueprint.input(ProfileQuery, location="query", arg_name="query")
@blueprint.output(Profile)
def profile(reader: str, query: ProfileQuery) -> Profile:
    """The tags of a reader's last clicks, for that reader or an operator."""
    here, reader = installation(), id_of_address(reader)
    check_reader(reader)
    tags, clicks = here.live.profile(reader, query.session)
    return Profile(reader=reader, clicks=clicks, tags=tee(tags, said_in(query.lang or here.settings.site.language)))


@blueprint.get("/api/v1/readers/<path:reader>", merge_slashes=False)
@blueprint.input(KnownQuery, location="query", arg_name="query")
@blueprint.output(Known)
def read_reader(reader: str, query: KnownQuery) -> Known:
    """The same as ``GET /api/v1/reader``, for that reader or an operator."""
    reader = id_of_address(reader)
    check_reader(reader)
    return known(installation(), reader, query.lang)


@blueprint.delete("/api/v1/readers/<path:reader>", merge_slashes=False)
@blueprint.input(KnownQuery, location="query", arg_name="query")
@blueprint.output(Forgotten)
def forget_reader(reader: str, query: KnownQuery) -> Forgotten:
    """The same as ``DELETE /api/v1/reader``, for that reader or an operator."""
    reader = id_of_address(reader)
    return _forget(installation(), reader, check_reader(reader), query.lang)


def _choose(tag: str, choice: TagChoice | None) -> Choices:
    here, reader, folded = installation(), proven_reader(), fold(tag)
    if not folded:
        raise Refused(422, "invalid", f"Expected a tag; got {tag!r:.80}.", "GET /api/v1/reader lists them.")
    _count(CHANGED, "changes")
    made: ReaderChoices = here.store.choose_tag(here.live.site, reader, folded, choice)
    here.live.follow_choices()
    return Choices(choices=chosen_tags(made))


def _forget(here: Installation, reader: str, by: str, lang: str | None) -> Forgotten:
    _count(CHANGED, "changes")
    stores = PersonalDataStores.below(here.settings.data_dir, here.store, here.live.site, here.releases)
    try:
        events = forget(stores, reader, by)
    except UnknownReader:  # nothing was ever kept of them: then nothing is written of them now
        events = 0
    here.live.forget()
    state = forgotten_state(stores, reader)
    done = state is None or bool(state["done"])
    said = forgotten_says(said_in(lang or here.settings.site.language), done=done)
    return Forgotten(reader=reader, events=events, done=done, says=said)


def _count(attempts: Attempts, what: str) -> None:
    if wait := attempts.take(network_of(client_address())):
        raise too_many(wait, f"{what} from one address")
