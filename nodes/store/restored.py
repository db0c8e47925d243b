"""What must be said of a database that was restored from a backup, before its node starts on it again.

Knows the incarnation. Must not know who asks. What was written after the backup is gone here and may be known
elsewhere: under a new incarnation no case number and no message id of then is given a second time.
"""

from __future__ import annotations

from nodes.store.store import Store, WriteTx


async def note_restored(url: str) -> int:
    """The database at `url` gets the next incarnation, which its node has from its next start on; gives it.

    No process may use the database meanwhile. Raises SchemaMismatch, StoreUnavailable.
    """

    async def next_incarnation(unit: WriteTx) -> int:
        following = int(await unit.keep_meta("incarnation", "1")) + 1
        await unit.set_meta("incarnation", str(following))
        return following

    store = await Store.open(url)
    try:
        return await store.transact(next_incarnation)
    finally:
        await store.close()
