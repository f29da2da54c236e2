"""Problems: the members of ``application/problem+json``, for every process that answers, with Flask or without it."""

import json
from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"


def problem_members(status: int, code: str, detail: str, remedy: str, **more: Any) -> dict[str, Any]:
    """Members of a problem.

    Args:
        status: HTTP status.
        code: stable, for programs.
        detail: what was expected and what came, for people.
        remedy: what to do about it.
        more: further members, such as ``request_id``.
    """
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "code": code}
    return body | {"detail": detail, "remedy": remedy, **more}


def problem_reply(
    status: int, code: str, detail: str, remedy: str, *, request_id: str = "", **headers: str
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body of a problem that is answered before Flask sees the request.

    Any page may read it (CORS), so that a widget can tell "later" from "never".
    """
    more = {"request_id": request_id} if request_id else {}
    body = (json.dumps(problem_members(status, code, detail, remedy, **more), ensure_ascii=False) + "\n").encode()
    plain = [
        ("Content-Type", MEDIA_TYPE),
        ("Cache-Control", "no-store"),
        ("Access-Control-Allow-Origin", "*"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    return status, plain + [(name.replace("_", "-"), value) for name, value in headers.items()], body
