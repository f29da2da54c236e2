"""The publisher's API: articles of a site, put, changed, hidden and deleted by whoever holds a write key of the site.

Reads a bearer token and objects that are checked as an import checks them; produces articles in the store, from which
every worker takes them over within a second. The audit names the key of each change.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from apiflask import APIBlueprint
from flask import Response, request
from pydantic_core import from_json

from recsys.errors import DeletedArticle, InputError, UnknownArticle
from recsys.imports import ParseOptions
from recsys.imports.objects import ObjectReader, ParsedEdit
from recsys.store import EditOutcome, Outcome, normal_id
from recsys.store.operators import Allows, any_version
from recsys.units import now_ms
from web.access import actor
from web.api.bodies import id_of_address, json_body, whole_body
from web.api.problem_details import CODES, Refused, code_of, said
from web.api.publisher_schemas import (
    MAX_BULK_ARTICLES,
    BulkAnswer,
    BulkLine,
    Edited,
    StoredFields,
    Switched,
)
from web.gateway.limits import MAX_ARTICLE_BYTES, MAX_BULK_BYTES
from web.installation import Installation, installation

LINES_TYPES = ("application/x-ndjson", "application/jsonl", "application/json", "text/plain")
AT_ONCE = 500  # edits per transaction: events of readers that wait to be written come in between
ONE = "/api/v1/articles/<path:article_id>"

blueprint = APIBlueprint("publisher", __name__, tag="publisher")
OWN = {"merge_slashes": False, "provide_automatic_options": False}  # no browser of another site is told it may write


@blueprint.before_request
def allow_large_bodies() -> None:
    """Let in bodies that are as large as articles are."""
    request.max_content_length = MAX_BULK_BYTES if request.endpoint == "publisher.bulk" else MAX_ARTICLE_BYTES


@blueprint.after_request
def not_cached(response: Response) -> Response:
    """No cache may keep what a key has read."""
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get(f"{ONE}/source", **OWN)
@blueprint.output(StoredFields)
@blueprint.doc(security="bearer")
def read_source(article_id: str) -> tuple[StoredFields, int, dict[str, str]]:
    """An article as its publisher put it, hidden or not; the ETag is its version, for If-Match."""
    here = installation()
    stored = here.store.article(here.live.site, id_of_address(article_id))
    if stored is None:
        raise UnknownArticle("an article that is there", f"{article_id!r:.300}", "Check the id.")
    fields = {name: getattr(stored, name) for name in StoredFields.model_fields if hasattr(stored, name)}
    source = StoredFields(**fields | {"entities": list(stored.entities), "version": stored.change})
    return source, 200, _etag(stored.change)


@blueprint.put(ONE, **OWN)
@blueprint.output(Edited)
@blueprint.doc(security="bearer")
def put_article(article_id: str) -> tuple[Edited, int, dict[str, str]]:
    """Put a whole article: 201 when it is new, 200 otherwise; fields that are not sent are emptied.

    The same again changes nothing. If-Match names the version that may be overwritten, If-None-Match: * allows only a
    new one; 412 answers with the version that is there. 410: it was deleted, and :show lifts that first.
    """
    here = installation()
    id, value = _named_object(article_id)
    return _edited(
        here, _reader(here).whole(value, _allows()), f"{request.script_root}/api/v1/articles/{quote(id, safe='')}"
    )


@blueprint.patch(ONE, **OWN)
@blueprint.output(Edited)
@blueprint.doc(security="bearer")
def patch_article(article_id: str) -> tuple[Edited, int, dict[str, str]]:
    """Change the fields that are sent, and no others; null empties one. 404: there is no such article to change."""
    here = installation()
    _, value = _named_object(article_id)
    return _edited(here, _reader(here).named(value, _allows()))


@blueprint.delete(ONE, **OWN)
@blueprint.output({}, status_code=204)
@blueprint.doc(security="bearer")
def delete_article(article_id: str) -> str:
    """Delete an article for good: 204, and 410 from then on. No import and no PUT brings it back before a :show."""
    here = installation()
    id = id_of_address(article_id)
    outcome = here.store.delete_article(here.live.site, id, actor(), _allows())
    here.live.take_down()
    if outcome is Outcome.UNCHANGED:
        raise DeletedArticle("an article that is there", f"{id!r:.300}, which is deleted", "Nothing is left to do.")
    return ""


@blueprint.post(f"{ONE}:hide", **OWN)
@blueprint.output(Switched)
@blueprint.doc(security="bearer")
def hide_article(article_id: str) -> Switched:
    """Take an article out of every list and page until it is shown again; no import brings it back before."""
    here = installation()
    outcome = here.store.hide_article(here.live.site, id_of_address(article_id), actor(), _allows())
    here.live.take_down()
    return Switched(article=id_of_address(article_id), outcome=outcome)


@blueprint.post(f"{ONE}:show", **OWN)
@blueprint.output(Switched)
@blueprint.doc(security="bearer")
def show_article(article_id: str) -> Switched:
    """Show a hidden article; of a deleted one lift the tombstone, so that a PUT or an import may bring it back."""
    here = installation()
    outcome = here.store.show_article(here.live.site, id_of_address(article_id), actor(), _allows())
    return Switched(article=id_of_address(article_id), outcome=outcome)


@blueprint.post("/api/v1/articles:bulk", **OWN)
@blueprint.output(BulkAnswer)
@blueprint.doc(security="bearer")
def bulk() -> BulkAnswer:
    """Put many whole articles, one JSON object with an id per line: an answer for each line, in their order.

    A line that is refused harms no other one. Lines are written some hundred at a time: when the database fails in
    the middle, what came before is stored, and the same body can be sent again.
    """
    here = installation()
    body = whole_body(LINES_TYPES, "application/x-ndjson").removeprefix(b"\xef\xbb\xbf")
    numbered = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    if not 0 < len(numbered) <= MAX_BULK_ARTICLES:
        raise Refused(
            422,
            "invalid" if not numbered else "too-many-articles",
            f"Expected 1 to {MAX_BULK_ARTICLES} lines with an article each; got {len(numbered)}.",
            "Send several requests." if numbered else "Send one JSON object per line.",
        )
    answers: list[BulkLine] = []
    lines, reader = iter(numbered), _reader(here)
    while some := list(islice(lines, AT_ONCE)):
        answers += _written(here, [(number, _parsed(reader, number, line)) for number, line in some])
    outcomes = [answer.outcome for answer in answers]
    counts = {outcome.value: outcomes.count(outcome) for outcome in EditOutcome}
    return BulkAnswer(**counts, refused=outcomes.count(None), lines=answers)


def _written(here: Installation, parsed: list[tuple[int, ParsedEdit | BulkLine]]) -> Iterator[BulkLine]:
    """Write some lines in one transaction; the answers come in their order."""
    edits = [edit.edit for _, edit in parsed if isinstance(edit, ParsedEdit)]
    written = iter(here.store.publish_articles(here.live.site, edits, actor()))
    for number, edit in parsed:
        if isinstance(edit, BulkLine):
            yield edit
            continue
        answer = next(written)
        if isinstance(answer, InputError):
            yield _refused(number, edit.edit.patch.id, answer)
            continue
        repaired = [*edit.repaired, *answer.repaired]
        yield BulkLine(
            line=number, article=answer.id, outcome=answer.outcome, version=answer.version, repaired=repaired
        )


def _refused(number: int, id: str | None, error: InputError, code: str | None = None) -> BulkLine:
    refusal: dict[str, Any] = {"code": code or code_of(error), "detail": said(error), "remedy": error.remedy}
    return BulkLine(line=number, article=id, outcome=None, version=None, **refusal)


def _parsed(reader: ObjectReader, number: int, line: bytes) -> ParsedEdit | BulkLine:
    """One line of a bulk as an edit, or why it is none."""
    if len(line) > MAX_ARTICLE_BYTES:
        error = InputError(f"an article of at most {MAX_ARTICLE_BYTES} bytes", f"{len(line)}", "Send a shorter text.")
        return _refused(number, None, error, CODES[413])
    try:
        value = from_json(line, allow_inf_nan=False)
    except ValueError as reason:
        error = InputError("JSON in UTF-8", str(reason), "Send one JSON object per line.")
        return _refused(number, None, error, "malformed-json")
    try:
        if not isinstance(value, dict):
            raise InputError("a JSON object", f"{value!r:.40}", "Send one article per line.")
        return reader.whole(value)
    except InputError as error:
        return _refused(number, None, error)


def _edited(here: Installation, parsed: ParsedEdit, created_at: str = "") -> tuple[Edited, int, dict[str, str]]:
    (answer,) = here.store.publish_articles(here.live.site, [parsed.edit], actor())
    if isinstance(answer, InputError):
        raise answer
    edited = Edited(
        article=answer.id,
        outcome=answer.outcome,
        version=answer.version,
        repaired=[*parsed.repaired, *answer.repaired],
    )
    if answer.outcome is EditOutcome.CREATED:
        return edited, 201, _etag(answer.version) | {"Location": created_at}
    return edited, 200, _etag(answer.version)


def _named_object(article_id: str) -> tuple[str, dict[str, Any]]:
    """The id of the address, and the body's object with it.

    Raises:
        Refused: the body is none, or names another id.
        BadReader: the id can be none.
    """
    id, value = id_of_address(article_id), json_body()
    if not isinstance(value, dict):
        raise Refused(422, "invalid", "Expected a JSON object.", "Send the article's fields; /docs describes them.")
    if normal_id(value.get("id", id), "id") != id:
        got = f"{value['id']!r:.80}"
        raise Refused(422, "invalid", f"Expected the id {id!r:.80}, as in the address; got {got}.", "Leave it out.")
    return id, value | {"id": id}


def _allows() -> Allows:
    """The versions that the request's conditions allow to be changed."""
    matches, none_matches = request.if_match, request.if_none_match
    if matches:
        return lambda version: version is not None and str(version) in matches
    if none_matches:
        return lambda version: version is None or str(version) not in none_matches
    return any_version


def _reader(here: Installation) -> ObjectReader:
    site = here.settings.site
    return ObjectReader(site.id, ParseOptions(zone=ZoneInfo(site.timezone), base_url=site.base_url), now_ms())


def _etag(version: int) -> dict[str, str]:
    return {"ETag": f'"{version}"'}
