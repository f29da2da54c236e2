"""Publishers: tokens get a scope and a site; a site's events are found by their number, whatever other sites have."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

IDENTIFIER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the columns and the index; a token that was made before stays an administrator's of every site."""
    op.add_column("tokens", sa.Column("scope", sa.Text, nullable=False, server_default="admin"))
    op.add_column("tokens", sa.Column("site", IDENTIFIER))
    op.create_index("ix_events_site_seq", "events", ["site", "seq"])


def downgrade() -> None:
    """Drop them again."""
    op.drop_index("ix_events_site_seq", "events")
    for column in ("site", "scope"):
        op.drop_column("tokens", column)
