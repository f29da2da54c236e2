"""Stories: what editors join and part, and how they call a story."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

IDENTIFIER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "story_decisions",
        sa.Column("site", IDENTIFIER, nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        *[sa.Column(name, IDENTIFIER, nullable=False) for name in ("one", "other")],
        *[sa.Column(name, sa.Boolean, nullable=False) for name in ("together", "asked")],
        sa.Column("set_at", sa.BigInteger, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("site", "change", "place", name="pk_story_decisions"),
    )
    op.create_table(
        "story_names",
        sa.Column("site", IDENTIFIER, nullable=False),
        sa.Column("article", IDENTIFIER, nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("set_at", sa.BigInteger, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("site", "article", name="pk_story_names"),
    )
    op.create_index(op.f("ix_story_names_site_change"), "story_names", ["site", "change"])


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("story_names")
    op.drop_table("story_decisions")
