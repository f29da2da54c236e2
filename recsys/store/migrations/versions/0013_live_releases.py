"""The live release of each site, for hosts that share releases at an address."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

IDENTIFIER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table: a site without a row has no shared release yet."""
    op.create_table(
        "live_releases",
        sa.Column("site", IDENTIFIER, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("move", sa.BigInteger, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.Column("set_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", name="pk_live_releases"),
    )


def downgrade() -> None:
    """Drop it again; each host keeps the release that it serves."""
    op.drop_table("live_releases")
