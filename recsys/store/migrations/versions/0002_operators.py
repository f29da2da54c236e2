"""Verbs of operators: hidden by whom, tombstones, forgotten readers, the audit, and one feed of all of it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

IDENTIFIER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the columns and tables; an article that is hidden already stays so."""
    op.add_column("articles", sa.Column("hidden_by", sa.Text))
    op.add_column("articles", sa.Column("declared_hidden", sa.Boolean))
    op.add_column("articles", sa.Column("change", sa.BigInteger, nullable=False, server_default="0"))
    op.drop_index("ix_articles_site_updated_at", "articles")
    op.create_index("ix_articles_site_change", "articles", ["site", "change"])
    op.create_table(
        "changes",
        sa.Column("site", IDENTIFIER, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", name="pk_changes"),
    )
    _tombstones()
    _audit()


def downgrade() -> None:
    """Drop them again."""
    for table in ("audit", "forgotten_readers", "deleted_articles", "changes"):
        op.drop_table(table)
    op.drop_index("ix_articles_site_change", "articles")
    for column in ("change", "declared_hidden", "hidden_by"):
        op.drop_column("articles", column)
    op.create_index("ix_articles_site_updated_at", "articles", ["site", "updated_at"])


def _tombstones() -> None:
    op.create_table(
        "deleted_articles",
        sa.Column("site", IDENTIFIER, nullable=False),
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("deleted_at", sa.BigInteger, nullable=False),
        sa.Column("deleted_by", sa.Text, nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", "id", name="pk_deleted_articles"),
    )
    op.create_index("ix_deleted_articles_site_change", "deleted_articles", ["site", "change"])
    op.create_table(
        "forgotten_readers",
        sa.Column("site", IDENTIFIER, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("forgotten_at", sa.BigInteger, nullable=False),
        sa.Column("through", sa.BigInteger, nullable=False),
        sa.Column("log_cleared_at", sa.BigInteger),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", "digest", name="pk_forgotten_readers"),
    )
    op.create_index("ix_forgotten_readers_site_change", "forgotten_readers", ["site", "change"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Identity(always=True), nullable=False
        ),
        sa.Column("site", IDENTIFIER, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        *[sa.Column(name, sa.Text, nullable=False) for name in ("actor", "verb", "object", "details")],
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_site_number", "audit", ["site", "number"])
