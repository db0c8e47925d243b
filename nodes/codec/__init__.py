"""The only translator: domain <-> protobuf <-> the bus's Message.

Knows tongban.v1 field by field, the domain types, and the envelope of `broker`. Must not know rules of
cases, tables, faces, or when something is sent. What comes in is checked for form here and nowhere else:
whatever bytes are given, the answer is a domain value or a DecodeError that names the field and does not
repeat its value.

- `record`: an event as bytes, written once; `snapshot`: a case as stored; `exchange`, `carry`: what regions
  send.
- `verbs`, `requests`, `answers`: what faces take and give.
- `kinds`, `shape`, `values`, `bodies`, `private`: the tables behind them.
"""

from nodes.codec.errors import CodecError, DecodeError, EncodeError
from nodes.codec.record import SCHEMA, DecodedEvent, Record, decode_record, encode_event
from nodes.codec.snapshot import (
    decode_case,
    decode_case_state,
    decode_filing,
    encode_case,
    encode_case_state,
    encode_filing,
)

__all__ = [
    "SCHEMA",
    "CodecError",
    "DecodeError",
    "DecodedEvent",
    "EncodeError",
    "Record",
    "decode_case",
    "decode_case_state",
    "decode_filing",
    "decode_record",
    "encode_case",
    "encode_case_state",
    "encode_event",
    "encode_filing",
]
