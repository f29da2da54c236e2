"""Events: the evidence with which each came in by the open door; none for what was there before."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("events", sa.Column("proof", sa.SmallInteger))


def downgrade() -> None:
    """Drop it again."""
    op.drop_column("events", "proof")
