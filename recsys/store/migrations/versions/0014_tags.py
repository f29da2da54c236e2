"""Tags that editors give to articles."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the columns: all tags are those of the models."""
    op.add_column("articles", sa.Column("tags", sa.Text))
    op.add_column("articles", sa.Column("tagged_by", sa.Text))


def downgrade() -> None:
    """Drop them again."""
    for column in ("tagged_by", "tags"):
        op.drop_column("articles", column)
