"""Roles: tokens are of a role, expire, and say when they were used; the audit says from where, before and after."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_AUDIT = ("origin", "before", "after")


def upgrade() -> None:
    """Add the columns; an administrator's token of before is an owner's."""
    op.execute("UPDATE tokens SET scope = 'owner' WHERE scope = 'admin'")
    with op.batch_alter_table("tokens") as tokens:  # SQLite changes a default only by making the table anew
        tokens.alter_column("scope", existing_type=sa.Text, existing_nullable=False, server_default=None)
        tokens.add_column(sa.Column("expires_at", sa.BigInteger))
        tokens.add_column(sa.Column("last_used_at", sa.BigInteger))
    for name in _AUDIT:
        op.add_column("audit", sa.Column(name, sa.Text))
    op.create_index("ix_audit_site_object_number", "audit", ["site", "object", "number"])


def downgrade() -> None:
    """Drop them again; of the roles only the owner's is known, so that the others' tokens end."""
    op.drop_index("ix_audit_site_object_number", "audit")
    for name in _AUDIT:
        op.drop_column("audit", name)
    op.execute("DELETE FROM tokens WHERE scope NOT IN ('owner', 'write')")
    op.execute("UPDATE tokens SET scope = 'admin' WHERE scope = 'owner'")
    with op.batch_alter_table("tokens") as tokens:
        tokens.drop_column("last_used_at")
        tokens.drop_column("expires_at")
        tokens.alter_column("scope", existing_type=sa.Text, existing_nullable=False, server_default="admin")
