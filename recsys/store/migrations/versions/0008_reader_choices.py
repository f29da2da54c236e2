"""Readers' choices: personalisation on or off, tags that are weakened or removed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

IDENTIFIER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "reader_choices",
        sa.Column("site", IDENTIFIER, nullable=False),
        sa.Column("reader", IDENTIFIER, nullable=False),
        sa.Column("personal", sa.Boolean, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("set_at", sa.BigInteger, nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", "reader", name="pk_reader_choices"),
    )
    op.create_index("ix_reader_choices_site_change", "reader_choices", ["site", "change"])


def downgrade() -> None:
    """Drop it again."""
    op.drop_table("reader_choices")
