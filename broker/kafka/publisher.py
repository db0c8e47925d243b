"""The writing side: one idempotent producer, thrown away and built anew when it is stuck.

Knows aiokafka's producer; must not know readers.
"""

import asyncio
import logging
from collections.abc import Sequence
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    UnknownTopicOrPartitionError,
)
from aiokafka.structs import RecordMetadata

from broker.bus import BusUnavailable, Message, MessageTooLarge, PublishedAt, TopicMissing
from broker.kafka.clients import KafkaSettings, begin, end, in_our_words, within
from broker.kafka.cluster import Cluster
from broker.limits import MAX_MESSAGE_BYTES, message_bytes

FRAMING_BYTES = 48_000
"""Room for a batch's own bytes round one message of the largest size, within Kafka's default limit."""

log = logging.getLogger(__name__)


class Publisher:
    """Publishes through a producer that is made when first needed."""

    def __init__(self, settings: KafkaSettings, cluster: Cluster) -> None:
        self._settings = settings
        self._cluster = cluster
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._known: set[str] = set()

    async def publish(self, messages: Sequence[Message]) -> Sequence[PublishedAt]:
        """See `broker.bus.EventBus.publish`; the messages' form has been checked."""
        if unknown := {message.topic for message in messages} - self._known:
            await self._cluster.existing(sorted(unknown))  # a producer that mentions a topic might make it
            self._known |= unknown
        producer = await self._ready()
        answers: list[asyncio.Future[RecordMetadata]] = []
        try:
            async with within(self._settings.publish_timeout_s, "acknowledge"):
                # `send` queues in the order of the calls, and waits only when its buffer is full.
                for message in messages:
                    answers.append(  # noqa: PERF401 - what was queued before a failure must be known
                        await producer.send(
                            message.topic, message.value, message.key, headers=list(message.headers)
                        )
                    )
                results = await asyncio.gather(*answers, return_exceptions=True)
        except BaseException as error:
            for answer in answers:
                answer.add_done_callback(_heard)
            if isinstance(error, BusUnavailable):
                await self._discard(producer)
            raise
        places = []
        for message, result in zip(messages, results, strict=True):
            if isinstance(result, BaseException):
                raise await self._failure(producer, message, result)
            places.append(PublishedAt(result.topic, result.partition, result.offset))
        return places

    async def close(self) -> None:
        """Ends the producer; what it had not sent is not sent any more."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await self._end(producer)

    async def _failure(
        self, producer: AIOKafkaProducer, message: Message, failure: BaseException
    ) -> BaseException:
        """What to raise for a message that was not written; gives up a producer that needs replacing."""
        if isinstance(failure, MessageSizeTooLargeError | RecordListTooLargeError):
            return MessageTooLarge(message_bytes(message), MAX_MESSAGE_BYTES)
        if isinstance(failure, UnknownTopicOrPartitionError):
            self._known.discard(message.topic)
            return TopicMissing(message.topic)
        if not isinstance(failure, KafkaError | OSError):
            return failure
        error = in_our_words(failure)
        if isinstance(error, BusUnavailable):
            await self._discard(producer)
        return error

    async def _ready(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._settings.common(),
                    acks="all",
                    enable_idempotence=True,
                    compression_type=self._settings.compression,
                    linger_ms=self._settings.linger_ms,
                    max_batch_size=self._settings.max_batch_bytes,
                    max_request_size=MAX_MESSAGE_BYTES + FRAMING_BYTES,
                )
                try:
                    await begin(producer.start, self._settings.request_timeout_s, "take a producer")
                except BaseException:
                    await self._end(producer)
                    raise
                self._producer = producer
            return self._producer

    async def _discard(self, producer: AIOKafkaProducer) -> None:
        """The next publish has a new producer; this one sends nothing any more, for what it held is published
        again by whoever was told that it failed."""
        if self._producer is producer:
            self._producer = None
            log.warning("the Kafka producer is replaced by a new one")
        await self._end(producer)

    async def _end(self, producer: AIOKafkaProducer) -> None:
        # `stop` would first send what is held, for ever if need be: the sending task is ended before.
        sender = producer._sender  # noqa: SLF001 - there is no other way
        accumulator = producer._message_accumulator  # noqa: SLF001 - the same
        if sender is not None and sender.sender_task is not None:
            sender.sender_task.cancel()
        for batch in (*chain.from_iterable(accumulator._batches.values()), *accumulator._pending_batches):  # noqa: SLF001
            batch._drain_waiter.add_done_callback(_heard)  # noqa: SLF001 - fails too, and mostly unheard
        accumulator.fail_all(BusUnavailable("the producer was given up"))
        await end(producer.stop, producer.client.close)


def _heard(answer: asyncio.Future[Any]) -> None:
    """Nobody waits for it any more, so its failure is no news either."""
    if not answer.cancelled():
        answer.exception()
