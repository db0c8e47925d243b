"""What may not be said aloud: the fields and shapes of personal data, and how a log line is rid of them.

Knows names of fields and patterns of text. Must not know logging or any store. Log values are codes, numbers
and plain English: Chinese text, identity numbers, telephone and card numbers and mail addresses are masked
wherever they stand, and fields that are personal by name are masked whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

MASK: Final = "[masked]"

_PERSONAL: Final = frozenset(
    [
        "name",
        "names",
        "surname",
        "applicant",
        "agent",
        "person",
        "spouse",
        "phone",
        "mobile",
        "telephone",
        "tel",
        "fax",
        "address",
        "addr",
        "residence",
        "email",
        "mail",
        "birth",
        "birthday",
        "birthdate",
        "identity",
        "idcard",
        "id_card",
        "id_number",
        "id_no",
        "document_number",
        "passport",
        "permit",
        "uscc",
        "account",
        "iban",
        "card",
        "bank",
        "form",
        "fields",
        "answers",
        "signature",
        "photo",
        "note",
        "notes",
        "comment",
        "remark",
        "reasons",
        "payload",
        "body",
    ]
)
"""A field is personal when its name, or a word of it, is one of these."""

_NOT_PERSONAL: Final = frozenset(
    [
        "span_name",
        "topic_name",
        "logger_name",
        "thread_name",
        "event_name",
        "host_name",
        "listen_address",
        "peer_address",
        "server_address",
        "body_bytes",
        "body_size",
    ]
)

_CJK: Final = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_SHAPES: Final = re.compile(
    rf"[{_CJK}][{_CJK}0-9A-Za-z·,\-]*"
    r"|[A-Za-z0-9._%+\-]+@[A-Za-z0-9.\-]+"
    r"|(?<![0-9A-Za-z])[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}(?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z])(?:[0-9]{15,19}|[0-9]{17}[Xx])(?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z])(?:\+?86[ \-]?)?1[3-9][0-9](?:[ \-]?[0-9]{4}){2}(?![0-9A-Za-z])"
)
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
_QUANTITIES: Final = ("_ns", "_us", "_ms", "_s", "_bytes", "bytes", "offset", "count")
_DEEPEST: Final = 4
_LONGEST: Final = 2_000


def is_personal(field: str) -> bool:
    """Whether a field of this name is masked whatever it holds."""
    lowered = field.lower()
    if lowered in _NOT_PERSONAL:
        return False
    return lowered in _PERSONAL or not _PERSONAL.isdisjoint(re.split(r"[_.\-\s]+", lowered))


def mask_text(text: str) -> str:
    """The text without what looks personal, without control characters, and not endless."""
    return _CONTROLS.sub("?", _SHAPES.sub(MASK, text[:_LONGEST]))


def mask_value(value: object, field: str = "", depth: int = 0) -> object:
    """The value as it may be logged: text and numbers masked by shape, containers through and through; of any
    other object only its type is said, for its text may hold anything.
    """
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if field.endswith(_QUANTITIES) or mask_text(str(value)) == str(value) else MASK
    if isinstance(value, str):
        return mask_text(str(value))
    if depth >= _DEEPEST:
        return f"<{type(value).__name__}>"
    if isinstance(value, Mapping):
        return {mask_text(str(key)): mask_field(str(key), item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask_value(item, field, depth + 1) for item in value]
    return f"<{type(value).__name__}>"


def mask_field(field: str, value: object, depth: int = 0) -> object:
    """The value of a named field as it may be logged."""
    if is_personal(field):
        return None if value is None else MASK
    return mask_value(value, field, depth)
