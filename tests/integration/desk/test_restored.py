"""A node whose database was put back to an older state takes back what it did afterwards, then goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest

from nodes.cases.case import Case, Role, State
from nodes.cases.commands import Accept, PreCheck, Withdraw
from nodes.cases.filing import Delivery
from nodes.codec.requests import NewFiling
from nodes.desk.work import CatchingUp
from nodes.store import note_restored
from nodes.store.restored import Recovery, last_recovery
from tests.integration.desk.federation import Node, federation, filing, person
from tests.integration.operations.console import consoles
from tongban.v1.case_service_pb2 import FileResponse

OLD_IDENTITY = "110105491231002"
OPTIONS: dict[str, object] = {"resend_after_s": 0.5, "partitions": 3}


def copy(source: Path, to: Path) -> None:
    """As a backup of a running node is made, or put back."""
    for beside in ("", "-wal", "-shm"):
        Path(f"{to}{beside}").unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(to)) as new:
        old.backup(new)


@asynccontextmanager
async def four(folder: Path, *first: str, **options: object) -> AsyncIterator[list[Node]]:
    """Those regions, in that order, and the others behind them."""
    regions = [*first, *(r for r in ("31", "32", "33", "34") if r not in first)]
    async with federation(folder, *regions, **{**OPTIONS, **options}) as nodes:
        yield nodes


async def caught_up(node: Node) -> Recovery:
    async def problem() -> str:
        return node.parts.recovery.problem

    await node.eventually(problem, "")
    async with node.parts.store.read() as unit:
        found = await last_recovery(unit)
    assert found is not None
    return found


async def same(number: str, *nodes: Node) -> Case:
    """All have the same of it."""
    first = await nodes[0].case(number)
    assert first is not None
    for node in nodes[1:]:
        await node.until(number, lambda c: c.version == first.version)
        assert await node.case(number) == first
    return first


async def received(origin: Node, competent: Node, way: str = "electronic") -> str:
    number = await origin.filed(filing(delivery=Delivery(way)))
    await competent.until(number, lambda c: not c.awaiting_receipt)
    await origin.until(number, lambda c: not c.awaiting_receipt)
    return number


async def test_the_competent_region_takes_its_own_events_back(tmp_path: Path) -> None:
    backup = tmp_path / "31.backup"
    async with AsyncExitStack() as stack:
        async with four(tmp_path, "31", "32") as (competent, origin, *_):
            before = await received(origin, competent)
            copy(tmp_path / "31.db", backup)
            await competent.settle(before)
            await origin.until(before, lambda c: c.state is State.CLOSED)
            after = await received(origin, competent)
            await competent.applied(after, PreCheck())
            asked = await received(origin, competent, way="pickup")
            await origin.act(asked, Withdraw("no longer wanted"), Role.APPLICANT)
            await origin.until(asked, lambda c: c.state is State.WITHDRAWN)
            own = await competent.filed(filing(origin="310000", places=(("fund_centre", "320100"),)))
            await origin.until(own, lambda c: not c.awaiting_receipt)
            await origin.until(after, lambda c: c.state is State.PRE_CHECKED)
        copy(backup, tmp_path / "31.db")
        assert await note_restored(f"sqlite:///{tmp_path}/31.db") == 2
        nodes = await stack.enter_async_context(four(tmp_path, "31", "32"))
        competent, origin = nodes[:2]
        with pytest.raises(CatchingUp):
            await competent.filed(filing(origin="310000", places=(("fund_centre", "320100"),)))
        found = await caught_up(competent)
        assert found.answered == ("32", "33", "34")
        assert found.cases == 4
        for number in (before, after, asked, own):
            await same(number, origin, competent)
        await competent.applied(after, Accept())
        await origin.until(after, lambda c: c.state is State.ACCEPTED)
        new = await competent.filed(filing(origin="310000", places=(("fund_centre", "320100"),)))
        assert new not in (before, after, asked, own)
        assert new[14:18] == "0002"
        await origin.until(new, lambda c: not c.awaiting_receipt)
        for console in consoles(*nodes):
            assert not await console.parked()


def remarkable() -> NewFiling:
    """A filing with remarks on it: an old number of 15 digits, papers that are not there."""
    return filing(applicant=person(id_no=OLD_IDENTITY))


async def test_the_origin_takes_its_filings_and_its_asks_back(tmp_path: Path) -> None:
    backup = tmp_path / "32.backup"
    url = f"sqlite:///{tmp_path}/32.db"
    async with four(tmp_path, "31", "32") as (competent, origin, *_):
        first = await received(origin, competent, way="pickup")
        copy(tmp_path / "32.db", backup)
        told = await origin.file(remarkable(), request_id="said-twice")
        second = FileResponse.FromString(told.body).case_number
        await competent.until(second, lambda c: not c.awaiting_receipt)
        await competent.settle(first)
        await origin.until(first, lambda c: c.state is State.DECIDED)
        refused = await origin.act(first, Withdraw("too late"), Role.APPLICANT)
        await origin.eventually(lambda: ask_states(origin, first), ["refused"])
        assert not refused.refused
    copy(backup, tmp_path / "32.db")
    await note_restored(url)
    async with four(tmp_path, "31", "32") as nodes:
        competent, origin = nodes[:2]
        found = await caught_up(origin)
        assert (found.cases, found.asks, found.unfit) == (2, 1, 0)
        assert await ask_states(origin, first) == ["refused"]
        for number in (first, second):
            await same(number, competent, origin)
        # Who says the filing again gets the first answer, with its reasons and remarks, byte for byte.
        assert await origin.file(remarkable(), request_id="said-twice") == told
        # The place of the ask that came back is taken: another one finds its own.
        await origin.act(first, Withdraw("still too late"), Role.APPLICANT)
        await origin.eventually(lambda: ask_states(origin, first), ["refused", "refused"])
        for console in consoles(*nodes):
            assert not await console.parked()


def joint() -> NewFiling:
    """Two parts, the second filed on the result of the first."""
    return filing("HF-006", places=(("immovable", "310115"), ("fund_centre", "330100")))


async def filed_parts(origin: Node, lead: str, count: int) -> list[str]:
    def so_many(case: Case) -> bool:
        return sum(1 for part in case.parts if part.case_number) == count

    return [part.case_number for part in (await origin.until(lead, so_many)).parts[:count]]


async def test_a_joint_case_comes_back_whole_and_goes_on(tmp_path: Path) -> None:
    backup = tmp_path / "32.backup"
    async with four(tmp_path, "32", "31", "33") as (origin, first, second, *_):
        copy(tmp_path / "32.db", backup)
        told = await origin.file(joint(), request_id="said-twice")
        lead = FileResponse.FromString(told.body).case_number
        await origin.applied(lead, PreCheck(), Role.WINDOW)
        (part,) = await filed_parts(origin, lead, 1)
        await first.until(part, lambda c: not c.awaiting_receipt)
        await same(lead, origin, first)
        assert await second.case(lead) is None  # nothing of it was filed there yet
    copy(backup, tmp_path / "32.db")
    await note_restored(f"sqlite:///{tmp_path}/32.db")
    async with four(tmp_path, "32", "31", "33") as nodes:
        origin, first, second, *_ = nodes
        assert (await caught_up(origin)).cases == 2
        for number in (lead, part):
            await same(number, origin, first)
        assert await origin.file(joint(), request_id="said-twice") == told
        await first.settle(part)
        _, following = await filed_parts(origin, lead, 2)
        await second.until(following, lambda c: not c.awaiting_receipt)
        await same(lead, origin, first, second)
        for console in consoles(*nodes):
            assert not await console.parked()


async def ask_states(node: Node, number: str) -> list[str]:
    view = await node.parts.reader.get(number)
    return [ask.state for ask in view.asks] if view is not None else []


async def test_a_region_that_is_away_is_waited_for_so_long_and_no_longer(tmp_path: Path) -> None:
    backup = tmp_path / "31.backup"
    async with four(tmp_path, "32", "31") as (origin, competent, *_):
        number = await received(origin, competent)
        copy(tmp_path / "31.db", backup)
        await competent.applied(number, PreCheck())
        await origin.until(number, lambda c: c.state is State.PRE_CHECKED)
    copy(backup, tmp_path / "31.db")
    await note_restored(f"sqlite:///{tmp_path}/31.db")
    async with federation(tmp_path, "31", "32", **OPTIONS, recovery_s=4.0) as (competent, origin):
        found = await caught_up(competent)
        assert (found.answered, found.missing) == (("32",), ("33", "34"))
        assert "no answer from 33, 34" in competent.parts.recovery.told
        assert (await same(number, origin, competent)).state is State.PRE_CHECKED
        await competent.applied(number, Accept())
        await origin.until(number, lambda c: c.state is State.ACCEPTED)


async def test_a_region_that_was_away_and_knows_more_gives_it_later(tmp_path: Path) -> None:
    backup = tmp_path / "31.backup"
    async with four(tmp_path, "32", "31") as (origin, competent, *_):
        quiet, busy = await received(origin, competent), await received(origin, competent)
        copy(tmp_path / "31.db", backup)
        for number in (quiet, busy):
            await competent.applied(number, PreCheck())
            await origin.until(number, lambda c: c.state is State.PRE_CHECKED)
    copy(backup, tmp_path / "31.db")
    await note_restored(f"sqlite:///{tmp_path}/31.db")
    async with AsyncExitStack() as stack:
        (competent,) = await stack.enter_async_context(federation(tmp_path, "31", **OPTIONS, recovery_s=1.0))
        assert (await caught_up(competent)).missing == ("32", "33", "34")
        await competent.applied(busy, PreCheck())
        (origin,) = await stack.enter_async_context(federation(tmp_path, "32", **OPTIONS))
        # What nobody has touched comes back; what was written anew is a fork, before an operator.
        await competent.until(quiet, lambda c: c.state is State.PRE_CHECKED)
        await competent.applied(quiet, Accept())
        await origin.until(quiet, lambda c: c.state is State.ACCEPTED)
        (console,) = consoles(origin)

        async def reasons() -> list[str]:
            return [letter.reason for letter in await console.parked()]

        await origin.eventually(reasons, ["FORK"])


async def test_the_same_backup_put_back_twice_gives_no_number_twice(tmp_path: Path) -> None:
    backup = tmp_path / "32.backup"
    given: list[str] = []
    async with four(tmp_path, "32", "31") as (origin, *_):
        given.append(await origin.filed(filing()))
        copy(tmp_path / "32.db", backup)
    for turn in (2, 3):
        copy(backup, tmp_path / "32.db")
        assert await note_restored(f"sqlite:///{tmp_path}/32.db") == 2
        async with four(tmp_path, "32", "31") as (origin, competent, *_):
            assert (await caught_up(origin)).incarnation == turn
            given.append(await origin.filed(filing()))
            await competent.until(given[-1], lambda c: not c.awaiting_receipt)
    assert len(set(given)) == 3
    assert [number[14:18] for number in given] == ["0001", "0002", "0003"]
