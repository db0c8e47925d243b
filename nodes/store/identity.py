"""Who a database belongs to: its region, its secret, its incarnation. Kept by the first that asks.

Knows the notes. Must not know what they are for.
"""

from __future__ import annotations

import secrets

from nodes.store.errors import SchemaMismatch
from nodes.store.restored import INCARNATION, RESTORING
from nodes.store.store import WriteTx

REGION = "region"


async def identity(unit: WriteTx, region: str) -> tuple[bytes, int]:
    """The secret of applicant keys and the incarnation: one for all processes on the region's database.

    Raises SchemaMismatch for another region's database, and for one that is not wholly put back.
    """
    if await unit.get_meta(RESTORING):
        raise SchemaMismatch("the database is not wholly restored: run `tongban restore` again")
    kept = await unit.keep_meta(REGION, region)
    if kept != region:
        raise SchemaMismatch(f"the database is that of region {kept}")
    secret = await unit.keep_meta("applicant_secret", secrets.token_hex(32))
    return bytes.fromhex(secret), int(await unit.keep_meta(INCARNATION, "1"))
