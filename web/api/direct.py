"""Direct answers: a plain request for a list -> its answer, without Flask.

Stands in front of the application, because routing, hooks and contexts cost more than the JSON of a list. Whatever is
not plain (another method, a query that is not valid, an error) goes on to Flask, whose handler makes the same answer.
"""

import re
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_plus

from pydantic import ValidationError

from recsys.recommend.context import Tier
from recsys.recommend.exploration import POLICY
from recsys.recommend.impressions import POLICIES, ImpressionFacts
from recsys.serving.live import Answer
from recsys.telemetry import TIERS, Stage
from recsys.units import SECOND_MS
from web.api.identity import WSGI_HEADER, asking
from web.api.problem_details import Refused
from web.api.schemas import MAX_RECENT, RecommendationsQuery, named, parts_of
from web.api.serialisers import document, items
from web.gateway.wsgi import CHEAP, ROUTE, Application
from web.installation import SECURING_HEADERS, Installation

_ID = (
    r"(?:[A-Za-z0-9_-]{13,64}|[A-Za-z_-]{0,8}[0-9]{1,12})"  # needs no check: no word for nothing is so long, or ends so
)
_PAIR = rf"(?:(?:reader|session|article)={_ID}|slot=[A-Za-z0-9_-]{{1,64}}|k=[1-9][0-9]{{0,3}})"
_PLAIN = re.compile(f"{_PAIR}(?:&{_PAIR})*")
LISTS = "/api/v1/recommendations"
_TIERS = {tier: TIERS.labels(tier.value) for tier in Tier}
OPEN_HEADERS = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}  # of every answer of the public API
_HEADERS = [("Content-Type", "application/json"), *OPEN_HEADERS.items(), *SECURING_HEADERS.items()]


class DirectLists:
    """WSGI application in front of another: answers plain requests for a list, and hands all others on."""

    def __init__(self, application: Application, here: Installation) -> None:
        self._application, self._here = application, here

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request; PEP 3333."""
        if environ["PATH_INFO"] == LISTS and environ["REQUEST_METHOD"] == "GET":
            query = plain_query(environ.get("QUERY_STRING", ""))
            body = None if query is None else self._answer(query, CHEAP in environ, environ.get(WSGI_HEADER))
            if body is not None:
                environ[ROUTE] = LISTS
                start_response("200 OK", [*_HEADERS, ("Content-Length", str(len(body)))])
                return [body]
        return self._application(environ, start_response)

    def _answer(self, query: RecommendationsQuery, cheap: bool, token: str | None) -> bytes | None:
        try:
            return recommended(self._here, query, cheap, token)
        except Exception:  # Flask's handler meets the same error, and says it
            return None


def plain_query(text: str) -> RecommendationsQuery | None:
    """A query that is valid and gives each name once; None for any other."""
    if not text.isascii():
        return None
    if _PLAIN.fullmatch(text) is not None:
        named: dict[str, Any] = dict(pair.split("=") for pair in text.split("&"))
        if len(named) == text.count("&") + 1:
            k = named.pop("k", None)
            return RecommendationsQuery.model_construct(k=None if k is None else int(k), **named)
    values: dict[str, str] = {}
    for pair in text.split("&") if text else ():
        name, _, value = pair.partition("=")
        if "%" in pair or "+" in pair:
            name, value = unquote_plus(name), unquote_plus(value)
        if name in values or "\ufffd" in value:
            return None
        values[name] = value
    try:
        return RecommendationsQuery.model_validate(values)
    except ValidationError:
        return None


def recommended(here: Installation, query: RecommendationsQuery, cheap: bool, token: str | None) -> bytes:
    """The answer of ``GET /api/v1/recommendations``.

    Args:
        here: the installation.
        query: checked.
        cheap: whether there is no time for the click model.
        token: of a reader, as it came.

    Raises:
        Refused: the list would be too long, or the token is another reader's.
    """
    who, began = asking(here, query.reader, token), time.monotonic()
    here.rates.made_list()
    if not cheap and (other := here.challenging.answer(who.reader, query, token)) is not None:
        return other
    answer = here.live.recommend(
        who.reader,
        query.session,
        article=query.article,
        k=list_length(here, query.k),
        lang=query.lang,
        slot=query.slot,
        exclude=named(query.exclude),
        recent=named(query.recent, MAX_RECENT),
        cheap=cheap,
    )
    made, home = answer.recommendation, here.settings.site.language
    listed = answer.catalogue.ids.of([card.row for card in made.cards])
    head = {
        "impression_id": here.tokens.make(_facts(answer), listed, who.reader, query.session, query.article),
        "tier": made.tier,
        "degraded": cheap,
        "release": made.release,
        "reader": who.reader,
        "token": who.token,
        "personalisation": answer.personal,
        "generated_at": answer.time,
    }
    manner = query.lang, parts_of(query.include or "")
    written = made.written.get(manner)
    if written is None:
        written = items(answer.catalogue, made.cards, query.lang, home, query.include)
        made.written[manner] = written
    body = document(head, written)
    made.clock.lap(Stage.JSON)
    made.clock.record()
    _TIERS[made.tier].inc()
    if not cheap and here.challenging.has_shadow:
        here.challenging.shadow(query, token, listed, (time.monotonic() - began) * 1000)
    return body


def _facts(answer: Answer) -> ImpressionFacts:
    """The facts of an answer that a log of lists is to know."""
    made = answer.recommendation
    if made.explored is None:
        return ImpressionFacts(answer.time // SECOND_MS, made.release)
    _, place, propensity = made.explored
    second = answer.time // SECOND_MS
    return ImpressionFacts(second, made.release, place=place, propensity=propensity, policy=POLICIES.index(POLICY))


def list_length(here: Installation, k: int | None) -> int:
    """The length of a list that is asked for, or the site's own.

    Raises:
        Refused: it is longer than any list may be.
    """
    config = here.settings.recommend
    if k is not None and k > config.max_k:
        raise Refused(422, "invalid", f"Expected k of at most {config.max_k}; got {k}.", "Ask for fewer.")
    return k or config.k
