"""The first tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from nodes.store.dialect import BigKey, Instant

revision = "0001_pre_first_tables"
down_revision = None
branch_labels = None
depends_on = None


def col(name: str, kind: Any, *, nullable: bool = False) -> sa.Column[Any]:
    """A column that must be filled unless said otherwise."""
    return sa.Column(name, kind, nullable=nullable)


def partial(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    """An index of the rows for which `where` holds."""
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def upgrade() -> None:
    """Creates all tables."""
    op.create_table(
        "answer",
        col("client", sa.String()),
        col("request_id", sa.String()),
        col("fingerprint", sa.LargeBinary()),
        col("answer", sa.LargeBinary(), nullable=True),
        col("created_wall_s", sa.Double()),
        sa.PrimaryKeyConstraint("client", "request_id", name="pk_answer"),
    )
    op.create_index("ix_answer_created_wall_s", "answer", ["created_wall_s"])
    op.create_table(
        "ask",
        col("ask_id", sa.String()),
        col("case_number", sa.String()),
        col("asker", sa.String()),
        col("ask_seq", sa.BigInteger()),
        col("kind", sa.String()),
        col("command", sa.LargeBinary()),
        col("based_on_version", sa.BigInteger()),
        col("submitted_at", Instant()),
        col("state", sa.String()),
        col("outcome_version", sa.BigInteger(), nullable=True),
        col("refusal_code", sa.String()),
        col("refusal_detail", sa.String()),
        col("forwarded_to", sa.String()),
        col("last_sent_wall_s", sa.Double(), nullable=True),
        col("attempts", sa.Integer()),
        sa.PrimaryKeyConstraint("ask_id", name="pk_ask"),
        sa.UniqueConstraint("case_number", "asker", "ask_seq", name="uq_ask_case_number_asker_ask_seq"),
    )
    partial("ix_ask_pending", "ask", ["last_sent_wall_s"], "state = 'pending'")
    op.create_table(
        "bus_offset",
        col("topic", sa.String()),
        col("partition", sa.Integer()),
        col("incarnation", sa.String()),
        col("next_offset", sa.BigInteger()),
        sa.PrimaryKeyConstraint("topic", "partition", name="pk_bus_offset"),
    )
    op.create_table(
        "case_event",
        col("entry", BigKey),
        col("number", sa.String()),
        col("version", sa.BigInteger()),
        col("event_id", sa.String()),
        col("hash", sa.LargeBinary()),
        col("core", sa.LargeBinary()),
        col("private", sa.LargeBinary()),
        col("caused_by", sa.String(), nullable=True),
        col("author", sa.String()),
        col("epoch", sa.BigInteger()),
        col("recorded_at", Instant()),
        col("log_seq", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("entry", name="pk_case_event"),
        sa.UniqueConstraint("event_id", name="uq_case_event_event_id"),
        sa.UniqueConstraint("number", "version", name="uq_case_event_number_version"),
    )
    partial("ix_case_event_unsequenced", "case_event", ["entry"], "log_seq IS NULL")
    partial(
        "uq_case_event_cause", "case_event", ["number", "caused_by"], "caused_by IS NOT NULL", unique=True
    )
    partial("uq_case_event_log_seq", "case_event", ["log_seq"], "log_seq IS NOT NULL", unique=True)
    op.create_table(
        "case_row",
        col("number", sa.String()),
        col("state", sa.String()),
        col("kind", sa.String()),
        col("version", sa.BigInteger()),
        col("epoch", sa.BigInteger()),
        col("owner", sa.String()),
        col("owned", sa.Boolean()),
        col("origin", sa.String()),
        col("competent", sa.String()),
        col("authority", sa.String()),
        col("matter", sa.String()),
        col("light", sa.String()),
        col("due_at", Instant(), nullable=True),
        col("next_due_at", Instant(), nullable=True),
        col("last_hash", sa.LargeBinary()),
        col("snapshot", sa.LargeBinary()),
        col("trace_id", sa.String()),
        col("trace_parent", sa.String()),
        col("lead", sa.String()),
        col("part_index", sa.Integer()),
        col("open", sa.Boolean()),
        col("filed_at", Instant()),
        col("updated_at", Instant()),
        col("parked", sa.Boolean()),
        sa.PrimaryKeyConstraint("number", name="pk_case_row"),
    )
    op.create_index("ix_case_row_filed_at_number", "case_row", ["filed_at", "number"])
    partial("ix_case_row_lead", "case_row", ["lead", "part_index"], "lead <> ''")
    partial("ix_case_row_next_due_at", "case_row", ["next_due_at"], "next_due_at IS NOT NULL")
    partial("ix_case_row_open_authority", "case_row", ["authority", "filed_at", "number"], "open")
    partial("ix_case_row_open_filed_at", "case_row", ["filed_at", "number"], "open")
    partial("ix_case_row_parked", "case_row", ["number"], "parked")
    op.create_table(
        "filing",
        col("case_number", sa.String()),
        col("document", sa.LargeBinary()),
        col("private", sa.LargeBinary()),
        col("applicant_key", sa.String()),
        col("matter", sa.String()),
        col("filed_at", Instant()),
        sa.PrimaryKeyConstraint("case_number", name="pk_filing"),
    )
    op.create_index("ix_filing_applicant_key", "filing", ["applicant_key"])
    op.create_table(
        "gap_request",
        col("case_number", sa.String()),
        col("from_version", sa.BigInteger()),
        col("asked_wall_s", sa.Double()),
        col("attempts", sa.Integer()),
        sa.PrimaryKeyConstraint("case_number", name="pk_gap_request"),
    )
    op.create_index("ix_gap_request_asked_wall_s", "gap_request", ["asked_wall_s"])
    op.create_table(
        "held",
        col("case_number", sa.String()),
        col("version", sa.BigInteger()),
        col("record", sa.LargeBinary()),
        col("source", sa.String()),
        col("traceparent", sa.String()),
        col("received_wall_s", sa.Double()),
        sa.PrimaryKeyConstraint("case_number", "version", name="pk_held"),
    )
    op.create_table(
        "inbox",
        col("source", sa.String()),
        col("message_id", sa.String()),
        col("seen_wall_s", sa.Double()),
        sa.PrimaryKeyConstraint("source", "message_id", name="pk_inbox"),
    )
    op.create_index("ix_inbox_seen_wall_s", "inbox", ["seen_wall_s"])
    op.create_table(
        "lease",
        col("name", sa.String()),
        col("holder", sa.String()),
        col("epoch", sa.BigInteger()),
        col("expires_db_s", sa.Double()),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
    op.create_table(
        "material",
        col("sha256", sa.String()),
        col("size", sa.BigInteger()),
        col("media_type", sa.String()),
        col("stored", sa.Boolean()),
        col("first_seen_wall_s", sa.Double()),
        sa.PrimaryKeyConstraint("sha256", name="pk_material"),
    )
    op.create_table(
        "node_meta",
        col("key", sa.String()),
        col("value", sa.String()),
        sa.PrimaryKeyConstraint("key", name="pk_node_meta"),
    )
    op.create_table(
        "outbox",
        col("id", BigKey),
        col("lane", sa.Integer()),
        col("destination", sa.String()),
        col("case_number", sa.String()),
        col("kind", sa.String()),
        col("from_version", sa.BigInteger()),
        col("to_version", sa.BigInteger()),
        col("ref", sa.String()),
        col("payload", sa.LargeBinary(), nullable=True),
        col("traceparent", sa.String()),
        col("created_wall_s", sa.Double()),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_destination_id_lane", "outbox", ["destination", "id", "lane"])
    op.create_table(
        "parked",
        col("id", sa.String()),
        col("case_number", sa.String(), nullable=True),
        col("source", sa.String()),
        col("topic", sa.String()),
        col("partition", sa.Integer()),
        col("log_offset", sa.BigInteger()),
        col("headers", sa.String()),
        col("value", sa.LargeBinary()),
        col("reason", sa.String()),
        col("detail", sa.String()),
        col("parked_wall_s", sa.Double()),
        col("highest_seen", sa.BigInteger()),
        col("state", sa.String()),
        sa.PrimaryKeyConstraint("id", name="pk_parked"),
    )
    partial(
        "ix_parked_case_number", "parked", ["case_number"], "state = 'parked' AND case_number IS NOT NULL"
    )
    op.create_table(
        "sent_tail",
        col("destination", sa.String()),
        col("case_number", sa.String()),
        col("sent_version", sa.BigInteger()),
        col("acked_version", sa.BigInteger()),
        col("last_sent_wall_s", sa.Double()),
        col("attempts", sa.Integer()),
        sa.PrimaryKeyConstraint("destination", "case_number", name="pk_sent_tail"),
    )
    partial("ix_sent_tail_acked", "sent_tail", ["last_sent_wall_s"], "acked_version >= sent_version")
    partial("ix_sent_tail_unacked", "sent_tail", ["last_sent_wall_s"], "acked_version < sent_version")
    op.create_table(
        "serial",
        col("name", sa.String()),
        col("next", sa.BigInteger()),
        sa.PrimaryKeyConstraint("name", name="pk_serial"),
    )
    op.create_table(
        "span",
        col("span_id", sa.String()),
        col("trace_id", sa.String()),
        col("parent_span_id", sa.String()),
        col("case_number", sa.String()),
        col("name", sa.String()),
        col("kind", sa.String()),
        col("start_ns", sa.BigInteger()),
        col("end_ns", sa.BigInteger()),
        col("status", sa.String()),
        col("attributes", sa.String()),
        col("links", sa.String()),
        col("recovered", sa.Boolean()),
        sa.PrimaryKeyConstraint("span_id", name="pk_span"),
    )
    op.create_index("ix_span_case_number", "span", ["case_number"])
    op.create_index("ix_span_start_ns", "span", ["start_ns"])
    op.create_index("ix_span_trace_id", "span", ["trace_id"])
    op.create_table(
        "material_fetch",
        col("sha256", sa.String()),
        col("case_number", sa.String()),
        col("from_region", sa.String()),
        col("bytes_done", sa.BigInteger()),
        col("state", sa.String()),
        col("attempts", sa.Integer()),
        sa.ForeignKeyConstraint(["sha256"], ["material.sha256"], name="fk_material_fetch_sha256"),
        sa.PrimaryKeyConstraint("sha256", "case_number", name="pk_material_fetch"),
    )
    op.create_index("ix_material_fetch_case_number", "material_fetch", ["case_number"])
    partial("ix_material_fetch_wanted", "material_fetch", ["attempts"], "state = 'wanted'")
    op.create_table(
        "material_use",
        col("sha256", sa.String()),
        col("case_number", sa.String()),
        col("code", sa.String()),
        col("applicant_key", sa.String()),
        col("valid_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["sha256"], ["material.sha256"], name="fk_material_use_sha256"),
        sa.PrimaryKeyConstraint("sha256", "case_number", "code", name="pk_material_use"),
    )
    op.create_index("ix_material_use_applicant_key_code", "material_use", ["applicant_key", "code"])
    op.create_index("ix_material_use_case_number", "material_use", ["case_number"])


def downgrade() -> None:
    """Drops all tables."""
    op.drop_table("material_use")
    op.drop_table("material_fetch")
    op.drop_table("answer")
    op.drop_table("ask")
    op.drop_table("bus_offset")
    op.drop_table("case_event")
    op.drop_table("case_row")
    op.drop_table("filing")
    op.drop_table("gap_request")
    op.drop_table("held")
    op.drop_table("inbox")
    op.drop_table("lease")
    op.drop_table("material")
    op.drop_table("node_meta")
    op.drop_table("outbox")
    op.drop_table("parked")
    op.drop_table("sent_tail")
    op.drop_table("serial")
    op.drop_table("span")
