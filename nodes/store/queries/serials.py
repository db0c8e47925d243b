"""Numbers that are given once: case serials, and the places of events.

Knows one row a series, which is locked from the moment a block is taken until the transaction ends.
"""

from __future__ import annotations

from sqlalchemy import bindparam, update

from nodes.store.session import Series, Session, batch, one, table

SERIAL = table("serial")
_BLOCK = (
    update(SERIAL)
    .where(SERIAL.c.name == bindparam("b_name"))
    .values(next=SERIAL.c.next + bindparam("b_count"))
    .returning(SERIAL.c.next)
)


class SerialWrites(Session):
    """Series of numbers."""

    def _series(self, name: str, count: int, column: str) -> Series:
        """The column of `count` rows that takes the next numbers of the series."""
        return Series(column, _BLOCK, {"b_name": name, "b_count": count})

    async def _begin(self, name: str) -> None:
        await self._link.insert(batch(SERIAL, ("name", "next"), [(name, 1)]), "skip")

    async def next_serials(self, name: str, count: int) -> int:
        """The first of `count` numbers that nobody else gets, from 1. A block of a transaction that rolls
        back is given again."""
        asked = {"b_name": name, "b_count": count}
        found = await self._link.fetch(_BLOCK, asked)
        if not found:
            await self._begin(name)
            found = await self._link.fetch(_BLOCK, asked)
        return int(one(found)) - count

    async def raise_serial(self, name: str, least: int) -> None:
        """From now on no number below `least` is given."""
        following = await self.next_serials(name, 1)
        if following < least:
            await self.next_serials(name, least - following - 1)
