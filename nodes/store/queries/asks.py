"""Asks: wishes of non-owners, kept until they are answered, at the asker and at the owner."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, func, or_, select, update

from nodes.store.dialect import among, constant, texts
from nodes.store.rows import AskRow
from nodes.store.session import Session, batch_of, build, columns_of, keys_of, table

ASK = table("ask")
_COLUMNS = [ASK.c[name] for name in columns_of(AskRow)]
_LOAD = select(*_COLUMNS).where(among(ASK.c.ask_id, texts("ids"))).order_by(ASK.c.ask_id)
_LOCK = _LOAD.with_for_update()
_OF_CASE = (
    select(*_COLUMNS).where(ASK.c.case_number == bindparam("number")).order_by(ASK.c.asker, ASK.c.ask_seq)
)
_PENDING = (
    select(*_COLUMNS)
    .where(
        ASK.c.state == constant("pending"),
        ASK.c.asker == bindparam("asker"),
        or_(ASK.c.last_sent_wall_s.is_(None), ASK.c.last_sent_wall_s < bindparam("before")),
    )
    .order_by(ASK.c.last_sent_wall_s, ASK.c.ask_id)
    .limit(bindparam("most"))
)
_SEQS = (
    select(ASK.c.case_number, func.max(ASK.c.ask_seq))
    .where(among(ASK.c.case_number, texts("numbers")), ASK.c.asker == bindparam("asker"))
    .group_by(ASK.c.case_number)
)
_PLACES = select(ASK.c.case_number, ASK.c.ask_seq, ASK.c.ask_id).where(
    among(ASK.c.case_number, texts("numbers")), ASK.c.asker == bindparam("asker")
)
_BY_ID = ASK.c.ask_id == bindparam("b_id")
_SETTLE = (
    update(ASK)
    .where(_BY_ID)
    .values(
        state=bindparam("b_state"),
        outcome_version=bindparam("b_version"),
        refusal_code=bindparam("b_code"),
        refusal_detail=bindparam("b_detail"),
    )
)
_SENT = (
    update(ASK)
    .where(among(ASK.c.ask_id, texts("ids")))
    .values(last_sent_wall_s=bindparam("b_wall"), attempts=ASK.c.attempts + 1)
)
_FORWARD = update(ASK).where(_BY_ID).values(forwarded_to=bindparam("b_to"))


class AskReads(Session):
    """Asks, read."""

    async def load_asks(self, ids: Iterable[str], *, lock: bool = False) -> dict[str, AskRow]:
        """The asks that exist among `ids`. `lock`: keeps them until the transaction ends."""
        found = await self._link.fetch(_LOCK if lock else _LOAD, {"ids": keys_of("ask", ids)})
        return {row.ask_id: row for row in build(AskRow, found)}

    async def asks_of_case(self, number: str) -> list[AskRow]:
        """All asks about a case, each asker's in its order."""
        keys_of("ask", [number])
        return build(AskRow, await self._link.fetch(_OF_CASE, {"number": number}))

    async def pending_asks(self, asker: str, *, before_wall_s: float, limit: int) -> list[AskRow]:
        """Asks of `asker` without an outcome that were never sent or last sent before that."""
        asked = {"asker": asker, "before": before_wall_s, "most": limit}
        return build(AskRow, await self._link.fetch(_PENDING, asked))

    async def next_ask_seqs(self, asker: str, numbers: Iterable[str]) -> dict[str, int]:
        """The next ask_seq of the asker in each case, from 1. The rows of the cases must be locked."""
        keys = keys_of("ask", numbers)
        found = await self._link.fetch(_SEQS, {"numbers": keys, "asker": asker})
        last = {row[0]: row[1] for row in found}
        return {number: last.get(number, 0) + 1 for number in keys}

    async def ask_places(self, asker: str, numbers: Iterable[str]) -> dict[tuple[str, int], str]:
        """(case number, ask_seq) -> ask id, of all that the asker asked about these cases."""
        keys = {"numbers": keys_of("ask", numbers), "asker": asker}
        return {(number, seq): ask_id for number, seq, ask_id in await self._link.fetch(_PLACES, keys)}


class AskWrites(AskReads):
    """Asks, written."""

    async def insert_asks(self, asks: Sequence[AskRow]) -> None:
        """Keeps new asks. Raises DataRejected when the id, or the asker's place in the case, is taken."""
        await self._link.insert(batch_of(ASK, asks))

    async def settle_asks(self, asks: Sequence[AskRow]) -> None:
        """Records the outcome of asks: state, outcome_version, refusal_code and refusal_detail of the rows
        given."""
        batch_of(ASK, asks)  # checks the texts
        await self._link.run_many(
            _SETTLE,
            [
                {
                    "b_id": ask.ask_id,
                    "b_state": ask.state,
                    "b_version": ask.outcome_version,
                    "b_code": ask.refusal_code,
                    "b_detail": ask.refusal_detail,
                }
                for ask in sorted(asks, key=lambda ask: ask.ask_id)
            ],
        )

    async def note_asks_sent(self, ids: Iterable[str], *, wall_s: float) -> None:
        """Counts one more attempt to send each."""
        await self._link.run(_SENT, {"ids": keys_of("ask", ids), "b_wall": wall_s})

    async def note_ask_forwarded(self, ask_id: str, to: str) -> None:
        """A former owner has passed the ask on to the region that owns the case now."""
        await self._link.run(_FORWARD, {"b_id": ask_id, "b_to": to})
