"""Limits: how many bytes the body of a request may have, by its address."""

MAX_BODY_BYTES = 65_536  # what browsers' sendBeacon sends at most
MAX_ARTICLE_BYTES = 2 * 1024 * 1024  # of one article: a body at its bound, of Chinese that is escaped, with its markup
MAX_BULK_BYTES = 16 * 1024 * 1024  # of many articles
MAX_FORM_BYTES = MAX_BULK_BYTES + MAX_BODY_BYTES  # of a form with such a file, and the fields around it
BODY_LIMITS = (  # first part of an address -> bytes, where it is another number; the first that fits
    ("/api/v1/articles:bulk", MAX_BULK_BYTES),
    ("/api/v1/articles/", MAX_ARTICLE_BYTES),
    ("/admin/api/imports", MAX_BULK_BYTES),
    ("/console/data", MAX_FORM_BYTES),
)
MAX_HEAD_BYTES = 32_768  # of a request's line and headers, and of what is read ahead of a body
HEAD_SECONDS = 30  # for a request's head; a connection that is kept open without a request is closed after as long
BODY_SECONDS = 10.0  # for a whole body, so that a client that drips holds a socket for that long and nothing else
MAX_BODIES_BYTES = 64 * 1024 * 1024  # of all small, and of all large bodies that are being read in one worker
MAX_CONNECTIONS = 4_096  # of one worker; what comes later waits in the kernel
BACKLOG = 4_096  # connections that wait in the kernel until a worker accepts them; it may hold fewer


def body_limit(path: str) -> int:
    """Bytes that the body of a request to this address may have."""
    return next((limit for first, limit in BODY_LIMITS if path.startswith(first)), MAX_BODY_BYTES)
