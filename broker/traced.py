"""Wraps any EventBus with OpenTelemetry: a producer span a message sent, a consumer span a message processed,
and the conventions' counters. Knows headers and the OpenTelemetry API; must not know an SDK, a backend's
client or what a message means.

The hop's context travels as the headers `traceparent` and `tracestate`, set anew by each sender. A message
that brings none of its own is a child of the context it was made in (`ce_traceparent`, kept with it since
then), so a relay that sends it hours later, in another process, continues the same trace.
"""

import re
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from typing_extensions import override

from broker.bus import (
    BusHealth,
    Delivery,
    EventBus,
    LogPosition,
    Message,
    PartitionLag,
    PublishedAt,
    RebalanceHook,
    Start,
    Subscription,
    TopicPartition,
    TopicReport,
    TopicSpec,
    start_at_committed,
)

PROPAGATOR: Final = TraceContextTextMapPropagator()
HOP_HEADERS: Final = ("traceparent", "tracestate")
ORIGIN_HEADERS: Final = MappingProxyType({"traceparent": "ce_traceparent", "tracestate": "ce_tracestate"})


_MEMBER: Final = r"[a-z0-9][_0-9a-z*/@-]{0,240}=[ -+\--<>-~]{0,255}[!-+\--<>-~]"
TRACESTATE: Final = re.compile(rf"(?=.{{0,512}}\Z)({_MEMBER}(,{_MEMBER}){{0,31}})?")
"""The list of W3C Trace Context: keys and values of vendors."""


class MessageTracer:
    """Makes the spans and counts. system: messaging.system ("kafka", "sqlite").

    conversation_id is the message's key, message.id its `ce_id` header.
    """

    def __init__(
        self,
        system: str,
        tracer_provider: TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        self._system = system
        self._tracer = trace.get_tracer("broker", tracer_provider=tracer_provider)
        meter = metrics.get_meter("broker", meter_provider=meter_provider)
        self._sent = meter.create_counter("messaging.client.sent.messages", "{message}")
        self._consumed = meter.create_counter("messaging.client.consumed.messages", "{message}")
        self._send_s = meter.create_histogram("messaging.client.operation.duration", "s")
        self._lag = meter.create_gauge("messaging.consumer.lag", "{message}")
        self._process_s = meter.create_histogram("messaging.process.duration", "s")

    def start_send(self, message: Message) -> tuple[Span, Message]:
        """A started producer span, and the message with the span's context in its headers."""
        span = self._tracer.start_span(
            f"send {message.topic}",
            context=_origin(message),
            kind=SpanKind.PRODUCER,
            attributes=self._attributes(message, "send", "send"),
        )
        carrier: dict[str, str] = {}
        PROPAGATOR.inject(carrier, trace.set_span_in_context(span))
        kept = tuple(header for header in message.headers if header[0] not in HOP_HEADERS)
        hop = tuple((name, carrier[name].encode()) for name in HOP_HEADERS if name in carrier)
        return span, Message(message.topic, message.key, message.value, kept + hop)

    def count_sent(self, messages: Sequence[Message], began: float, error: BaseException | None) -> None:
        """Counts messages of one publish; `began` from time.perf_counter()."""
        labels: dict[str, str] = {"messaging.system": self._system, "messaging.operation.name": "send"}
        if error is not None:
            labels["error.type"] = type(error).__name__
        self._send_s.record(time.perf_counter() - began, labels)
        for message in messages:
            self._sent.add(1, {**labels, "messaging.destination.name": message.topic})

    def count_consumed(self, deliveries: Sequence[Delivery], group: str) -> None:
        """Counts messages that a poll brought."""
        for delivery in deliveries:
            self._consumed.add(1, self._labels(delivery, group, "poll"))

    def record_lag(self, lags: Sequence[PartitionLag], group: str) -> None:
        """Sets the gauge of each partition to what was found just now."""
        for lag in lags:
            labels = {
                "messaging.system": self._system,
                "messaging.destination.name": lag.topic,
                "messaging.destination.partition.id": str(lag.partition),
                "messaging.consumer.group.name": group,
            }
            self._lag.set(lag.lag, labels)

    @contextmanager
    def processing(self, delivery: Delivery, group: str, links: Sequence[Link] = ()) -> Iterator[Span]:
        """A consumer span round the handler of one delivery, current within it: a child of the hop's producer
        span, or of the context the message was made in. An exception marks the span and goes on.

        Several may be open at once, for deliveries that are handled as one batch.
        """
        attributes = {
            **self._attributes(delivery.message, "process", "process"),
            "messaging.consumer.group.name": group,
            "messaging.destination.partition.id": str(delivery.partition),
            "messaging.kafka.offset": delivery.offset,
        }
        began = time.perf_counter()
        labels = self._labels(delivery, group, "process")
        try:
            with self._tracer.start_as_current_span(
                f"process {delivery.message.topic}",
                context=_hop(delivery.message),
                kind=SpanKind.CONSUMER,
                attributes=attributes,
                links=links,
            ) as span:
                yield span
        except BaseException as error:
            labels["error.type"] = type(error).__name__
            raise
        finally:
            self._process_s.record(time.perf_counter() - began, labels)

    def _attributes(self, message: Message, name: str, kind: str) -> dict[str, str | int]:
        attributes: dict[str, str | int] = {
            "messaging.system": self._system,
            "messaging.operation.name": name,
            "messaging.operation.type": kind,
            "messaging.destination.name": message.topic,
            "messaging.message.conversation_id": message.key.decode(errors="replace"),
            "messaging.message.body.size": len(message.value or b""),
        }
        message_id = dict(message.headers).get("ce_id")
        if message_id is not None:
            attributes["messaging.message.id"] = message_id.decode(errors="replace")
        return attributes

    def _labels(self, delivery: Delivery, group: str, operation: str) -> dict[str, str]:
        return {
            "messaging.system": self._system,
            "messaging.operation.name": operation,
            "messaging.destination.name": delivery.message.topic,
            "messaging.consumer.group.name": group,
        }


def _carrier(message: Message, names: Mapping[str, str]) -> dict[str, str]:
    """What a propagator may read: a tracestate only in its form, for it logs what it cannot read."""
    headers = dict(message.headers)
    texts = {
        name: headers[header].decode(errors="replace") for name, header in names.items() if header in headers
    }
    if not TRACESTATE.fullmatch(texts.get("tracestate", "")):
        texts.pop("tracestate", None)
    return texts


def _origin(message: Message) -> Context | None:
    """The context a message was made in; None: the current one."""
    carrier = _carrier(message, ORIGIN_HEADERS)
    return PROPAGATOR.extract(carrier, Context()) if carrier else None


def _hop(message: Message) -> Context:
    """The context of the hop; never the reader's own, which has nothing to do with the message."""
    carrier = _carrier(message, {name: name for name in HOP_HEADERS})
    return PROPAGATOR.extract(carrier or _carrier(message, ORIGIN_HEADERS), Context())


class TracedBus(EventBus):
    """An EventBus that sends and counts through a MessageTracer, and sets a gauge whenever a lag is asked
    for; everything else is the wrapped bus's."""

    def __init__(self, bus: EventBus, tracer: MessageTracer) -> None:
        self._bus = bus
        self.tracer = tracer

    @override
    async def publish(self, messages: Sequence[Message]) -> Sequence[PublishedAt]:
        began = time.perf_counter()
        started = [self.tracer.start_send(message) for message in messages]
        failure: BaseException | None = None
        try:
            return await self._bus.publish([message for _, message in started])
        except BaseException as error:
            failure = error
            raise
        finally:
            self.tracer.count_sent(messages, began, failure)
            for span, _ in started:
                if failure is not None:
                    span.set_status(StatusCode.ERROR, type(failure).__name__)
                    span.set_attribute("error.type", type(failure).__name__)
                span.end()

    @override
    def subscribe(
        self,
        topics: Sequence[str],
        group: str,
        *,
        member: str,
        start: Start = start_at_committed,
        on_assigned: RebalanceHook | None = None,
        on_revoked: RebalanceHook | None = None,
    ) -> Subscription:
        subscription = self._bus.subscribe(
            topics, group, member=member, start=start, on_assigned=on_assigned, on_revoked=on_revoked
        )
        return _CountingSubscription(subscription, group, self.tracer)

    @override
    async def start(self) -> None:
        await self._bus.start()

    @override
    async def close(self) -> None:
        await self._bus.close()

    @override
    async def ensure_topics(self, specs: Sequence[TopicSpec]) -> Sequence[TopicReport]:
        return await self._bus.ensure_topics(specs)

    @override
    async def describe_topics(self, specs: Sequence[TopicSpec]) -> Sequence[TopicReport]:
        return await self._bus.describe_topics(specs)

    @override
    async def lag(self, group: str, topics: Sequence[str]) -> Sequence[PartitionLag]:
        lags = await self._bus.lag(group, topics)
        self.tracer.record_lag(lags, group)
        return lags

    @override
    async def incarnation(self, topic: str) -> str:
        return await self._bus.incarnation(topic)

    @override
    async def healthy(self) -> BusHealth:
        return await self._bus.healthy()


class _CountingSubscription(Subscription):
    """A Subscription whose polls are counted. The process span is the reader's to open: it covers the
    handler.
    """

    def __init__(self, subscription: Subscription, group: str, tracer: MessageTracer) -> None:
        self._subscription = subscription
        self._group = group
        self._tracer = tracer

    @override
    async def poll(self, max_records: int = 500, timeout_s: float = 1.0) -> Sequence[Delivery]:
        deliveries = await self._subscription.poll(max_records, timeout_s)
        self._tracer.count_consumed(deliveries, self._group)
        return deliveries

    @override
    async def batches(self, max_records: int = 500) -> AsyncIterator[Sequence[Delivery]]:
        async for deliveries in self._subscription.batches(max_records):
            self._tracer.count_consumed(deliveries, self._group)
            yield deliveries

    @override
    async def commit(self, positions: Iterable[LogPosition]) -> None:
        await self._subscription.commit(positions)

    @override
    def assigned(self) -> frozenset[TopicPartition]:
        return self._subscription.assigned()

    @override
    async def close(self) -> None:
        await self._subscription.close()
