"""Leases on the database's clock, blocks of serial numbers, and the node's few settings of its own.

A lease saves work; what makes a paused holder harmless is its epoch, checked in the transaction that records
its work."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, or_, select, update

from nodes.store.dialect import among, database_clock, texts
from nodes.store.errors import LeaseLost
from nodes.store.rows import Lease
from nodes.store.session import Session, batch, batch_of, build, columns_of, keys_of, one, table

LEASE = table("lease")
META = table("node_meta")
_COLUMNS = [LEASE.c[name] for name in columns_of(Lease)]
_UNTIL = database_clock() + bindparam("ttl_s")
_TAKE = (
    update(LEASE)
    .where(
        LEASE.c.name == bindparam("b_name"),
        or_(LEASE.c.expires_db_s <= database_clock(), LEASE.c.holder == bindparam("b_holder")),
    )
    .values(holder=bindparam("b_holder"), epoch=LEASE.c.epoch + 1, expires_db_s=_UNTIL)
    .returning(*_COLUMNS)
)
_FREE = (
    select(LEASE.c.name)
    .where(
        among(LEASE.c.name, texts("names")),
        or_(LEASE.c.expires_db_s <= database_clock(), LEASE.c.holder == bindparam("b_holder")),
    )
    .order_by(LEASE.c.name)  # who takes several takes them in one order: no two wait for each other
    .with_for_update()
)
_TAKE_MANY = (
    update(LEASE)
    .where(LEASE.c.name.in_(_FREE))
    .values(holder=bindparam("b_holder"), epoch=LEASE.c.epoch + 1, expires_db_s=_UNTIL)
    .returning(*_COLUMNS)
)
_KNOWN = select(LEASE.c.name).where(among(LEASE.c.name, texts("names")))
_MINE = (
    LEASE.c.name == bindparam("b_name"),
    LEASE.c.holder == bindparam("b_holder"),
    LEASE.c.epoch == bindparam("b_epoch"),
)
_RENEW = update(LEASE).where(*_MINE).values(expires_db_s=_UNTIL).returning(*_COLUMNS)
_RELEASE = update(LEASE).where(*_MINE).values(expires_db_s=0.0)
_CHECK = select(LEASE.c.epoch).where(*_MINE).with_for_update(read=True)
_CHECK_MANY = (
    select(LEASE.c.name, LEASE.c.epoch)
    .where(among(LEASE.c.name, texts("names")), LEASE.c.holder == bindparam("b_holder"))
    .order_by(LEASE.c.name)
    .with_for_update(read=True)
)
_HELD = select(*_COLUMNS).where(LEASE.c.expires_db_s > database_clock()).order_by(LEASE.c.name)
_GET = select(META.c.value).where(META.c.key == bindparam("b_key"))


class LeaseReads(Session):
    """Leases and settings, read."""

    async def leases_held(self) -> list[Lease]:
        """All leases that have not expired."""
        return build(Lease, await self._link.fetch(_HELD))

    async def get_meta(self, key: str) -> str | None:
        """A value the node keeps about itself, such as its incarnation."""
        found: str | None = one(await self._link.fetch(_GET, {"b_key": key}))
        return found

    async def database_time_s(self) -> float:
        """Seconds since 1970 on the database's clock."""
        return float(one(await self._link.fetch(select(database_clock()))))


class LeaseWrites(LeaseReads):
    """Leases, serials and settings, written."""

    async def take_lease(self, name: str, holder: str, ttl_s: float) -> Lease | None:
        """The lease at a new epoch, when it is free, expired, or this holder's own; None when another has
        it."""
        asked = {"b_name": name, "b_holder": holder, "ttl_s": ttl_s}
        taken = build(Lease, await self._link.fetch(_TAKE, asked))
        if not taken:
            keys_of("lease", [name, holder])
            await self._link.insert(batch_of(LEASE, [Lease(name, "", 0, 0.0)]), "skip")
            taken = build(Lease, await self._link.fetch(_TAKE, asked))
        return taken[0] if taken else None

    async def take_leases(self, names: Sequence[str], holder: str, ttl_s: float) -> dict[str, Lease]:
        """As `take_lease`, for any number of leases in two statements; those that another has are missing."""
        keys = keys_of("lease", names)
        known = {name for (name,) in await self._link.fetch(_KNOWN, {"names": keys})}
        if new := [Lease(name, "", 0, 0.0) for name in keys if name not in known]:
            keys_of("lease", [holder])
            await self._link.insert(batch_of(LEASE, new), "skip")
        asked = {"names": keys, "b_holder": holder, "ttl_s": ttl_s}
        return {lease.name: lease for lease in build(Lease, await self._link.fetch(_TAKE_MANY, asked))}

    async def renew_lease(self, lease: Lease, ttl_s: float) -> Lease:
        """The same epoch for longer; also after it expired, as long as nobody took it. Raises LeaseLost."""
        found = build(Lease, await self._link.fetch(_RENEW, {**_mine(lease), "ttl_s": ttl_s}))
        if not found:
            raise LeaseLost(lease.name)
        return found[0]

    async def release_lease(self, lease: Lease) -> None:
        """Lets another holder take it at once; nothing when it was lost before."""
        await self._link.run(_RELEASE, _mine(lease))

    async def check_lease(self, lease: Lease) -> None:
        """Nobody has taken the lease since, nor can before this transaction ends. Raises LeaseLost."""
        if not await self._link.fetch(_CHECK, _mine(lease)):
            raise LeaseLost(lease.name)

    async def check_leases(self, leases: Sequence[Lease]) -> None:
        """As `check_lease`, for several of one holder by one statement."""
        if leases:
            asked = {
                "names": keys_of("lease", (lease.name for lease in leases)),
                "b_holder": leases[0].holder,
            }
            found = dict(map(tuple, await self._link.fetch(_CHECK_MANY, asked)))
            for lease in leases:
                if found.get(lease.name) != lease.epoch:
                    raise LeaseLost(lease.name)

    async def keep_meta(self, key: str, value: str) -> str:
        """What the node keeps under `key`: `value`, unless there is one. Processes that ask at once agree."""
        await self._link.insert(batch(META, ("key", "value"), [(key, value)]), "skip")
        return str(one(await self._link.fetch(_GET, {"b_key": key})))

    async def set_meta(self, key: str, value: str) -> None:
        """Keeps a value about the node."""
        await self._link.insert(batch(META, ("key", "value"), [(key, value)]), "replace")


def _mine(lease: Lease) -> dict[str, object]:
    return {"b_name": lease.name, "b_holder": lease.holder, "b_epoch": lease.epoch}
