"""The one place that chooses implementations and puts a node together.

Knows every room and the order in which a node starts and stops. Contains no rule. A node that cannot reach
its bus starts all the same: it files and answers, and says so in its health.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points, version

from broker.bus import BusError, EventBus
from broker.topics import inbox, specs
from broker.traced import MessageTracer
from broker.url import open_bus
from nodes.automatic import Automatic, Registers, silent
from nodes.business_time import BusinessClock, HeldClock
from nodes.config import REGIONS, NodeConfig
from nodes.desk.batch import Batch
from nodes.desk.context import Context
from nodes.desk.desk import Desk
from nodes.desk.reader import Changes, Reader
from nodes.desk.routing import refusal_of
from nodes.desk.writer import Writer
from nodes.inbox import Inbox
from nodes.materials.book import MaterialBook
from nodes.materials.store import MaterialStore
from nodes.measuring import Backlogs, count
from nodes.operations.health import Health, Room
from nodes.operations.operations import Operations
from nodes.operations.retention import Retention
from nodes.operations.traces import Traces
from nodes.outbox import Relay
from nodes.recovery import Recovery
from nodes.rpc.gates import Crowd
from nodes.rpc.peer import Peers
from nodes.rpc.server import CannotListen, Face, Limits, NotLoopback
from nodes.settings import Settings, SettingsError
from nodes.spans import rows_for_store
from nodes.store.errors import StoreError
from nodes.store.identity import identity
from nodes.store.migrate import migrate
from nodes.store.store import Store
from nodes.telemetry import SpanRow, Telemetry, start_telemetry
from nodes.telemetry.logs import configure_logs, node_log
from nodes.telemetry.metrics import MetricsPortTaken, MetricsServer, NodeMetrics
from nodes.telemetry.node import BadTelemetry
from nodes.timers import Timers
from regions.calendar import load_calendar, work_calendar
from regions.check import verify_data

__all__ = ["REGIONS", "Node", "NodeConfig", "Parts", "config_of", "open_node", "open_parts", "serve"]


_verify_facts = cache(verify_data)
"""Once a process: the shipped facts do not change while it runs."""


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
    recovery: Recovery
    metrics: NodeMetrics


async def open_parts(config: NodeConfig, stack: AsyncExitStack) -> Parts:
    """Everything of a node but its faces, started; `stack` ends it in the reverse order.

    Raises DataError for broken facts, StoreError when the database cannot be had.
    """
    _verify_facts()
    await migrate(config.database_url)
    store = await Store.open(config.database_url)
    stack.push_async_callback(store.close)
    secret, incarnation = await store.transact(lambda unit: identity(unit, config.region))

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
        applicant_secret=secret, refuse_handover=refusal_of(config.region),
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
    reading = Inbox(bus, store, writer, messages, process=config.process)
    relay = Relay(
        bus, store, context, tracer, system=system, lease_s=config.lane_lease_s, incarnation=incarnation
    )
    timers = Timers(store, writer, config.clock, tracer, poll_s=config.poll_s)
    automatic = Automatic(store, desk, writer, reader, tracer, registers=config.registers)

    metrics = NodeMetrics(config.region, version("tongban"))
    metrics.watch_spans(telemetry)
    metrics.watch_tasks(asyncio.get_running_loop())
    backlogs = Backlogs(metrics, store, bus, config.region, reading.group)

    def after(batch: Batch) -> None:
        count(metrics, batch, config.region)
        if any(row.kind != "ack" for row in batch.writes.outbox):
            relay.wake()  # an acknowledgement alone is in no hurry: it goes with what is sent next
        if any(sheet.written for sheet in batch.sheets.values()):
            changes.wake()
            timers.wake(batch.next_due_at)
            automatic.look(batch)

    writer.listen(after)
    topics = asyncio.create_task(_topics(bus, config), name="topics")
    stack.callback(topics.cancel)

    def renumber(now: int) -> None:
        desk.renumber(now)
        relay.renumber(now)

    async def carry() -> None:
        await relay.start()
        await reading.start()

    async def work() -> None:
        await automatic.start()
        await timers.start()

    recovery = Recovery(
        bus, store, writer, others=REGIONS, group=reading.group, incarnation=incarnation,
        wait_s=config.recovery_s, renumber=renumber, carry=carry, work=work,
    )  # fmt: skip
    rooms: list[tuple[Callable[[], Awaitable[None]] | None, Callable[[], Awaitable[None]]]] = [
        (None, relay.close),  # recovery says when it starts; it ends last, for it sends what the others wrote
        (writer.start, writer.close),
        (changes.start, changes.close),
        (None, automatic.close),
        (None, timers.close),
        (None, reading.close),
        (backlogs.start, backlogs.close),
        (recovery.start, recovery.close),
    ]
    for start, close in rooms:
        stack.push_async_callback(close)
        if start is not None:
            await start()
    return Parts(
        config=config, context=context, store=store, bus=bus, telemetry=telemetry, desk=desk, writer=writer,
        reader=reader, changes=changes, inbox=reading, relay=relay, timers=timers, automatic=automatic,
        recovery=recovery, metrics=metrics,
    )  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Node:
    """A running node with its faces. `address`: host:port of the gRPC face; metrics_port: 0 when none."""

    parts: Parts
    operations: Operations
    address: str
    metrics_port: int
    _stack: AsyncExitStack

    async def close(self) -> None:
        """Stop taking calls, let those under way end within `drain_s`, then end the rooms. Again: nothing."""
        await self._stack.aclose()


async def open_node(config: NodeConfig) -> Node:
    """A whole node, serving. Raises what `open_parts` does, CannotListen, NotLoopback, MetricsPortTaken."""
    async with AsyncExitStack() as stack:
        parts = await open_parts(config, stack)
        materials = MaterialStore(config.materials_dir, max_bytes=config.max_material_bytes)
        peers = Peers(
            config.region, config.peers, materials, timeout_s=config.rpc_timeout_s,
            max_message_bytes=config.max_message_bytes,
        )  # fmt: skip
        stack.push_async_callback(peers.close)
        retention = Retention(parts.store, config.terms, process=config.process, wall_s=parts.context.wall_s)
        await retention.start()
        stack.push_async_callback(retention.close)
        operations = _operations(parts, peers, retention)
        metrics_port = 0
        if config.metrics_port:
            metrics = MetricsServer(parts.metrics, config.metrics_port)
            stack.push_async_callback(metrics.stop)
            metrics_port = metrics.port
        face = _face(parts, operations, materials, peers)
        stack.push_async_callback(face.close, config.drain_s)
        address = await face.start(config.listen, insecure=config.insecure)
        return Node(
            parts=parts, operations=operations, address=address, metrics_port=metrics_port,
            _stack=stack.pop_all(),
        )  # fmt: skip


def _face(parts: Parts, operations: Operations, materials: MaterialStore, peers: Peers) -> Face:
    config, context = parts.config, parts.context
    limits = Limits(
        max_message_bytes=config.max_message_bytes, max_metadata_bytes=config.max_metadata_bytes,
        max_streams=config.max_streams, timeout_s=config.rpc_timeout_s, keepalive_s=config.keepalive_s,
        crowd=Crowd(
            max_calls=config.max_calls, peer_calls=config.peer_calls, client_calls=config.client_calls,
            max_open_streams=config.max_open_streams, peer_streams=config.peer_streams,
            peer_rate=config.peer_rate, client_rate=config.client_rate, patience_s=config.patience_s,
            slow_reader_s=config.slow_reader_s,
        ),
    )  # fmt: skip
    return Face(
        config.region, desk=parts.desk, reader=parts.reader, changes=parts.changes, operations=operations,
        materials=materials, book=MaterialBook(parts.store, context.wall_s), peers=peers,
        tracer=parts.telemetry.tracer, now=context.now, calendar=context.calendar, limits=limits,
        wait_s=parts.writer.wait_s, arrived=parts.writer.turns.arrived,
    )  # fmt: skip


def _operations(parts: Parts, peers: Peers, retention: Retention) -> Operations:
    config = parts.config
    rooms: dict[str, Room] = {
        "inbox": parts.inbox,
        "relay": parts.relay,
        "timers": parts.timers,
        "automatic": parts.automatic,
        "recovery": parts.recovery,
        "changes": parts.changes,
        "retention": retention,
    }
    health = Health(
        parts.store, parts.bus, inbox=inbox(config.region), group=parts.inbox.group,
        topics=specs(REGIONS, config.topic_plan), rooms=rooms, now=parts.context.now,
        wall_s=parts.context.wall_s, version=version("tongban"),
    )  # fmt: skip
    traces = Traces(
        parts.store, parts.reader, config.region, peers, flush=parts.telemetry.flush,
        timeout_s=0.4 * config.rpc_timeout_s,  # it waits twice, and whoever asks is answered in time
    )  # fmt: skip
    return Operations(parts.store, parts.writer, health, traces)


async def serve(settings: Settings) -> None:
    """One region's node until SIGTERM or SIGINT; then it drains.

    Raises SettingsError when what a setting names cannot be had, DataError for broken facts.
    """
    configure_logs(settings.log_format, settings.log_level)
    log = node_log(settings.region, "assembly")
    stopping = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stopping.set)
    try:
        node = await open_node(config_of(settings))
    except (StoreError, CannotListen, NotLoopback, MetricsPortTaken, BadTelemetry) as error:
        raise SettingsError(((_setting(error), _reason(error)),)) from error
    log.info(
        "serving", listen_address=node.address, metrics_port=node.metrics_port, process=settings.process,
        version=version("tongban"),
    )  # fmt: skip
    try:
        await stopping.wait()
        log.info("draining", drain_s=settings.drain_s)
    finally:
        await node.close()
    log.info("stopped")


def _setting(error: Exception) -> str:
    """The variable to look at when a node cannot start."""
    name = "database_url" if isinstance(error, StoreError) else str(getattr(error, "field", "listen"))
    return f"TONGBAN_{name.upper()}"


def _reason(error: Exception) -> str:
    """Without the name that some of them begin with."""
    said = str(error)
    for name in ("listen", "metrics_port", "otlp_endpoint", "database"):
        said = said.removeprefix(f"{name}: ")
    return said


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


def config_of(settings: Settings) -> NodeConfig:
    """The plain values of one node's settings. Raises SettingsError."""
    return NodeConfig(
        region=settings.region,
        listen=settings.listen_address,
        database_url=settings.database,
        bus_url=settings.bus_url,
        materials_dir=settings.materials,
        peers=settings.peers,
        process=settings.process,
        insecure=settings.insecure,
        clock=_clock(settings),
        calendar_dir=settings.calendar,
        lanes=settings.lanes,
        lane_lease_s=settings.lane_lease_s,
        resend_after_s=settings.resend_after_s,
        hold_limit=settings.hold_limit,
        recovery_s=settings.recovery_s,
        batch_size=settings.batch_size,
        queue_limit=settings.queue_limit,
        poll_s=settings.poll_s,
        drain_s=settings.drain_s,
        rpc_timeout_s=settings.rpc_timeout_s,
        max_message_bytes=settings.max_message_bytes,
        max_metadata_bytes=settings.max_metadata_bytes,
        max_material_bytes=settings.max_material_bytes,
        max_streams=settings.max_streams,
        max_calls=settings.max_calls,
        peer_calls=settings.peer_calls,
        client_calls=settings.client_calls,
        max_open_streams=settings.max_open_streams,
        peer_streams=settings.peer_streams,
        peer_rate=settings.peer_rate,
        client_rate=settings.client_rate,
        patience_s=settings.patience_s,
        slow_reader_s=settings.slow_reader_s,
        keepalive_s=settings.keepalive_s,
        partitions=settings.partitions,
        replication=settings.replication,
        min_insync=settings.min_insync,
        promised_outage_days=settings.promised_outage_days,
        topic_retention_days=settings.topic_retention_days,
        otlp_endpoint=settings.otlp_endpoint,
        metrics_port=settings.metrics_port,
        trace_retention_days=settings.trace_retention_days,
        inbox_retention_days=settings.inbox_retention_days,
        request_retention_days=settings.request_retention_days,
        dead_retention_days=settings.dead_retention_days,
        registers=_registers(settings.registers),
    )


def _clock(settings: Settings) -> BusinessClock:
    if settings.business_clock is None:
        return BusinessClock(settings.business_start, settings.business_epoch_s, settings.business_rate)
    try:
        return HeldClock.shared(settings.business_clock)
    except (OSError, ValueError) as error:
        raise SettingsError((("TONGBAN_BUSINESS_CLOCK", f"cannot be read: {error}"),)) from error


def _registers(name: str) -> Registers:
    """What the entry point of that name makes: it is called once, without arguments."""
    if not name:
        return silent
    for found in entry_points(group="tongban.registers", name=name):
        registers: Registers = found.load()()
        return registers
    raise SettingsError((("TONGBAN_REGISTERS", "no entry point of that name is installed"),))
