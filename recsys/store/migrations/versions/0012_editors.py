"""Categories that editors filed articles under, what files said of them, and new words that they accept or refuse."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

IDENTIFIER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the columns and the table: no editor has said anything yet."""
    op.add_column("articles", sa.Column("filed_by", sa.Text))
    op.add_column("articles", sa.Column("declared_category", sa.Text))
    op.create_table(
        "word_decisions",
        sa.Column("site", IDENTIFIER, nullable=False),
        sa.Column("language", IDENTIFIER, nullable=False),
        sa.Column("entry", IDENTIFIER, nullable=False),
        sa.Column("accepted", sa.Boolean, nullable=False),
        sa.Column("parts", sa.Text, nullable=False),
        sa.Column("occurrences", sa.BigInteger, nullable=False),
        sa.Column("npmi", sa.Double, nullable=False),
        sa.Column("branching_entropy", sa.Double, nullable=False),
        sa.Column("set_at", sa.BigInteger, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("site", "language", "entry", name="pk_word_decisions"),
    )


def downgrade() -> None:
    """Drop them again; the categories stay."""
    op.drop_table("word_decisions")
    for column in ("declared_category", "filed_by"):
        op.drop_column("articles", column)
