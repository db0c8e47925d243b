"""Four nodes, each a process with its own database and its own gRPC server, over one bus.

Knows how the nodes of a rehearsal differ from each other, and nothing else of them. Must not know what is
played: who plays has their addresses and no more.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from nodes.assembly import REGIONS
from nodes.business_time import HeldClock
from nodes.config import NodeConfig
from nodes.demo.process import CannotStart, NodeProcess
from nodes.demo.registers import Registers

LOOPBACK: Final = "127.0.0.1"
POLL_S: Final = 0.05
"""Well under the pause after which a rehearsal believes that nobody has anything to do: see `quiet`."""
DATABASE: Final = "tongban"
"""Where the URL names no database."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """Where a rehearsal takes place. directory: what lies in files; bus_url, database_url: "" for files
    there.
    """

    directory: Path
    bus_url: str = ""
    database_url: str = ""

    @property
    def bus(self) -> str:
        """URL of the one bus."""
        return self.bus_url or f"sqlite:///{self.directory / 'bus.db'}"

    def database(self, region: str) -> str:
        """URL of that region's database. Raises CannotStart."""
        if not self.database_url:
            return f"sqlite:///{self.directory / region}.db"
        try:
            url = make_url(self.database_url)
        except ArgumentError:
            raise CannotStart("no_url") from None
        if url.get_backend_name() == "sqlite":
            file = Path(url.database or "")
            return f"sqlite:///{file.with_name(f'{file.stem}_{region}{file.suffix}')}"
        return _text(url.set(database=f"{url.database or DATABASE}_{region}"))


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


async def ensure_database(url: str) -> None:
    """Create the PostgreSQL database of that URL where it is missing; nothing for SQLite.

    Raises CannotStart.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "postgresql":
        return
    name = parsed.database or ""
    engine = create_async_engine(
        parsed.set(drivername="postgresql+asyncpg", database="postgres"), isolation_level="AUTOCOMMIT"
    )
    try:
        async with engine.connect() as link:
            there = await link.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name})
            if not there:
                quoted = engine.dialect.identifier_preparer.quote_identifier(name)
                await link.execute(text(f"CREATE DATABASE {quoted}"))
    except (SQLAlchemyError, OSError) as error:
        raise CannotStart("no_database", name=name, error=type(error).__name__) from error
    finally:
        await engine.dispose()


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on, all different."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


@contextmanager
def federation(
    grounds: Grounds, common: NodeConfig, clock: HeldClock, registers: Registers
) -> Iterator[Mapping[str, str]]:
    """All regions' nodes, each a process of its own, serving; region -> host:port. They stop with the block.

    common: what the nodes have in common; its region, addresses and places are replaced. Their clock is the
    caller's: its cell is shared memory. To be called before the process has an event loop, a thread or a gRPC
    channel, for the nodes are forks of it. Raises CannotStart.
    """
    grounds.directory.mkdir(parents=True, exist_ok=True)
    addresses = {
        region: f"{LOOPBACK}:{port}" for region, port in zip(REGIONS, free_ports(len(REGIONS)), strict=True)
    }
    for region in REGIONS:
        asyncio.run(ensure_database(grounds.database(region)))
    nodes: list[NodeProcess] = []
    try:
        for region in REGIONS:
            config = replace(
                common, region=region, listen=addresses[region], bus_url=grounds.bus,
                database_url=grounds.database(region),
                materials_dir=grounds.directory / f"{region}-materials",
                peers={other: where for other, where in addresses.items() if other != region},
                clock=clock, registers=registers, poll_s=min(common.poll_s, POLL_S), drain_s=2.0,
            )  # fmt: skip
            nodes.append(NodeProcess(config, nodes))
        for node in nodes:
            node.await_serving()
        yield addresses
    finally:
        for node in nodes:
            node.stop()
        for node in nodes:
            node.await_end()
