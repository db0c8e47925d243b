"""A question of an unknown kind is refused to its sender; nothing else is answered, and no answer is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.envelope import Envelope, open_
from nodes.codec.carry import QUESTIONS, TYPE_PREFIX, WANTED, UnknownKind, carry, read_message
from nodes.codec.exchange import SHAPES, AskRefused, Recall, encode_exchange


def said(kind: str, content: AskRefused | Recall, subject: str) -> Envelope:
    """As 32 sends it to 31, and the bus brings it."""
    message = carry(
        encode_exchange(content), kind=kind, topic="tongban.inbox.31", subject=subject, source="32",
        message_id="32-1-7", wall_s=1_790_000_000.5,
    )  # fmt: skip
    return open_(message)


RECALL = said("recall", Recall("a", 1), "recall-32-31-1")
REFUSED = said("ask_refused", AskRefused("a", "C1", "NOT_UNDERSTOOD"), "C1")


def unknown(envelope: Envelope) -> UnknownKind:
    """What comes of it where its kind is called something else."""
    with pytest.raises(UnknownKind) as raised:
        read_message(replace(envelope, type=f"{TYPE_PREFIX}greeting"), "31")
    return raised.value


def test_a_question_says_on_its_envelope_that_it_wants_an_answer() -> None:
    assert WANTED in RECALL.extensions
    assert WANTED not in REFUSED.extensions


def test_who_asks_by_an_unknown_kind_is_told_by_the_id_of_the_message() -> None:
    found = unknown(RECALL)
    assert (found.source, found.message_id) == ("32", "32-1-7")
    assert found.refused == AskRefused("32-1-7", "recall-32-31-1", "NOT_UNDERSTOOD", "ce_type")


def test_who_wants_no_answer_is_told_nothing() -> None:
    assert unknown(REFUSED).refused is None
    assert unknown(replace(RECALL, extensions=())).refused is None
    assert unknown(replace(RECALL, extensions=(("answer", "no"),))).refused is None


def test_what_is_told_wants_no_answer_and_is_known_to_every_contract() -> None:
    refused = unknown(RECALL).refused
    assert refused is not None
    back = said("ask_refused", refused, refused.case_number)
    assert WANTED not in back.extensions
    assert read_message(back, "31").content == refused


def test_an_answer_is_no_question() -> None:
    answers = {"service_request", "events", "ask_refused", "ack", "snapshot", "recalled"}
    assert answers | QUESTIONS == SHAPES.keys()
    assert not answers & QUESTIONS
