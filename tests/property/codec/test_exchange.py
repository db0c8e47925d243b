"""Every kind of message between regions comes back the same, and header and body must agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.envelope import Envelope, open_
from nodes.cases import case as c
from nodes.cases import commands as k
from nodes.codec.carry import CarryError, carry, read_message, subject_of
from nodes.codec.errors import EncodeError
from nodes.codec.exchange import (
    KIND_OF,
    Ack,
    Ask,
    AskKind,
    AskRefused,
    CaseHead,
    EventBatch,
    Exchange,
    GapRequest,
    KeptAsk,
    Recall,
    Recalled,
    ServiceRequest,
    Snapshot,
    decode_exchange,
    encode_exchange,
)
from nodes.codec.verbs import COMMAND, VERB_OF
from tests.property.codec import strategies as some

quick = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
records = st.lists(
    st.tuples(st.binary(min_size=1, max_size=30), st.binary(max_size=30)), min_size=1, max_size=4
)
counts = st.integers(1, 2**40)
UNSENT = {k.PreCheck: {"handover_id"}, k.HandOver: {"handover_id"}, k.Withdraw: {"deemed"}}
"""Fields of a command that its author does not say."""


def sendable(kind: type[Any]) -> st.SearchStrategy[Any]:
    blank = {"deemed": False, "handover_id": ""}
    return some.value(kind).map(lambda v: replace(v, **{f: blank[f] for f in UNSENT.get(kind, ())}))


asks = st.builds(
    Ask,
    ask_id=some.names,
    case_number=some.names,
    asker=st.just("32"),
    ask_seq=counts,
    based_on_version=counts,
    submitted_at=some.times,
    kind=st.sampled_from(list(AskKind)),
    actor=st.builds(c.Actor, st.sampled_from(list(c.Role)), st.just("32"), some.names, some.texts),
    command=sendable(k.Correct) | sendable(k.Rate),
)
contents: dict[type[Any], st.SearchStrategy[Any]] = {
    ServiceRequest: st.builds(
        ServiceRequest,
        some.names,
        records.map(tuple),
        some.names,
        counts,
        st.binary(min_size=16, max_size=16),
    ),
    EventBatch: st.builds(EventBatch, some.names, counts, records.map(tuple)),
    Ask: asks,
    AskRefused: st.builds(AskRefused, some.names, some.names, some.names, some.texts, some.texts, counts),
    Ack: st.builds(
        Ack,
        st.lists(st.tuples(some.names, counts), max_size=3).map(tuple),
        st.lists(some.names, max_size=3).map(tuple),
        st.lists(some.names, max_size=3).map(tuple),
    ),
    GapRequest: st.builds(GapRequest, some.names, counts, counts),
    Recall: st.builds(Recall, some.names, st.integers(0, 2**31), some.times, some.names),
    Recalled: st.builds(
        Recalled,
        some.names,
        st.integers(0, 2**31),
        st.lists(
            st.builds(
                CaseHead,
                some.names,
                counts,
                st.binary(min_size=32, max_size=32),
                st.lists(st.builds(KeptAsk, asks, st.integers(0, 9), some.names, some.texts), max_size=2).map(
                    tuple
                ),
            ),
            max_size=2,
        ).map(tuple),
        some.names,
        some.names,
        some.times,
    ),
    Snapshot: st.builds(
        Snapshot,
        some.cases,
        st.binary(min_size=32, max_size=32),
        st.tuples(st.binary(min_size=1), st.binary()),
    ),
}


@pytest.mark.parametrize("command", VERB_OF, ids=lambda kind: kind.__name__)
@quick
@given(data=st.data())
def test_every_command_comes_back_the_same(command: type[Any], data: st.DataObject) -> None:
    value = data.draw(sendable(command))
    assert COMMAND.take(COMMAND.put(value)) == value


@pytest.mark.parametrize(
    "command", [c for c in some.COMMANDS if c not in VERB_OF], ids=lambda kind: kind.__name__
)
def test_what_nobody_may_ask_for_has_no_form(command: type[Any]) -> None:
    assert command.__name__ in {
        "File", "Receive", "RejectHandover", "RecomputeDeadlines", "FilePart", "FoldPart", "NoticeOverdue",
        "CorrectionOverdue", "LackOverdue", "ProcedureOverdue", "ChangeLight",
    }  # fmt: skip
    with pytest.raises(EncodeError):
        COMMAND.put(object.__new__(command))


@pytest.mark.parametrize("kind", contents, ids=lambda kind: kind.__name__)
@quick
@given(data=st.data())
def test_every_exchange_comes_back_the_same(kind: type[Any], data: st.DataObject) -> None:
    content = data.draw(contents[kind])
    encoded = encode_exchange(content)
    assert decode_exchange(encoded) == content
    opened = read_message(opened_from_bus(content), "31")
    assert (opened.source, opened.content) == ("32", content)


def opened_from_bus(content: Exchange) -> Envelope:
    """Through a Message, as it goes from 32 to 31."""
    subject = subject_of(content, "32", "31")
    message = carry(
        encode_exchange(content),
        kind=KIND_OF[type(content)],
        topic="tongban.inbox.31",
        subject=subject,
        source="32",
        message_id="32-1",
        wall_s=1_790_000_000.5,
    )
    assert message.key == subject.encode()
    return open_(message)


GAP = GapRequest("C1", 1, 2)
ASK = Ask(
    "a", "C1", "32", 1, 1, some.START, AskKind.REQUEST, c.Actor(c.Role.APPLICANT, "32"), k.Withdraw("x")
)


@pytest.mark.parametrize(
    ("content", "change", "field"),
    [
        (GAP, {"source": "/regions/3x"}, "ce_source"),
        (GAP, {"source": "/regions/31"}, "ce_source"),
        (GAP, {"source": "/regions/３２"}, "ce_source"),
        (GAP, {"type": "cn.tongban.v1.events"}, "ce_type"),
        (GAP, {"type": "cn.tongban.v2.gap_request"}, "ce_type"),
        (GAP, {"subject": "C2"}, "ce_subject"),
        (GAP, {"dataschema": "proto:other"}, "ce_dataschema"),
        (GAP, {"data": b"\xff"}, "value"),
        (GAP, {"data": b""}, "schema"),
        (GAP, {"data": b"\x08\x01"}, "content"),
        (Ack((("C1", 1),)), {"subject": "ack-33-31"}, "ce_subject"),
        (Ack((("C1", 1),)), {"source": "/regions/33"}, "ce_subject"),
        (Recall("a", 1), {"subject": "recall-33-31-1"}, "ce_subject"),
        (Recall("a", 1), {"subject": "recall-32-31-one"}, "ce_subject"),
        (Recalled("a", 1), {"subject": "recalled-33-31"}, "ce_subject"),
        (ASK, {"source": "/regions/33"}, "ask.asker"),
        (replace(ASK, forwarded_by="34"), {}, "ask.forwarded_by"),
        (replace(ASK, actor=c.Actor(c.Role.APPLICANT, "34")), {}, "ask.actor.region"),
    ],
)
def test_header_and_body_that_disagree_are_refused(
    content: Exchange, change: dict[str, Any], field: str
) -> None:
    envelope = replace(opened_from_bus(content), **change)
    with pytest.raises(CarryError) as raised:
        read_message(envelope, "31")
    assert raised.value.field == field


def test_a_former_owner_forwards_an_ask_as_it_is() -> None:
    forwarded = replace(ASK, asker="34", actor=c.Actor(c.Role.APPLICANT, "34"), forwarded_by="32")
    assert read_message(opened_from_bus(forwarded), "31").content == forwarded
