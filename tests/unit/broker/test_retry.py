"""When to try again and when to give up; where to begin reading; which backend a URL means."""

import asyncio

import pytest

from broker.bus import BusUnavailable, Delivery, Message, TopicPartition
from broker.placing import first_offset_to_read
from broker.retry import Failure, GiveUp, RetryRule, TryAgain, dead_letter, next_step, while_unavailable

RULE = RetryRule(first_s=0.5, longest_s=4.0, max_attempts=3)


def test_a_fault_of_the_surroundings_is_tried_for_ever() -> None:
    waits = [next_step(Failure.SURROUNDINGS, attempts, RULE) for attempts in (1, 2, 3, 4, 5, 10_000)]
    assert waits == [TryAgain(0.5), TryAgain(1.0), TryAgain(2.0), TryAgain(4.0), TryAgain(4.0), TryAgain(4.0)]


def test_what_cannot_be_read_is_given_up_at_once() -> None:
    assert next_step(Failure.UNREADABLE, 1, RULE) == GiveUp()


def test_the_unexpected_gets_a_few_chances() -> None:
    steps = [next_step(Failure.UNEXPECTED, attempts, RULE) for attempts in (1, 2, 3, 4)]
    assert steps == [TryAgain(0.5), TryAgain(1.0), GiveUp(), GiveUp()]


def test_attempts_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="attempts: 0"):
        next_step(Failure.UNREADABLE, 0, RULE)


def test_a_dead_letter_keeps_the_message_and_says_whence() -> None:
    headers = (("ce_id", b"1"), ("dead_reason", b"an older one"))
    delivery = Delivery(Message("tongban.inbox.31", b"k", b"v", headers), 2, 17, 0, "inc")
    letter = dead_letter(delivery, "tongban.dead.31", "ce_id: " + "\u529e" * 300)
    assert (letter.topic, letter.key, letter.value) == ("tongban.dead.31", b"k", b"v")
    got = dict(letter.headers)
    assert len(got) == len(letter.headers)
    assert got["ce_id"] == b"1"
    assert (got["dead_topic"], got["dead_partition"], got["dead_offset"]) == (
        b"tongban.inbox.31",
        b"2",
        b"17",
    )
    assert got["dead_incarnation"] == b"inc"
    assert got["dead_reason"].decode() == "ce_id: " + "\u529e" * 164


async def test_unavailable_is_tried_until_it_works() -> None:
    failures = [BusUnavailable("away"), BusUnavailable("away")]
    async for attempt in while_unavailable(RetryRule(first_s=0.001, longest_s=0.002), asyncio.Event()):
        with attempt:
            if failures:
                raise failures.pop()
    assert attempt.retry_state.attempt_number == 3


async def test_stopping_ends_the_pauses() -> None:
    stopping = asyncio.Event()
    tries = 0

    async def never_works() -> None:
        nonlocal tries
        async for attempt in while_unavailable(RetryRule(first_s=600, longest_s=600), stopping):
            with attempt:
                tries += 1
                asyncio.get_running_loop().call_soon(stopping.set)
                raise BusUnavailable("away")

    with pytest.raises(BusUnavailable):
        await never_works()
    assert tries <= 2


@pytest.mark.parametrize(
    ("asked", "committed", "first"),
    [
        (None, None, 5),
        (None, 7, 7),
        (7, 9, 7),
        (0, 9, 5),
        (3, 9, 5),
        (10, None, 10),
        (11, 9, 5),
        (None, 11, 5),
    ],
)
def test_where_reading_begins(asked: int | None, committed: int | None, first: int) -> None:
    assert first_offset_to_read(TopicPartition("t", 0), asked, committed, earliest=5, end=10) == first
