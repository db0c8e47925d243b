"""The verbs as faces call them: file, act, and what belongs to them.

Knows the order: check the filing, look for what is already held, give it a number, hand it to the writer. A
face hands in domain values and gets back the stored answer. Must not know status codes or protobuf.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import uuid_utils
from opentelemetry import trace

from nodes.cases.case import Material
from nodes.cases.commands import Command, Correct, SupplyLack
from nodes.cases.frozen import replace
from nodes.codec.answers import FiledFacts
from nodes.codec.requests import ActRequest, FileRequest, NewFiling
from nodes.desk.acts import Act, FileCase, RefuseRequest
from nodes.desk.context import Context
from nodes.desk.hops import SpanHop
from nodes.desk.intake import Standing, stand
from nodes.desk.remarks import on_materials
from nodes.desk.work import Answer, DeskError, Problem, Refused
from nodes.desk.writer import Writer
from nodes.store.rows import Claim, MaterialRow, MaterialUse
from nodes.store.store import Store
from regions.casenumber import case_number
from regions.region import place

BLOCK = 1000
"""Serials are taken from the database in blocks; what a process did not use is never used."""


class Desk:
    """One node's desk."""

    def __init__(self, store: Store, writer: Writer, context: Context, *, incarnation: int) -> None:
        self.context = context
        self._store, self._writer, self._incarnation = store, writer, incarnation
        self._serials: dict[str, tuple[int, int]] = {}
        self._taking = asyncio.Lock()

    async def file(self, request: FileRequest, fingerprint: bytes) -> Answer:
        """FileResponse or ErrorDetail, stored: the same request again gives the same bytes. A repetition is
        noticed where its request id is claimed; what was worked out anew for it is dropped there.

        Raises RequestIdReused, Overloaded, Unavailable.
        """
        self._writer.check_room()
        claim = Claim(request.client, request.request_id, fingerprint)
        new = request.filing
        try:
            standing = stand(new, self.context.region, self.context.now(), request.client)
            materials, reused = await self._materials(new, standing)
        except Refused as refused:
            return await self._writer.submit(RefuseRequest(claim=claim, refused=refused))
        number = await self.number(new.origin_area)
        filing = standing.numbered(number, materials)
        facts = FiledFacts(
            case_number=number,
            receipt=number,
            competent=filing.competent,
            authority=filing.authority,
            version=0,
            notice_due=filing.filed_at,
            guide_version=filing.guide_version,
            reasons_zh=standing.reasons_zh,
            reasons_en=standing.reasons_en,
            reused=reused,
            warnings=(*standing.warnings, *on_materials(filing.terms, materials)),
        )
        work = FileCase(
            claim=claim, actor=request.actor, filing=filing, handover_id=str(uuid_utils.uuid7()), facts=facts,
            materials=self._rows(materials), uses=self._uses(number,
            self.context.applicant_key(filing.applicant), materials), hop=SpanHop(trace.get_current_span()),
        )  # fmt: skip
        return await self._writer.submit(work)

    async def act(self, request: ActRequest, fingerprint: bytes) -> Answer:
        """ActResponse or ErrorDetail, stored. Raises what `file` raises, and VersionMoved."""
        claim = Claim(request.client, request.request_id, fingerprint)
        command, given = self._held_here(request.command)
        work = Act(
            claim=claim, number=request.case_number, command=command, actor=request.actor,
            expected_version=request.expected_version, materials=self._rows(given), given=given,
            hop=SpanHop(trace.get_current_span()), looks_back=self._incarnation > 1,
        )  # fmt: skip
        return await self._writer.submit(work)

    def _held_here(self, command: Command) -> tuple[Command, tuple[Material, ...]]:
        """Materials that come in through this node are held by it."""
        if not isinstance(command, Correct | SupplyLack):
            return command, ()
        given = tuple(replace(m, held_by=m.held_by or self.context.region) for m in command.materials)
        return replace(command, materials=given), given

    async def _materials(
        self, new: NewFiling, standing: Standing
    ) -> tuple[tuple[Material, ...], tuple[str, ...]]:
        """What was handed in, and what this region already holds for this person."""
        region = self.context.region
        listed = {m.code for m in standing.filing.terms.materials}
        alternatives = {a for m in standing.filing.terms.materials for a in m.alternatives}
        strange = [i for i, m in enumerate(new.materials) if m.code not in listed | alternatives]
        if strange:
            raise Refused(
                "NOT_ON_GUIDE", tuple(Problem(f"filing.materials.{i}.code", "NOT_ON_GUIDE") for i in strange)
            )
        given = tuple(replace(m, held_by=region, reused=False) for m in new.materials)
        if not new.reuse_held:
            return given, ()
        codes = {m.code for m in given}
        missing = [
            m.code
            for m in standing.filing.terms.materials
            if m.code not in codes and not codes & {*m.alternatives}
        ]
        if not missing:
            return given, ()
        key = self.context.applicant_key(standing.filing.applicant)
        async with self._store.read() as unit:
            uses = await unit.held_for(key, missing, on=self.context.now().date())
            known = await unit.load_materials({u.sha256 for u in uses})
        found: dict[str, Material] = {}
        for use in uses:
            row = known.get(use.sha256)
            if row is not None and use.code not in found:
                found[use.code] = Material(
                    use.code, row.sha256, row.size, row.media_type, held_by=region, reused=True
                )
        return (*given, *found.values()), tuple(sorted(found))

    def renumber(self, incarnation: int) -> None:
        """From now on numbers are given under that incarnation."""
        self._incarnation, self._serials = incarnation, {}

    async def number(self, area: str) -> str:
        """A federation case number for a case filed there today; never given twice, by any process."""
        at = place(area)
        city = at.city or at.code
        day = self.context.now().date()
        name = f"case-{day.isoformat()}"
        async with self._taking:
            following, end = self._serials.get(name, (0, 0))
            if following >= end:
                following = await self._store.transact(lambda tx: tx.next_serials(name, BLOCK), durable=True)
                end = following + BLOCK
                self._serials = {name: (following, end)}
            self._serials[name] = (following + 1, end)
        return str(case_number(city, day, self._incarnation, following))

    def _rows(self, materials: Sequence[Material]) -> list[MaterialRow]:
        wall = self.context.wall_s()
        return [MaterialRow(m.sha256, m.size, m.media_type, False, wall) for m in materials]

    @staticmethod
    def _uses(number: str, key: str, materials: Sequence[Material]) -> list[MaterialUse]:
        return [MaterialUse(m.sha256, number, m.code, key, None) for m in materials if not m.reused]


__all__ = ["Desk", "DeskError"]
