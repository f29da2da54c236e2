"""Bodies: the chunks of one request -> its whole body, in memory, within a deadline and a limit.

Runs in the event loop, so that a client that sends drop by drop costs a socket and no thread.
"""

import asyncio
from collections.abc import AsyncIterable

from web.gateway.limits import BODY_SECONDS, MAX_BODIES_BYTES


class BodyError(Exception):
    """A body that cannot be had: status, stable code, detail and remedy of the answer."""

    def __init__(self, status: int, code: str, detail: str, remedy: str) -> None:
        self.status, self.code, self.detail, self.remedy = status, code, detail, remedy
        super().__init__(detail)


class Bodies:
    """All bodies that are being read in one worker, bounded together."""

    def __init__(self) -> None:
        self.held = 0  # bytes

    async def read(self, chunks: AsyncIterable[bytes], length: int | None, limit: int) -> bytes:
        """Whole body of a request.

        Args:
            chunks: as they come; granian ends a broken body with two empty ones, a whole one with one or none.
            length: bytes that the head promises; None for a chunked body.
            limit: bytes that it may have.

        Raises:
            BodyError: it is too large, too slow, broken, or there are too many at once.
        """
        if length is not None and length > limit:
            raise too_large(limit)
        parts: list[bytes] = []
        size = empty = 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in chunks:
                    parts.append(chunk)
                    size += len(chunk)
                    self.held += len(chunk)
                    empty = empty + 1 if not chunk else 0
                    if size > limit:
                        raise too_large(limit)
                    if self.held > MAX_BODIES_BYTES:
                        raise BodyError(503, "overloaded", "Too many large bodies at once.", "Try again in a moment.")
        except TimeoutError:
            raise BodyError(
                408,
                "request-timeout",
                f"Expected the whole body within {BODY_SECONDS:.0f} seconds; got {size} bytes.",
                "Send it faster, or less at once.",
            ) from None
        finally:
            self.held -= size
        if empty > 1 or (length is not None and size != length):
            raise BodyError(
                400, "bad-request", f"Expected a whole body; it ended after {size} bytes.", "Send it again."
            )
        return b"".join(parts)


def too_large(limit: int) -> BodyError:
    """Refusal of a body that has more bytes than it may."""
    return BodyError(413, "body-too-large", f"Expected a body of at most {limit} bytes.", "Send less at once.")
