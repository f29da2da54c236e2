"""Roles: which callers each route is for, written once.

Every route of the admin API, of the console and of publishers, and every other one that changes something, stands in
``ALLOWED``; an application with a route that does not is refused at its start. ``python -m web.roles`` prints it, as
the end of ``docs/roles.md``.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from werkzeug.routing import Map

from recsys.store import ROLES, Scope, at_least

ADMIN, CONSOLE = "/admin", "/console"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
Allowed = frozenset[Scope]

VIEWERS, EDITORS, OPERATORS, OWNERS = (at_least(role) for role in ROLES)
ANYBODY: Allowed = frozenset()  # the route needs no token of these roles, and says itself whom it answers
ANY_HOLDER = VIEWERS | {Scope.WRITE}
PUBLISHERS = OPERATORS | {Scope.WRITE}

_ARTICLE = "/admin/api/articles/<path:article_id>"
_STORY = "/admin/api/stories/<path:story_id>"
_PUBLISHED = "/api/v1/articles/<path:article_id>"

ALLOWED: Mapping[str, Allowed] = {
    "POST /admin/api/jobs": OPERATORS,
    "POST /admin/api/imports": OPERATORS,
    "GET /admin/api/data": VIEWERS,
    "GET /admin/api/runs": VIEWERS,
    "GET /admin/api/runs/<string:run_id>": VIEWERS,
    "GET /admin/api/runs/<string:run_id>/log": VIEWERS,
    "DELETE /admin/api/runs/<string:run_id>": OPERATORS,
    "GET /admin/api/pipeline": VIEWERS,
    "GET /admin/api/schedules": VIEWERS,
    "PUT /admin/api/schedules/<string:name>": OPERATORS,
    "DELETE /admin/api/schedules/<string:name>": OPERATORS,
    "GET /admin/api/releases": VIEWERS,
    "GET /admin/api/releases:compare": VIEWERS,
    "GET /admin/api/words/nearest": VIEWERS,
    "GET /admin/api/words/new": VIEWERS,
    "PUT /admin/api/words/new/<string:language>/<path:entry>": EDITORS,
    "DELETE /admin/api/words/new/<string:language>/<path:entry>": EDITORS,
    "GET /admin/api/map": VIEWERS,
    "POST /admin/api/releases/<string:name>/activate": OPERATORS,
    "POST /admin/api/releases:rollback": OPERATORS,
    "GET /admin/api/challenge": VIEWERS,
    "POST /admin/api/challenge": OPERATORS,
    "DELETE /admin/api/challenge": OPERATORS,
    "GET /admin/api/experiments": VIEWERS,
    "POST /admin/api/experiments": OPERATORS,
    "GET /admin/api/experiments/<string:name>": VIEWERS,
    "GET /admin/api/experiments/<string:name>/looks": VIEWERS,
    "POST /admin/api/experiments/<string:name>/stop": OPERATORS,
    "GET /admin/api/forecast": VIEWERS,
    "GET /admin/api/editorial": VIEWERS,
    "GET /admin/api/front": VIEWERS,
    "GET /admin/api/articles": VIEWERS,
    "GET /admin/api/trace": EDITORS,  # it says what a reader has read
    "GET /admin/api/trace/shown": EDITORS,
    f"POST {_ARTICLE}/hide": EDITORS,
    f"POST {_ARTICLE}/show": EDITORS,
    f"POST {_ARTICLE}:pin": EDITORS,
    f"POST {_ARTICLE}:boost": EDITORS,
    f"POST {_ARTICLE}:bury": EDITORS,
    f"POST {_ARTICLE}:unpin": EDITORS,
    f"POST {_ARTICLE}:unboost": EDITORS,
    f"POST {_ARTICLE}:unbury": EDITORS,
    f"PUT {_ARTICLE}/category": EDITORS,
    f"DELETE {_ARTICLE}/category": EDITORS,
    f"PUT {_ARTICLE}/tags": EDITORS,
    f"DELETE {_ARTICLE}/tags": EDITORS,
    f"DELETE {_ARTICLE}": OPERATORS,
    "GET /admin/api/stories": VIEWERS,
    "GET /admin/api/stories/decisions": VIEWERS,
    f"GET {_STORY}": EDITORS,  # it names who changed it
    f"POST {_STORY}:join": EDITORS,
    f"POST {_STORY}:split": EDITORS,
    f"PUT {_STORY}/name": EDITORS,
    f"DELETE {_STORY}/name": EDITORS,
    "GET /admin/api/readers/<path:reader>": OPERATORS,
    "DELETE /admin/api/readers/<path:reader>": OPERATORS,
    "GET /admin/api/audit": OPERATORS,  # it names people and their addresses
    "POST /admin/api/session": ANYBODY,  # to sign in
    "GET /admin/api/session": ANY_HOLDER,
    "DELETE /admin/api/session": ANY_HOLDER,
    "GET /admin/api/tokens": OWNERS,
    "POST /admin/api/tokens": OWNERS,
    "DELETE /admin/api/tokens/<path:name>": OWNERS,
    "GET /admin/api/people": OWNERS,
    "PUT /admin/api/people/<path:name>": OWNERS,
    "DELETE /admin/api/people/<path:name>": OWNERS,
    f"GET {_PUBLISHED}/source": VIEWERS | PUBLISHERS,
    f"PUT {_PUBLISHED}": PUBLISHERS,
    f"PATCH {_PUBLISHED}": PUBLISHERS,
    f"DELETE {_PUBLISHED}": PUBLISHERS,
    f"POST {_PUBLISHED}:hide": EDITORS | PUBLISHERS,
    f"POST {_PUBLISHED}:show": EDITORS | PUBLISHERS,
    "POST /api/v1/articles:bulk": PUBLISHERS,
    "POST /api/v1/events": ANYBODY,
    "POST /api/v1/readers": ANYBODY,
    "DELETE /api/v1/reader": ANYBODY,  # these ask for the reader's own token
    "PUT /api/v1/reader/personalisation": ANYBODY,
    "PUT /api/v1/reader/tags/<path:tag>": ANYBODY,
    "DELETE /api/v1/reader/tags/<path:tag>": ANYBODY,
    "DELETE /api/v1/readers/<path:reader>": ANYBODY,  # the reader's token, or an operator's
    "GET /console": ANYBODY,  # leads to the overview
    "GET /console/sign-in": ANYBODY,
    "POST /console/sign-in": ANYBODY,
    "POST /console/sign-out": ANY_HOLDER,
    "GET /console/oidc": ANYBODY,  # to the provider that web.oidc names, and back
    "GET /console/oidc/callback": ANYBODY,
    "GET /console/": VIEWERS,
    "GET /console/front": VIEWERS,
    "POST /console/front": EDITORS,
    "GET /console/articles": VIEWERS,
    "GET /console/articles/one": EDITORS,  # it names who changed it
    "POST /console/articles/one": EDITORS,
    "GET /console/stories": VIEWERS,
    "GET /console/stories/one": EDITORS,
    "POST /console/stories/one": EDITORS,
    "GET /console/words": VIEWERS,
    "POST /console/words": EDITORS,
    "GET /console/words/drift": VIEWERS,
    "GET /console/releases/<string:name>/compare": VIEWERS,
    "GET /console/map": VIEWERS,
    "GET /console/trace": EDITORS,
    "GET /console/runs": VIEWERS,
    "POST /console/runs": OPERATORS,
    "GET /console/runs/<string:run_id>": VIEWERS,
    "POST /console/runs/<string:run_id>/cancel": OPERATORS,
    "GET /console/pipeline": VIEWERS,
    "POST /console/pipeline": OPERATORS,
    "GET /console/schedules": VIEWERS,
    "POST /console/schedules": OPERATORS,
    "POST /console/schedules/remove": OPERATORS,
    "GET /console/schedules/times": VIEWERS,
    "GET /console/releases": VIEWERS,
    "GET /console/releases/<string:name>": VIEWERS,
    "GET /console/releases/<string:name>/report/<string:file>": VIEWERS,
    "POST /console/releases/<string:name>/activate": OPERATORS,
    "POST /console/releases/<string:name>/try": OPERATORS,
    "POST /console/releases/<string:name>/untry": OPERATORS,
    "GET /console/experiments": VIEWERS,
    "POST /console/experiments": OPERATORS,
    "GET /console/experiments/<string:name>": VIEWERS,
    "GET /console/experiments/<string:name>/looks": VIEWERS,
    "POST /console/experiments/<string:name>/stop": OPERATORS,
    "GET /console/data": VIEWERS,
    "POST /console/data": OPERATORS,
    "GET /console/tokens": OWNERS,
    "POST /console/tokens": OWNERS,
    "POST /console/tokens/revoke": OWNERS,
    "POST /console/people": OWNERS,
    "POST /console/people/remove": OWNERS,
    "GET /console/audit": OPERATORS,
}


class Route(NamedTuple):
    """A method of a rule of the application."""

    method: str
    rule: str

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


def allowed(method: str, rule: str) -> Allowed | None:
    """Scopes that a route is for; None for one that anybody may read.

    Args:
        method: of the request; HEAD is as GET, and OPTIONS as what a viewer may.
        rule: of the application.
    """
    if method == "OPTIONS" and rule.startswith((ADMIN, CONSOLE)):
        return VIEWERS
    return ALLOWED.get(f"{'GET' if method == 'HEAD' else method} {rule}")


def unlisted(rules: Map) -> list[Route]:
    """Routes of an application that need an entry in ``ALLOWED`` and have none."""
    return [route for route in routes(rules) if _is_guarded(route) and str(route) not in ALLOWED]


def unknown(rules: Map) -> list[str]:
    """Entries of ``ALLOWED`` for which an application has no route."""
    there = {str(route) for route in routes(rules)}
    return [entry for entry in ALLOWED if entry not in there]


def routes(rules: Map) -> Iterator[Route]:
    """All routes of an application that are more than the shadow of another one."""
    for rule in rules.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Route(method, rule.rule)


def _is_guarded(route: Route) -> bool:
    return route.rule.startswith((ADMIN, CONSOLE)) or route.method not in READING


def table() -> str:
    """The routes and who may call them, as Markdown."""
    columns = (*ROLES, Scope.WRITE)
    lines = [f"| route | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for entry, scopes in ALLOWED.items():
        marks = " | ".join("yes" if scope in scopes or not scopes else "" for scope in columns)
        note = "" if scopes else ", with no token as well"
        lines.append(f"| `{entry}`{note} | {marks} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")
