"""Runs that several hosts may take, and schedules."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

IDENTIFIER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BEFORE = "state IN ('queued', 'running', 'done', 'failed', 'cancelled')"
AFTER = "state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'interrupted')"
RENAMED = "UPDATE runs SET state = 'succeeded' WHERE state = 'done'"
GIVEN_UP = "UPDATE runs SET state = 'failed', holder = NULL WHERE state IN ('queued', 'running')"
BACK = "UPDATE runs SET state = CASE state WHEN 'succeeded' THEN 'done' WHEN 'interrupted' THEN 'failed' ELSE state END"
COLUMNS: tuple[tuple[str, Any], ...] = (
    ("site", IDENTIFIER),
    *((name, sa.Text()) for name in ("workspace", "host")),
    ("fence", sa.BigInteger()),
    ("not_before", sa.BigInteger()),
    *((name, sa.Text()) for name in ("asked_by", "key", "cancelled_by")),
    ("exit_code", sa.Integer()),
    ("peak_mib", sa.BigInteger()),
)
COUNTED: tuple[tuple[str, Any], ...] = (("beats", sa.BigInteger()), ("attempt", sa.Integer()))


def upgrade() -> None:
    """Add the columns and the table; a run of the version before that goes on still is given up."""
    op.execute(GIVEN_UP)
    with op.batch_alter_table("runs") as table:
        table.drop_constraint(op.f("ck_runs_state"), type_="check")
        for name, kind in COLUMNS:
            table.add_column(sa.Column(name, kind))
        for name, kind in COUNTED:
            table.add_column(sa.Column(name, kind, nullable=False, server_default="0"))
    op.execute(RENAMED)
    with op.batch_alter_table("runs") as table:
        table.create_check_constraint(op.f("ck_runs_state"), AFTER)
    op.create_index("ix_runs_site_state", "runs", ["site", "state"])
    _schedules()


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("schedules")
    op.drop_index("ix_runs_site_state", "runs")
    with op.batch_alter_table("runs") as table:
        table.drop_constraint(op.f("ck_runs_state"), type_="check")
        for name, _ in (*COLUMNS, *COUNTED):
            table.drop_column(name)
    op.execute(BACK)
    with op.batch_alter_table("runs") as table:
        table.create_check_constraint(op.f("ck_runs_state"), BEFORE)


def _schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("site", IDENTIFIER, nullable=False),
        sa.Column("name", IDENTIFIER, nullable=False),
        *[sa.Column(name, sa.Text, nullable=False) for name in ("job", "params", "cron", "timezone")],
        sa.Column("jitter_seconds", sa.Integer, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger),
        sa.Column("last_run", sa.Text),
        sa.Column("set_at", sa.BigInteger, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("site", "name", name="pk_schedules"),
    )
