"""Calls of Kafka's clients: their time limit, their errors in our words, and whose a cancellation is."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import errors

from broker.bus import BusTimeout, BusUnavailable
from broker.kafka.clients import within


async def test_a_call_that_takes_too_long_is_a_timeout() -> None:
    with pytest.raises(BusTimeout, match="did not commit within"):
        async with within(0.01, "commit"):
            await asyncio.sleep(5)


async def test_an_error_of_the_client_comes_in_our_words() -> None:
    with pytest.raises(BusUnavailable, match="KafkaConnectionError"):
        async with within(1, "commit"):
            raise errors.KafkaConnectionError


async def test_a_client_called_off_inside_does_not_call_off_who_asks() -> None:
    """A client that is closed while it is asked may cancel the future that the caller waits for."""
    answer = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.01, answer.cancel)
    with pytest.raises(BusUnavailable, match="gave up before it did commit"):
        async with within(1, "commit"):
            await answer


async def test_who_asks_can_be_called_off() -> None:
    async def ask() -> None:
        async with within(5, "commit"):
            await asyncio.sleep(5)

    asking = asyncio.create_task(ask())
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await ask()
