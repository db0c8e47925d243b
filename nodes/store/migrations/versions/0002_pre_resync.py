"""What became of a parked message, and where a snapshot took the place of events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_pre_resync"
down_revision = "0001_pre_first_tables"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds columns with a default, so that the release before can go on writing."""
    for name in ("settled_reason", "settled_by"):
        op.add_column("parked", sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.add_column("parked", sa.Column("settled_wall_s", sa.Double(), nullable=True))
    _index("ix_parked_settled", "parked", "settled_wall_s", "settled_wall_s IS NOT NULL")
    op.create_table(
        "resync",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_number", sa.String(), nullable=False),
        sa.Column("from_version", sa.BigInteger(), nullable=False),
        sa.Column("to_version", sa.BigInteger(), nullable=True),
        sa.Column("asked_of", sa.String(), nullable=False),
        sa.Column("asked_wall_s", sa.Double(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("highest_seen", sa.BigInteger(), nullable=False),
        sa.Column("done_wall_s", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_resync"),
    )
    op.create_index("ix_resync_case_number", "resync", ["case_number"])
    _index("ix_resync_awaited", "resync", "asked_wall_s", "to_version IS NULL")


def _index(name: str, table: str, column: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, [column], sqlite_where=condition, postgresql_where=condition)
