"""Editors: pins, boosts and buries with an end, beside the articles."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

IDENTIFIER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "editorial",
        sa.Column("site", IDENTIFIER, nullable=False),
        sa.Column("article", IDENTIFIER, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        *[sa.Column(name, sa.BigInteger, nullable=False) for name in ("until", "set_at")],
        sa.Column("set_by", sa.Text, nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.Column("place", sa.Integer),
        sa.Column("slot", sa.Text),
        sa.Column("factor", sa.Double),
        sa.PrimaryKeyConstraint("site", "article", "kind", name="pk_editorial"),
        sa.CheckConstraint("kind IN ('pin', 'boost', 'bury')", name=op.f("ck_editorial_kind")),
    )


def downgrade() -> None:
    """Drop it again."""
    op.drop_table("editorial")
