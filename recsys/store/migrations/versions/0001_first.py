"""The first schema: articles, readers, events, runs, tokens."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

IDENTIFIER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_CLICKS = sa.text("kind = 'click'")


def upgrade() -> None:
    """Create every table."""
    _articles()
    _readers_and_events()
    _runs_and_tokens()


def downgrade() -> None:
    """Drop every table."""
    for table in ("tokens", "runs", "events", "readers", "articles"):
        op.drop_table(table)


def _articles() -> None:
    op.create_table(
        "articles",
        sa.Column("site", IDENTIFIER, nullable=False),
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        *[sa.Column(name, sa.Text) for name in ("url", "image", "source", "language", "category", "subcategory")],
        sa.Column("entities", sa.Text, nullable=False),
        sa.Column("published_at", sa.BigInteger),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("hidden", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", "id", name="pk_articles"),
    )
    op.create_index("ix_articles_site_updated_at", "articles", ["site", "updated_at"])


def _readers_and_events() -> None:
    op.create_table(
        "readers",
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("site", IDENTIFIER, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", "site", name="pk_readers"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Identity(always=True), nullable=False),
        sa.Column("event_id", IDENTIFIER, nullable=False),
        sa.Column("site", IDENTIFIER, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("article", IDENTIFIER, nullable=False),
        sa.Column("reader", IDENTIFIER),
        sa.Column("session", IDENTIFIER),
        sa.Column("time", sa.BigInteger),
        sa.Column("slot", sa.Text),
        sa.Column("position", sa.SmallInteger),
        sa.Column("impression", IDENTIFIER),
        sa.Column("dwell_ms", sa.Integer),
        sa.Column("context", sa.Text),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
        sa.ForeignKeyConstraint(
            ["reader", "site"], ["readers.id", "readers.site"], name="fk_events_readers", ondelete="CASCADE"
        ),
        sa.CheckConstraint("kind IN ('impression', 'click', 'dismiss', 'dwell')", name=op.f("ck_events_kind")),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_events_event_id_site", "events", ["event_id", "site"], unique=True)
    op.create_index("ix_events_reader_site_time", "events", ["reader", "site", "time"])
    op.create_index(
        "ix_events_clicks", "events", ["site", "time", "article"], sqlite_where=_CLICKS, postgresql_where=_CLICKS
    )


def _runs_and_tokens() -> None:
    op.create_table(
        "runs",
        sa.Column("id", IDENTIFIER, nullable=False),
        *[sa.Column(name, sa.Text, nullable=False) for name in ("job", "params", "state")],
        sa.Column("holder", sa.Text),
        sa.Column("pid", sa.Integer),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        *[sa.Column(name, sa.BigInteger) for name in ("started_at", "heartbeat_at", "finished_at")],
        sa.Column("progress", sa.Text, nullable=False),
        *[sa.Column(name, sa.Text) for name in ("error", "release", "log")],
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.UniqueConstraint("holder", name="uq_runs_holder"),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_runs_state")),
    )
    op.create_index("ix_runs_created_at", "runs", ["created_at"])
    op.create_table(
        "tokens",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("name", name="pk_tokens"),
        sa.UniqueConstraint("sha256", name="uq_tokens_sha256"),
    )
