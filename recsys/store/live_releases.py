"""The live release of a site where hosts share releases: one row, which is moved under the write lock.

Reads and writes the table ``live_releases``. Each move has a number of its own, so that a host knows a release that is
live again from one that stayed.
"""

from typing import NamedTuple

from sqlalchemy import insert, select, update

from recsys.store import schema
from recsys.store.engine import Database
from recsys.units import now_ms

_live = schema.live_releases


class LiveRelease(NamedTuple):
    """The release that all hosts of a site serve.

    Attributes:
        name: of the release.
        move: how often the site's live release was moved, this time included.
        by: who moved it, as in the audit.
        at: when, int ms UTC.
    """

    name: str
    move: int
    by: str
    at: int


class LiveReleaseStore(Database):
    """The table of live releases."""

    def live_release(self, site: str) -> LiveRelease | None:
        """The live release of a site; None where hosts share none yet."""
        query = select(_live.c.name, _live.c.move, _live.c.set_by, _live.c.set_at).where(_live.c.site == site)
        with self.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else LiveRelease(*row)

    def set_live_release(self, site: str, name: str, by: str) -> LiveRelease:
        """Move a site's live release."""
        with self.writing() as connection:
            last = connection.scalar(select(_live.c.move).where(_live.c.site == site))
            moved = LiveRelease(name, (last or 0) + 1, by, now_ms())
            values = {"name": name, "move": moved.move, "set_by": by, "set_at": moved.at}
            if last is None:
                connection.execute(insert(_live).values(site=site, **values))
            else:
                connection.execute(update(_live).where(_live.c.site == site).values(values))
        return moved
