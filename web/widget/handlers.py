"""The script of the widget at its two addresses: one that stays, and one for each version, which never changes.

Reads the script and an article's id; produces JavaScript, and SVG for an article without a picture.
"""

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from web.gateway.compression import accepts_gzip
from web.widget.script import widget_script

ANYWHERE = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}
MINUTES, FOREVER = "public, max-age=300", "public, max-age=31536000, immutable"

blueprint = Blueprint("widget", __name__)


@blueprint.get("/widget.js")
def current() -> Response:
    """The script at the address that stays: a page gets the next version within minutes."""
    return _answer(MINUTES)


@blueprint.get("/widget-<version>.js")
def versioned(version: str) -> AnyResponse:
    """One version for ever; where it is another one than is served now, the way to that one.

    A page that demands the integrity of another version gets no widget, and its browser says why.
    """
    if version == widget_script().version:
        return _answer(FOREVER)
    answer = redirect(url_for("widget.current"))
    answer.headers.update(ANYWHERE | {"Cache-Control": "no-cache"})
    return answer


def _answer(caching: str) -> Response:
    script = widget_script()
    packed = accepts_gzip(request.headers.get("Accept-Encoding", ""))
    response = Response(script.packed if packed else script.body, mimetype="text/javascript")
    response.headers.update(ANYWHERE | {"Cache-Control": caching, "Vary": "Accept-Encoding"})
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.set_etag(script.version)
    response.make_conditional(request)
    return response
