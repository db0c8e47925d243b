"""Lists of cases that have ended, by whatever one asks for, and of lights are read off an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_pre_lists"
down_revision = "0002_pre_resync"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds indexes; the release before writes them without knowing."""
    for name in ("state", "matter", "origin", "competent", "owner", "authority"):
        _partial(f"ix_case_row_ended_{name}", name, "NOT open")
    _partial("ix_case_row_ended_light", "light", "NOT open AND light <> 'green'")
    _partial("ix_case_row_open_light", "light", "open AND light <> 'green'")


def _partial(name: str, column: str, where: str) -> None:
    condition = sa.text(where)
    columns = [column, "filed_at", "number"]
    op.create_index(name, "case_row", columns, sqlite_where=condition, postgresql_where=condition)
