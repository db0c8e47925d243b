"""The one place that chooses implementations and puts a node together.

Knows every room and the order in which a node starts and stops. Contains no rule. A node that cannot reach
its bus starts all the same: it files and answers, and says so in its health.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version

from broker.bus import BusError, EventBus
from broker.topics import specs
from broker.traced import MessageTracer
from broker.url import open_bus
from nodes.automatic import Automatic, Registers, silent
from nodes.business_time import BusinessClock
from nodes.config import REGIONS, NodeConfig
from nodes.desk.batch import Batch
from nodes.desk.context import Context
from nodes.desk.desk import Desk
from nodes.desk.reader import Changes, Reader
from nodes.desk.writer import Writer
from nodes.inbox import Inbox
from nodes.measuring import Backlogs, count
from nodes.outbox import Relay
from nodes.settings import Settings
from nodes.spans import rows_for_store
from nodes.store.migrate import migrate
from nodes.store.store import Store, WriteTx
from nodes.telemetry import SpanRow, Telemetry, start_telemetry
from nodes.telemetry.metrics import NodeMetrics
from nodes.timers import Timers
from regions.calendar import load_calendar, work_calendar
from regions.check import verify_data

__all__ = ["REGIONS", "NodeConfig", "Parts", "config_of", "open_parts"]


@dataclass(slots=True, kw_only=True)
class Parts:
    """The rooms of a running node, as faces need them."""

    config: NodeConfig
    context: Context
    store: Store
    bus: EventBus
    telemetry: Telemetry
    desk: Desk
    writer: Writer
    reader: Reader
    changes: Changes
    inbox: Inbox
    relay: Relay
    timers: Timers
    automatic: Automatic
    metrics: NodeMetrics


async def open_parts(config: NodeConfig, stack: AsyncExitStack) -> Parts:
    """Everything of a node but its faces, started; `stack` ends it in the reverse order.

    Raises DataError for broken facts, StoreError when the database cannot be had.
    """
    verify_data()
    await migrate(config.database_url)
    store = await Store.open(config.database_url)
    stack.push_async_callback(store.close)
    secret, incarnation = await store.transact(_identity)

    async def keep(rows: Sequence[SpanRow]) -> None:
        async with store.write(durable=False) as unit:
            await unit.insert_spans(rows_for_store(rows))

    telemetry = start_telemetry(
        config.region, version("tongban"), keep, otlp_endpoint=config.otlp_endpoint or None
    )
    stack.push_async_callback(telemetry.stop)
    tracer = telemetry.tracer
    calendar = load_calendar(config.calendar_dir) if config.calendar_dir else work_calendar()
    context = Context(
        region=config.region, calendar=calendar, now=config.clock.now, wall_s=time.time, lanes=config.lanes,
        hold_limit=config.hold_limit, resend_after_s=config.resend_after_s, process=config.process,
        applicant_secret=secret,
    )  # fmt: skip
    bus = open_bus(config.bus_url)
    await bus.start()
    stack.push_async_callback(bus.close)
    system = config.bus_url.partition(":")[0]
    writer = Writer(store, context, batch_size=config.batch_size, queue_limit=config.queue_limit)
    desk = Desk(store, writer, context, incarnation=incarnation)
    reader = Reader(store, config.region)
    changes = Changes(store, poll_s=config.poll_s)
    messages = MessageTracer(system, telemetry)
    inbox = Inbox(bus, store, writer, messages, process=config.process)
    relay = Relay(
        bus, store, context, tracer, system=system, lease_s=config.lane_lease_s, incarnation=incarnation
    )
    timers = Timers(store, writer, config.clock, tracer, poll_s=config.poll_s)
    automatic = Automatic(store, desk, writer, reader, tracer, registers=config.registers)

    metrics = NodeMetrics(config.region, version("tongban"))
    metrics.watch_spans(telemetry)
    backlogs = Backlogs(metrics, store, bus, config.region, inbox.group)

    def after(batch: Batch) -> None:
        count(metrics, batch, config.region)
        if batch.writes.outbox:
            relay.wake()
        if any(sheet.written for sheet in batch.sheets.values()):
            changes.wake()
            timers.wake()
            automatic.look(batch)

    writer.listen(after)
    topics = asyncio.create_task(_topics(bus, config), name="topics")
    stack.callback(topics.cancel)
    rooms: list[tuple[Callable[[], Awaitable[None]], Callable[[], Awaitable[None]]]] = [
        (writer.start, writer.close),
        (relay.start, relay.close),
        (changes.start, changes.close),
        (automatic.start, automatic.close),
        (timers.start, timers.close),
        (inbox.start, inbox.close),
        (backlogs.start, backlogs.close),
    ]
    for start, close in rooms:
        await start()
        stack.push_async_callback(close)
    return Parts(
        config=config, context=context, store=store, bus=bus, telemetry=telemetry, desk=desk, writer=writer,
        reader=reader, changes=changes, inbox=inbox, relay=relay, timers=timers, automatic=automatic,
        metrics=metrics,
    )  # fmt: skip


async def _identity(unit: WriteTx) -> tuple[bytes, int]:
    """The secret of applicant keys and the incarnation, made once for the region's database."""
    secret = await unit.get_meta("applicant_secret")
    if secret is None:
        secret = secrets.token_hex(32)
        await unit.set_meta("applicant_secret", secret)
    incarnation = await unit.get_meta("incarnation")
    if incarnation is None:
        incarnation = "1"
        await unit.set_meta("incarnation", incarnation)
    return bytes.fromhex(secret), int(incarnation)


async def _topics(bus: EventBus, config: NodeConfig) -> None:
    """Create what is missing as soon as the bus is there."""
    pause = 0.1
    while True:
        try:
            await bus.ensure_topics(specs(REGIONS, config.topic_plan))
            return
        except BusError:
            await asyncio.sleep(pause)
            pause = min(5.0, pause * 2)


def config_of(settings: Settings, registers: Registers = silent) -> NodeConfig:
    """The plain values of one node's settings."""
    return NodeConfig(
        region=settings.region,
        listen=settings.listen_address,
        database_url=settings.database,
        bus_url=settings.bus_url,
        materials_dir=settings.materials,
        peers=settings.peers,
        process=settings.process,
        insecure=settings.insecure,
        clock=BusinessClock(settings.business_start, settings.business_epoch_s, settings.business_rate),
        calendar_dir=settings.calendar,
        lanes=settings.lanes,
        lane_lease_s=settings.lane_lease_s,
        resend_after_s=settings.resend_after_s,
        hold_limit=settings.hold_limit,
        batch_size=settings.batch_size,
        queue_limit=settings.queue_limit,
        poll_s=settings.poll_s,
        drain_s=settings.drain_s,
        rpc_timeout_s=settings.rpc_timeout_s,
        max_message_bytes=settings.max_message_bytes,
        max_metadata_bytes=settings.max_metadata_bytes,
        max_material_bytes=settings.max_material_bytes,
        max_streams=settings.max_streams,
        partitions=settings.partitions,
        replication=settings.replication,
        min_insync=settings.min_insync,
        promised_outage_days=settings.promised_outage_days,
        topic_retention_days=settings.topic_retention_days,
        otlp_endpoint=settings.otlp_endpoint,
        registers=registers,
    )
