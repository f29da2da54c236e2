"""Titles without the bodies, for whoever looks for words of them; on SQLite alone, see the schema."""

from collections.abc import Sequence

from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the index."""
    if op.get_context().dialect.name == "sqlite":
        op.create_index("ix_articles_titles", "articles", ["site", "published_at", "id", "title"])


def downgrade() -> None:
    """Drop it again."""
    if op.get_context().dialect.name == "sqlite":
        op.drop_index("ix_articles_titles", "articles")
