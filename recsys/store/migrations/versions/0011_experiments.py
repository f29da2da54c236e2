"""Experiments: what they are, and which readers were served by which arm since when."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

IDENTIFIER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "experiments",
        sa.Column("site", IDENTIFIER, nullable=False),
        sa.Column("name", IDENTIFIER, nullable=False),
        sa.Column("salt", sa.Text, nullable=False),
        sa.Column("arms", sa.Text, nullable=False),
        sa.Column("window_days", sa.Integer, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("started_by", sa.Text, nullable=False),
        sa.Column("stopped_at", sa.BigInteger),
        sa.Column("stopped_by", sa.Text),
        sa.PrimaryKeyConstraint("site", "name", name="pk_experiments"),
    )
    op.create_table(
        "exposures",
        sa.Column("site", IDENTIFIER, nullable=False),
        sa.Column("experiment", IDENTIFIER, nullable=False),
        sa.Column("reader", IDENTIFIER, nullable=False),
        sa.Column("arm", sa.SmallInteger, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", "experiment", "reader", name="pk_exposures"),
    )
    op.create_index("ix_exposures_site_reader", "exposures", ["site", "reader"])


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("exposures")
    op.drop_table("experiments")
