"""Identity: which reader a request is from, by the signed token that it bears, and what may be done without one.

Reads the header ``Reader-Token`` (of events: the body's ``reader_token``); produces a reader who is proven, or a
refusal. A reader whose identifier was made here is always protected; those of the site's own where the site says so
(``web.reader_tokens``).
"""

from typing import Any, NamedTuple

from flask import request

from recsys.serving.reader_tokens import Proof, TokenState
from recsys.store import Event, is_made_here
from web.access import actor, bears_token, check_bearer
from web.api.problem_details import Refused
from web.installation import Installation, installation
from web.roles import OPERATORS

HEADER = "Reader-Token"
FIELD = "reader_token"  # of events, which a page sends as it closes, without a header
WSGI_HEADER = "HTTP_READER_TOKEN"
MISSING = "missing"
READER_ACTOR = "the reader"  # in the audit
REMEDY = "POST /api/v1/readers gives a token for a new reader; a site signs those of its own (docs/readers-rights.md)."


class Asking(NamedTuple):
    """Whoever asks for a list.

    Attributes:
        reader: whose list it is to be; None: a stranger's.
        token: what became of the proof; None where none was needed.
    """

    reader: str | None
    token: str | None


def is_protected(here: Installation, reader: str) -> bool:
    """True for a reader of whom nothing is told, or taken in, without their token."""
    return here.settings.web.reader_tokens == "required" or is_made_here(reader)


def asking(here: Installation, reader: str | None, token: str | None) -> Asking:
    """The reader that a list is for.

    A token that proves nothing, or none where one is needed, gives a stranger's list and no error: somebody waits for
    something to read.

    Args:
        here: the installation.
        reader: who is named, perhaps.
        token: as it came.

    Raises:
        Refused: 403, the token is another reader's.
    """
    if token is not None:
        proof = here.reader_tokens.check(token.strip())
        if proof.reader is not None:
            return Asking(_agreed(reader, proof.reader), proof.state)
        state: str = proof.state
    else:
        state = MISSING
    if reader is None:
        return Asking(None, None if token is None else state)
    if is_protected(here, reader):
        return Asking(None, state)
    return Asking(reader, None if token is None else state)


def proven_in(here: Installation, body: Any, header: str | None) -> str | None:
    """The reader whom the token of some events proves, which is taken out of their body; None where it proves nobody.

    Args:
        here: the installation.
        body: of the request.
        header: of the request, which counts where the body has none.

    Raises:
        Refused: 422, it is no text.
    """
    given = body.pop(FIELD, None) if isinstance(body, dict) else None
    given = header if given is None else given
    if given is not None and not isinstance(given, str):
        raise Refused(422, "invalid", f"{FIELD}: Expected a text or null.", REMEDY)
    return None if given is None else here.reader_tokens.check(given).reader


def believed(here: Installation, event: Event, proven: str | None) -> Event:
    """The event as far as its sender may say it: one of a protected reader without their token is taken as of nobody.

    It is not left out, since what was opened was opened: it counts as anybody's click does, and changes no reader's
    list. Its session goes with the reader, or it would come back to them by that.
    """
    if event.reader is None or event.reader == proven or not is_protected(here, event.reader):
        return event
    return event._replace(reader=None, session=None)


def proven_reader() -> str:
    """The reader of this request's token.

    Raises:
        Refused: 401, there is no token, or it proves nothing.
    """
    proof = _proof()
    if proof is None or proof.reader is None:
        raise _unproven(None if proof is None else proof.state)
    return proof.reader


def check_reader(reader: str) -> str:
    """Let pass who is that reader, or an operator.

    Returns:
        Their name for the audit.

    Raises:
        Refused: 401, nobody is proven; 403, it is another reader, or the operator's token is for something else.
    """
    if bears_token():
        check_bearer(OPERATORS)
        return actor()
    _agreed(reader, proven_reader())
    return READER_ACTOR


def _proof() -> Proof | None:
    given = request.headers.get(HEADER)
    return None if given is None else installation().reader_tokens.check(given.strip())


def _agreed(named: str | None, proven: str) -> str:
    if named is not None and named != proven:
        raise Refused(
            403,
            "wrong-reader",
            "Expected the token of the reader that is named; got another reader's.",
            "Send that reader's own token, or name no reader: the token says who it is.",
        )
    return proven


def _unproven(state: TokenState | None) -> Refused:
    got = {
        None: "none",
        TokenState.EXPIRED: "one that has expired by the clock of this server",
        TokenState.INVALID: "one that is cut off, forged, of another site, or of a key that is not taken any more",
    }
    detail = f"Expected a valid token in the header {HEADER}; got {got[state]}."
    code = "no-reader-token" if state is None else f"{state}-reader-token"
    return Refused(401, code, detail, REMEDY, WWW_Authenticate=HEADER)
