"""What must be said of a database that was restored from a backup, before its node starts on it again, and
what its node says of it afterwards.

Knows the incarnation and the two notes. Must not know who asks. What was written after the backup is gone
here and may be known elsewhere: under a new incarnation no case number, message id or place in the order of
events of then is given a second time, and the node changes nothing before it has asked the other regions.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import Final

from nodes.store.queries.events import LOG_SEQ
from nodes.store.store import ReadTx, Store, WriteTx

INCARNATION: Final = "incarnation"
RESTORED: Final = "restored"
"""Noted from the restoration until the node has caught up."""
RESTORING: Final = "restoring"
"""Noted while rows are put back: the database is not whole."""
RECOVERED: Final = "recovered"
"""What the last catching up came to, as JSON."""
PLACES: Final = 40
"""Bits of a place in the order of events below the incarnation's: a follower of the order that was lost is
told everything that came since."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What catching up after a restoration came to. Times are wall seconds since 1970.

    `answered`, `missing`: regions; `unread`: those of the missing that said that they do not know the
    question, because their contract is an older one; `unsure`: open cases of which the missing may know more;
    `cases`, `events`, `asks`: what came back; `unfit`: cases of which more is known elsewhere than could be
    followed; `numbers_lost`: case numbers given after the backup, as far as later ones came back, that no
    region knows: at most so many filings are gone.
    """

    incarnation: int
    restored_wall_s: float
    done_wall_s: float
    answered: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    cases: int = 0
    events: int = 0
    asks: int = 0
    unfit: int = 0
    numbers_lost: int = 0
    unread: tuple[str, ...] = ()
    unsure: int = 0


async def note_restored(url: str) -> int:
    """The database at `url` gets the next incarnation, under which its node starts; gives it.

    No process may use the database meanwhile. Raises SchemaMismatch, StoreUnavailable.
    """
    store = await Store.open(url)
    try:
        return await store.transact(next_incarnation)
    finally:
        await store.close()


async def next_incarnation(unit: WriteTx) -> int:
    """As `note_restored`, within a transaction."""
    following = int(await unit.keep_meta(INCARNATION, "1")) + 1
    await unit.set_meta(INCARNATION, str(following))
    await unit.set_meta(RESTORED, repr(time.time()))
    await unit.raise_serial(LOG_SEQ, following << PLACES)
    return following


async def restored_at(unit: ReadTx) -> float | None:
    """When the restoration was noted that the node has still to catch up from; None when there is none."""
    noted = await unit.get_meta(RESTORED)
    return float(noted) if noted else None


async def note_recovered(unit: WriteTx, recovery: Recovery) -> None:
    """The node has caught up, as far as it could."""
    await unit.set_meta(RECOVERED, json.dumps(asdict(recovery)))
    await unit.set_meta(RESTORED, "")


async def last_recovery(unit: ReadTx) -> Recovery | None:
    """What the last catching up came to; None when the database was never restored."""
    noted = await unit.get_meta(RECOVERED)
    if not noted:
        return None
    said = json.loads(noted)
    for name in ("answered", "missing", "unread"):
        said[name] = tuple(said.get(name, ()))
    return Recovery(**said)
