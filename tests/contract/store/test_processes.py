"""Several processes on one database: every version once, in order; a killed one leaves nothing half done."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process

from nodes.store import Store
from tests.contract.store.conftest import Backend
from tests.contract.store.samples import case

CASES = ["1", "2", "3"]
ROUNDS = 25


async def started(backend: Backend, name: str, rounds: int) -> Process:
    program = (sys.executable, "-m", "tests.contract.store.advance")
    process = await asyncio.create_subprocess_exec(
        *program, backend.url, name, str(rounds), *CASES, stdin=PIPE, stdout=PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


def go(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.write(b"go\n")


async def expect_whole(store: Store, least: int) -> int:
    """Versions, events and outbox rows tell the same story, without a gap; the version all cases are at."""
    async with store.read() as rd:
        cases = await rd.load_cases(CASES)
        last = cases["1"].version
        assert {row.version for row in cases.values()} == {last}
        assert last >= least
        ready = await rd.outbox_ready([0], limit=100_000)
        for number in CASES:
            assert [row.version for row in await rd.events(number)] == list(range(2, last + 1))
            sent = [row.from_version for row in ready if row.case_number == number]
            assert sent == list(range(2, last + 1))
    return last


async def test_processes_that_write_the_same_cases_make_one_history(store: Store, backend: Backend) -> None:
    async with store.write() as tx:
        await tx.put_cases([case(number) for number in CASES], {})
    async with asyncio.timeout(90):
        processes = [await started(backend, f"process-{n}", ROUNDS) for n in range(3)]
        for process in processes:
            go(process)
        for process in processes:
            await process.communicate()
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert await expect_whole(store, least=1) == 1 + 3 * ROUNDS


async def test_a_process_killed_while_it_writes_leaves_whole_transactions(
    store: Store, backend: Backend
) -> None:
    async with store.write() as tx:
        await tx.put_cases([case(number) for number in CASES], {})
    async with asyncio.timeout(90):
        victim, other = await started(backend, "victim", 10_000), await started(backend, "other", ROUNDS)
        go(victim)
        assert victim.stdout is not None
        for _ in range(5):
            await victim.stdout.readline()
        go(other)
        assert other.stdout is not None
        await other.stdout.readline()
        victim.kill()
        committed = (await victim.stdout.read()).count(b"\n")
        await victim.wait()
        await other.communicate()
    assert other.returncode == 0
    await expect_whole(store, least=1 + 5 + committed + ROUNDS)
