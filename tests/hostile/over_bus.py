"""Harm that comes over the bus, into the inbox of the node where a case was filed: what is sent, and what becomes
of it.
"""

# ruff: noqa: E501  # a row of the table is a line, so that it can be read as one

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import uuid_utils

from broker.bus import Message
from broker.envelope import MAX_DATA_BYTES
from broker.topics import inbox
from nodes.cases.case import Actor, Role
from nodes.cases.commands import Withdraw
from nodes.codec.carry import ack_subject, carry
from nodes.codec.exchange import (
    KIND_OF,
    Ack,
    Ask,
    AskKind,
    AskRefused,
    EventBatch,
    Exchange,
    GapRequest,
    Snapshot,
    encode_exchange,
)
from nodes.codec.record import DecodedEvent, decode_record, encode_event
from tests.hostile.texts import OVERLONG, SQL, SURROGATE
from tests.hostile.world import World
from tongban.v1 import event_pb2, exchange_pb2

WALL_S = 1_790_000_000.0
Make = Callable[[World, int], Message]
"""(world, place of a case in its `numbers` that is this harm's own) -> message."""


@dataclass(frozen=True, slots=True)
class Sent:
    """`reason`: of the letter, "" when nothing comes of it; `says`: with what its words begin; `ties`: the case
    waits for an operator; `asks`: what is too early is held, and what is missing asked for.
    """

    name: str
    make: Make
    reason: str = ""
    says: str = ""
    ties: bool = False
    asks: bool = False


def sent(content: Exchange, *, source: str = "31", subject: str = "", message_id: str = "") -> Message:
    number = getattr(content, "case_number", "")
    return carry(
        encode_exchange(content), kind=KIND_OF[type(content)], topic=inbox("32"), source=source,
        subject=subject or number or ack_subject(source, "32"), message_id=message_id or uuid_utils.uuid7().hex,
        wall_s=WALL_S,
    )  # fmt: skip


def last(w: World) -> Message:
    """The owner's last word on the first case, once more: taken for the duplicate that it is."""
    event = w.history[-1]
    return sent(EventBatch(event.number, event.version, ((event.core, event.private),)))


def base(w: World, at: int) -> Message:
    """A good message about a case: the first's last once more, or what claims to be another's next."""
    return sent(next_event(w, at)[1]) if at else last(w)


def changed(**changes: Any) -> Make:
    """A good message with another topic, key or value."""
    return lambda w, at: replace(base(w, at), **changes)


def header(name: str, value: bytes | None, *more: tuple[str, bytes]) -> Make:
    """A good message with another header, or without it."""

    def make(w: World, at: int) -> Message:
        message = base(w, at)
        kept = tuple(h for h in message.headers if h[0] != name)
        return replace(message, headers=kept + (() if value is None else ((name, value),)) + more)

    return make


def next_event(w: World, at: int, **core: Any) -> tuple[DecodedEvent, EventBatch]:
    """What could be the next event of a case by its owner, with some of its core made otherwise."""
    found = decode_record(w.history[-1].core, w.history[-1].private)
    number, version = w.numbers[at], 4 if at else 5
    event = replace(found.event, version=version, **core)
    record = encode_event(
        event,
        number,
        event_id=uuid_utils.uuid7().bytes,
        prev_hash=b"h" * 32,
        recipients=("32",),
        salt=b"s" * 16,
    )
    return found, EventBatch(number, version, ((record.core, record.private),))


def forged(**core: Any) -> Make:
    return lambda w, at: sent(next_event(w, at, **core)[1], source=core.get("author", "31"))


def core_bytes(change: Callable[[Any], object]) -> Make:
    """The next event, its core changed as a protobuf."""

    def make(w: World, at: int) -> Message:
        _, batch = next_event(w, at)
        core = event_pb2.EventCore.FromString(batch.records[0][0])
        change(core)
        return sent(replace(batch, records=((core.SerializeToString(), batch.records[0][1]),)))

    return make


def body(change: Callable[[bytes], bytes]) -> Make:
    """A message about a case whose body was changed."""

    def make(w: World, at: int) -> Message:
        message = sent(next_event(w, at)[1])
        return replace(message, value=change(message.value or b""))

    return make


def exchange(change: Callable[[Any], object]) -> Make:
    def other(data: bytes) -> bytes:
        message = exchange_pb2.Exchange.FromString(data)
        change(message)
        return message.SerializeToString()

    return body(other)


def ask(w: World, at: int, **changes: Any) -> Ask:
    found = decode_record(w.history[-1].core, w.history[-1].private)
    asked = Ask(
        uuid_utils.uuid7().hex, w.numbers[at], "31", 1, 1, found.event.recorded_at, AskKind.REQUEST,
        Actor(Role.APPLICANT, "31"), Withdraw("x"),
    )  # fmt: skip
    return replace(asked, **changes)


def ask_bytes(change: Callable[[Any], object]) -> Make:
    def make(w: World, at: int) -> Message:
        message = sent(ask(w, at))
        said = exchange_pb2.Exchange.FromString(message.value or b"")
        change(said.ask)
        return replace(message, value=said.SerializeToString())

    return make


def snapshot(*, source: str) -> Make:
    def make(w: World, at: int) -> Message:
        return sent(Snapshot(w.cases[w.numbers[at]], b"h" * 32, (b"", b"")), source=source)

    return make


def again(w: World, _: int) -> Message:
    return sent(
        EventBatch(w.history[-1].number, 4, ((w.history[-1].core, w.history[-1].private),)),
        message_id="one-id",
    )


def resequenced(w: World, _: int) -> Message:
    first = w.history[0]
    return sent(EventBatch(first.number, 1, ((first.core, first.private),)))


def next_core(w: World, at: int, version: int) -> tuple[bytes, bytes]:
    core = event_pb2.EventCore.FromString(next_event(w, at)[1].records[0][0])
    core.version = version
    return core.SerializeToString(), next_event(w, at)[1].records[0][1]


def from_the_future(core: Any) -> None:
    """A type that no contract has yet."""
    core.ClearField("body")
    core.ClearField("private_hash")
    core.type, core.must_understand = "FromTheFuture", True


def nan_snapshot(w: World, at: int) -> Message:
    message = sent(Snapshot(w.cases[w.numbers[at]], b"h" * 32, (b"", b"")))
    said = exchange_pb2.Exchange.FromString(message.value or b"")
    said.snapshot.case.filing.terms.yellow_share = float("nan")
    return replace(message, value=said.SerializeToString())


def many(count: int) -> tuple[tuple[str, bytes], ...]:
    return tuple((f"x{i}", b"y") for i in range(count))


BAD, ENV = "BAD_MESSAGE", "BAD_ENVELOPE"
BUS: list[Sent] = [
    Sent("no headers at all", changed(headers=()), ENV, "ce_specversion: is missing"),
    *[Sent(f"without {name}", header(name, None), ENV, f"{name}: is missing") for name in ("ce_id", "ce_source", "ce_type", "content-type")],
    Sent("an attribute twice", header("ce_id", b"a", ("ce_id", b"b")), ENV, "ce_id: occurs twice"),
    Sent("an attribute in another spelling", header("ce_x", b"a", ("CE_Source", b"/regions/31")), ENV, "headers"),
    Sent("an older form of envelope", header("ce_specversion", b"0.3"), ENV, "ce_specversion"),
    Sent("a wrong content type", header("content-type", b"application/json"), ENV, "content-type"),
    Sent("a tombstone", changed(value=None), ENV, "value: is a tombstone"),
    Sent("a value too large", changed(value=bytes(MAX_DATA_BYTES + 1)), ENV, "value"),
    Sent("more headers than anybody needs", header("ce_x", b"a", *many(50)), ENV, "headers"),
    Sent("headers over 8 KiB", header("x-much", b"y" * 9_000), ENV, "headers"),
    Sent("the wrong partition key", changed(key=b"another"), ENV, "key: is not the subject"),
    Sent("SQL as the key", header("ce_subject", SQL.encode()), ENV, "ce_subject"),
    Sent("NUL in an id", header("ce_id", b"a\x00b"), ENV, "ce_id: contains U+0000"),
    Sent("overlong UTF-8 in an id", header("ce_id", OVERLONG), ENV, "ce_id: is not valid UTF-8"),
    Sent("half a character in an id", header("ce_id", SURROGATE), ENV, "ce_id: is not valid UTF-8"),
    Sent("bidi in a source", header("ce_source", "/regions/\u202e13".encode()), ENV, "ce_source: contains U+202E"),
    Sent("a sender that looks alike", header("ce_source", "/regions/３１".encode()), ENV, "ce_source"),
    Sent("a sender by another path", header("ce_source", b"/regions/33/../31"), BAD, "ce_source: is not a region"),
    Sent("a sender that is the node itself", header("ce_source", b"/regions/32"), BAD, "ce_source"),
    Sent("a schema that is older than any", header("ce_type", b"cn.tongban.v0.events"), BAD, "ce_type"),
    Sent("a question of a kind that there is not", header("ce_type", b"cn.tongban.v1.greeting", ("ce_answer", b"wanted")), BAD, "ce_type"),
    Sent("news of a kind that there is not", header("ce_type", b"cn.tongban.v1.greeting"), BAD, "ce_type"),
    Sent("a version that nobody speaks", header("ce_type", b"cn.tongban.v9.events"), BAD, "ce_type"),
    Sent("another contract's schema", header("ce_dataschema", b"proto:other.v1.Exchange"), BAD, "ce_dataschema", ties=True),
    Sent("the 30th of February", header("ce_time", b"2026-02-30T00:00:00Z"), ENV, "ce_time"),
    Sent("a time that has no zone", header("ce_time", b"2026-02-03T00:00:00"), ENV, "ce_time"),
    Sent("a message from the future", header("ce_time", b"2199-01-01T00:00:00Z"), BAD, "ce_time: lies in the future", ties=True),
    Sent("a forged traceparent of zeros", header("ce_traceparent", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01"), ENV, "ce_traceparent"),
    Sent("a hop of another case's trace", header("traceparent", b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01", ("tracestate", b"\xff,=,")), ""),
    Sent("no protobuf", body(lambda _: b"\xff" * 40), BAD, "value", ties=True),
    Sent("compressed", body(gzip.compress), BAD, "value", ties=True),
    Sent("half of it", body(lambda b: b[: len(b) // 2]), BAD, "", ties=True),
    Sent("deep groups", body(lambda _: b"\x2b" * 5_000), BAD, "value", ties=True),
    Sent("no version of the contract", exchange(lambda m: m.ClearField("schema")), BAD, "schema", ties=True),
    Sent("no content", exchange(lambda m: m.ClearField("content")), BAD, "content", ties=True),
    Sent("a header and a body that disagree on the kind", header("ce_type", b"cn.tongban.v1.ask"), BAD, "ce_type"),
    Sent("a body about another case", exchange(lambda m: setattr(m.events, "case_number", "X1")), BAD, "ce_subject", ties=True),
    Sent("no records", exchange(lambda m: m.events.ClearField("records")), BAD, "events", ties=True),
    Sent("a record that is cut", core_bytes(lambda c: c.ClearField("after")), "BAD_RECORD", "after", ties=True),
    Sent("a record of the year 30000000000", core_bytes(lambda c: setattr(c.recorded_at, "seconds", 2**60)), "BAD_RECORD", "recorded_at", ties=True),
    Sent("a version beyond an int64", core_bytes(lambda c: setattr(c, "version", 2**64 - 1)), "BAD_RECORD", "version", ties=True),
    Sent("a record of another case", core_bytes(lambda c: setattr(c, "case_number", "X1")), "CASE_MISMATCH", ""),
    Sent("an event by the wrong province", forged(author="33"), "NOT_THE_OWNER", "version 5"),
    Sent("an event that does not follow", forged(), "FORK", "", ties=True),
    Sent("an event that must be understood and is not", core_bytes(from_the_future), "MUST_UNDERSTAND", "version 4", ties=True),
    Sent("the same id with another body", again),
    Sent("an old event again", resequenced),
    Sent("an event far ahead", lambda w, at: sent(replace(next_event(w, at)[1], from_version=900, records=(next_core(w, at, 900),))), asks=True),
    Sent("an ask by the wrong province", lambda w, at: sent(ask(w, at, asker="33", actor=Actor(Role.APPLICANT, "33"))), BAD, "ask.asker"),
    Sent("an ask for another province's actor", lambda w, at: sent(ask(w, at, actor=Actor(Role.OFFICER, "32"))), BAD, "ask.actor.region"),
    Sent("an ask of the year 30000000000", ask_bytes(lambda a: setattr(a.submitted_at, "seconds", 2**61)), BAD, "ask.submitted_at"),
    Sent("an ask of a negative time", ask_bytes(lambda a: setattr(a.submitted_at, "seconds", -1)), BAD, "ask.submitted_at"),
    Sent("an ask of a kind that there is not", ask_bytes(lambda a: setattr(a, "kind", 77)), BAD, "ask.kind"),
    Sent("an ask with NUL in its words", ask_bytes(lambda a: setattr(a.command.withdraw, "reason", "a\0b")), BAD, "ask.command.withdraw.reason"),
    Sent("a refusal of what was never asked", lambda w, at: sent(AskRefused("nobody", w.numbers[at], "TOO_LATE"))),
    Sent("an acknowledgement of another's", lambda w, _: sent(Ack((("C1", 9),)), subject="ack-31-33"), BAD, "ce_subject"),
    Sent("an acknowledgement of what was never sent", lambda w, _: sent(Ack((("C1", 2**40),)))),
    Sent("a question by a province without a part", lambda w, at: sent(GapRequest(w.numbers[at], 1), source="34")),
    Sent("a share that is no number", nan_snapshot, BAD, "snapshot.case.filing.terms.yellow_share"),
    Sent("a snapshot that nobody asked for", snapshot(source="31")),
    Sent("a snapshot by another province", snapshot(source="34")),
]  # fmt: skip
