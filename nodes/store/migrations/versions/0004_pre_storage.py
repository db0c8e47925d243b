"""On PostgreSQL: room beside spans for their second writing, and statistics no finer than plans need.

A span is written with the work that it describes and once more when it has ended. With room on its page the
second version is found by way of the first, and no index is written (HOT).

A table that grows is analysed again with every tenth part that it grows by. Its sample is as large as its
finest statistics ask for, and all columns of it are sorted: those of which no condition speaks as well, and
they are the widest. The columns that lists are asked for by keep what they have.
"""

from __future__ import annotations

from alembic import op

revision = "0004_pre_storage"
down_revision = "0003_pre_lists"
branch_labels = None
depends_on = None

ROUGH = 10
ROUGHLY = {
    "answer": ("client", "request_id", "created_wall_s"),
    "case_event": (
        "entry", "number", "version", "event_id", "caused_by", "author", "epoch", "recorded_at", "log_seq",
    ),
    "filing": ("case_number", "applicant_key", "matter", "filed_at"),
    "inbox": ("source", "message_id", "seen_wall_s"),
    "material": ("sha256", "size", "media_type", "stored", "first_seen_wall_s"),
    "material_use": ("sha256", "case_number", "code", "applicant_key", "valid_until"),
    "outbox": (
        "id", "lane", "destination", "case_number", "kind", "from_version", "to_version", "ref",
        "created_wall_s",
    ),
    "sent_tail": (
        "destination", "case_number", "sent_version", "acked_version", "last_sent_wall_s", "attempts",
    ),
    "span": (
        "span_id", "trace_id", "parent_span_id", "case_number", "name", "kind", "start_ns", "end_ns",
        "status", "recovered",
    ),
}  # fmt: skip
NOT_AT_ALL = {
    "answer": ("fingerprint", "answer"),
    "case_event": ("hash", "core", "private"),
    "case_row": ("last_hash", "snapshot"),
    "filing": ("document", "private"),
    "outbox": ("payload", "traceparent"),
    "span": ("attributes", "links"),
}


def upgrade() -> None:
    """Changes no row, and waits for nobody who reads or writes; the release before need not know."""
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE span SET (fillfactor = 50)")
    for columns, fineness in ((ROUGHLY, ROUGH), (NOT_AT_ALL, 0)):
        for table, names in columns.items():
            changes = ", ".join(f'ALTER COLUMN "{name}" SET STATISTICS {fineness}' for name in names)
            op.execute(f'ALTER TABLE "{table}" {changes}')
