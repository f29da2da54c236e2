"""Bodies and addresses of requests, read strictly: type, character set, size, identifier.

Reads the request that is handled; produces the body's bytes or JSON, the identifier of an address, or a refusal.
"""

from collections.abc import Collection
from typing import Any

from flask import request
from pydantic_core import from_json
from werkzeug.exceptions import RequestEntityTooLarge

from recsys.store import normal_id
from web.api.problem_details import Refused

JSON_TYPES = ("application/json", "text/plain", "")  # text/plain: what navigator.sendBeacon sends without a preflight


def json_body() -> Any:
    """The body as JSON, strictly.

    Raises:
        Refused: another content type or character set, or no JSON.
        RequestEntityTooLarge: it is larger than this request may be.
    """
    body = whole_body(JSON_TYPES, "application/json")
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Refused(400, "malformed-json", f"Expected JSON in UTF-8; {error}.", "Send valid JSON.") from None


def whole_body(types: Collection[str], expected: str) -> bytes:
    """The body as it came.

    Args:
        types: of content that are taken.
        expected: the one that a refusal names.

    Raises:
        Refused: 415, another content type or character set, or it is compressed.
        RequestEntityTooLarge: it is larger than this request may be.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", ""):
        raise Refused(
            415,
            "unsupported-media-type",
            f"Expected a body that is not compressed; got {encoding!r:.40}.",
            "Send it plain.",
        )
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in types or charset not in ("utf-8", "utf8"):
        got = request.content_type or "none"
        raise Refused(
            415,
            "unsupported-media-type",
            f"Expected {expected} in UTF-8; got {got!r:.100}.",
            f"Send {expected} in UTF-8.",
        )
    body = request.get_data(cache=False)
    if request.content_length is None and len(body) >= (request.max_content_length or 0):
        raise RequestEntityTooLarge  # a chunked body is cut off at the limit without a word
    return body


def id_of_address(text: str) -> str:
    """The identifier in an address, as every door reads it.

    Raises:
        Refused: 422, it stands for nothing.
        BadReader: it can be none.
    """
    id = normal_id(text, "id")
    if id is None:
        raise Refused(422, "invalid", f"Expected an id; got {text!r:.80}.", "Send the id as it was imported.")
    return id
