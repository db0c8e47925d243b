"""Materials by digest: what is known, in which case it serves as what, what is still to be fetched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import bindparam, or_, select, update

from nodes.store.dialect import among, constant, texts
from nodes.store.rows import MaterialFetch, MaterialRow, MaterialUse
from nodes.store.session import Session, batch_of, build, columns_of, keys_of, table

MATERIAL, USE, FETCH = (table(name) for name in ("material", "material_use", "material_fetch"))
_MATERIALS = select(*(MATERIAL.c[name] for name in columns_of(MaterialRow))).where(
    among(MATERIAL.c.sha256, texts("digests"))
)
_STORED = update(MATERIAL).where(among(MATERIAL.c.sha256, texts("digests"))).values(stored=True)
_USE_COLUMNS = [USE.c[name] for name in columns_of(MaterialUse)]
_USES = (
    select(*_USE_COLUMNS).where(USE.c.case_number == bindparam("number")).order_by(USE.c.code, USE.c.sha256)
)
_HELD = (
    select(*_USE_COLUMNS)
    .join(MATERIAL, MATERIAL.c.sha256 == USE.c.sha256)
    .where(
        USE.c.applicant_key == bindparam("applicant"),
        among(USE.c.code, texts("codes")),
        MATERIAL.c.stored,
        or_(USE.c.valid_until.is_(None), USE.c.valid_until >= bindparam("day")),
    )
    .order_by(USE.c.code, MATERIAL.c.first_seen_wall_s.desc(), USE.c.case_number.desc())
)
_FETCH_COLUMNS = [FETCH.c[name] for name in columns_of(MaterialFetch)]
_WANTED = (
    select(*_FETCH_COLUMNS)
    .where(FETCH.c.state == constant("wanted"))
    .order_by(FETCH.c.attempts, FETCH.c.case_number, FETCH.c.sha256)
    .limit(bindparam("most"))
)
_FETCHES = select(*_FETCH_COLUMNS).where(FETCH.c.case_number == bindparam("number")).order_by(FETCH.c.sha256)


class MaterialReads(Session):
    """Materials, read."""

    async def load_materials(self, digests: Iterable[str]) -> dict[str, MaterialRow]:
        """The materials that are known among `digests`."""
        found = await self._link.fetch(_MATERIALS, {"digests": keys_of("material", digests)})
        return {row.sha256: row for row in build(MaterialRow, found)}

    async def materials_of_case(self, number: str) -> list[MaterialUse]:
        """What serves as what in a case."""
        return build(MaterialUse, await self._link.fetch(_USES, {"number": number}))

    async def held_for(self, applicant_key: str, codes: Iterable[str], *, on: date) -> list[MaterialUse]:
        """What this node has in store for the applicant under these codes and counts on that day; of each
        code the newest first."""
        asked = {"applicant": applicant_key, "codes": keys_of("material_use", codes), "day": on}
        return build(MaterialUse, await self._link.fetch(_HELD, asked))

    async def fetches_wanted(self, limit: int) -> list[MaterialFetch]:
        """Downloads to be done, those with the fewest attempts first."""
        return build(MaterialFetch, await self._link.fetch(_WANTED, {"most": limit}))

    async def fetches_of_case(self, number: str) -> list[MaterialFetch]:
        """All downloads of a case."""
        return build(MaterialFetch, await self._link.fetch(_FETCHES, {"number": number}))


class MaterialWrites(MaterialReads):
    """Materials, written."""

    async def insert_materials(self, materials: Sequence[MaterialRow]) -> None:
        """Makes materials known; one that is known stays as it is, except that a stored one becomes
        stored."""
        ordered = sorted(materials, key=lambda material: material.sha256)
        await self._link.insert(batch_of(MATERIAL, ordered), "skip")
        await self.note_stored(material.sha256 for material in ordered if material.stored)

    async def note_stored(self, digests: Iterable[str]) -> None:
        """The bytes of these are in the node's material store."""
        keys = keys_of("material", digests)
        if keys:
            await self._link.run(_STORED, {"digests": keys})

    async def insert_material_uses(self, uses: Sequence[MaterialUse]) -> None:
        """What serves as what in a case; the material must be known. A use that is there is left as it is."""
        ordered = sorted(uses, key=lambda use: (use.sha256, use.case_number, use.code))
        await self._link.insert(batch_of(USE, ordered), "skip")

    async def put_fetches(self, fetches: Sequence[MaterialFetch]) -> None:
        """Records wanted downloads and their progress; the material must be known."""
        ordered = sorted(fetches, key=lambda fetch: (fetch.sha256, fetch.case_number))
        await self._link.insert(batch_of(FETCH, ordered), "replace")
