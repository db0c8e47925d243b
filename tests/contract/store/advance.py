"""A process of its own: moves cases on, one version a transaction, each with its event and its outbox row.

    python -m tests.contract.store.advance URL NAME ROUNDS CASE...

Prints "ready", waits for a line, then prints one line a committed round.
"""

import asyncio
import sys
from dataclasses import replace

from nodes.store import CommitUnknown, Store, WriteTx
from tests.contract.store.samples import event, outbox


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main(url: str, name: str, rounds: int, numbers: list[str]) -> None:
    store = await Store.open(url, timeout_s=20)
    say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    for done in range(rounds):
        cause = f"{name}-{done}"

        async def advance(tx: WriteTx, cause: str = cause) -> None:
            loaded = await tx.load_cases(numbers, lock=True)
            new = [replace(row, version=row.version + 1) for row in loaded.values()]
            await tx.insert_events(
                [
                    event(row.number, row.version, caused_by=cause, event_id=f"{cause}-{row.number}")
                    for row in new
                ]
            )
            await tx.put_cases(new, {number: row.version for number, row in loaded.items()})
            await tx.insert_outbox([outbox(row.number, from_version=row.version) for row in new])

        try:
            await store.transact(advance, patience_s=60)
        except CommitUnknown:  # look the key up, then again
            async with store.read() as rd:
                known = await rd.event_by_cause(numbers[0], cause)
            if known is None:
                await store.transact(advance, patience_s=60)
        say(str(done))
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]))
