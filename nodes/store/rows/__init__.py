"""What goes into the store and comes out of it: frozen rows of plain values.

Knows the names and units of the columns. Must not know SQL, protobuf fields or the rules of a case: a
document, an event, an answer is a string of bytes here.

Two kinds of time, never mixed: a `datetime` is aware business time (read back in UTC); a float whose name
ends in `_wall_s` is wall time in seconds since 1970. Hashes are bytes; ids, SHA-256 of materials, trace and
span ids are text (lower-case hex or UUID text), so that a person can read them in the database."""

from nodes.store.rows.case import (
    AnswerKey,
    AskRow,
    CaseCursor,
    CaseFilter,
    CaseRow,
    Claim,
    EventRow,
    FilingRow,
    StoredAnswer,
)
from nodes.store.rows.material import MaterialFetch, MaterialRow, MaterialUse, SpanRow
from nodes.store.rows.traffic import (
    BusOffset,
    GapRequest,
    HeldRow,
    Lease,
    OutboxRow,
    ParkedRow,
    ResyncRow,
    SentTail,
)

__all__ = [
    "AnswerKey",
    "AskRow",
    "BusOffset",
    "CaseCursor",
    "CaseFilter",
    "CaseRow",
    "Claim",
    "EventRow",
    "FilingRow",
    "GapRequest",
    "HeldRow",
    "Lease",
    "MaterialFetch",
    "MaterialRow",
    "MaterialUse",
    "OutboxRow",
    "ParkedRow",
    "ResyncRow",
    "SentTail",
    "SpanRow",
    "StoredAnswer",
]
