"""Compression: a text of more than a kilobyte -> gzip, for who accepts it.

The first level of gzip is used: the next ones cost twice as much for a twentieth less.
"""

import zlib

from web.gateway.wsgi import Reply

MIN_BYTES = 1_024  # below this a packet is a packet
LEVEL = 1
WITH_HEADER = 31  # of zlib: the largest window, in gzip's format
TEXTS = ("text/", "application/json", "application/problem+json", "application/javascript", "image/svg+xml")


def accepts_gzip(accepted: str) -> bool:
    """True if a value of Accept-Encoding asks for gzip."""
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def compressed(reply: Reply, accepted: str) -> Reply:
    """The reply in gzip if it gains by that and is asked for; its entity tag stays what it was."""
    if len(reply.body) < MIN_BYTES:
        return reply
    names = {name.lower(): value for name, value in reply.headers}
    if "content-encoding" in names or not names.get("content-type", "").startswith(TEXTS):
        return reply
    headers = [(name, value) for name, value in reply.headers if name.lower() not in ("vary", "content-length")]
    headers.append(("Vary", ", ".join(filter(None, (names.get("vary"), "Accept-Encoding")))))
    if not accepts_gzip(accepted):
        headers.append(("Content-Length", str(len(reply.body))))
        return Reply(reply.status, headers, reply.body)
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, WITH_HEADER)
    body = packer.compress(reply.body) + packer.flush()
    headers += [("Content-Encoding", "gzip"), ("Content-Length", str(len(body)))]
    return Reply(reply.status, headers, body)
