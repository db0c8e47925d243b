"""Work that starts at this node: a filing, a verb on a case, due timers, the node's own verbs.

Knows when a verb is applied here and when it is asked of the owner. Must not know what a verb does to a case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import uuid_utils

from nodes.cases.case import Actor, ClockKind, Filing, Material, Role
from nodes.cases.commands import (
    AnswerRating,
    Command,
    ConfirmDelivery,
    Correct,
    File,
    Join,
    Rate,
    Reinstate,
    ReportLost,
    ReturnOriginal,
    Ship,
    ShipmentArrived,
    SupplyLack,
    TakeCustody,
    Withdraw,
)
from nodes.cases.errors import CaseError, Code
from nodes.cases.frozen import replace
from nodes.codec.answers import (
    FiledFacts,
    applied_answer,
    filed_answer,
    problems_answer,
    refusal_answer,
    requested_answer,
)
from nodes.codec.exchange import Ask, AskKind, encode_exchange
from nodes.desk.batch import Batch
from nodes.desk.hops import Hop, stay
from nodes.desk.work import Answer, Refused, VersionMoved
from nodes.desk.writes import Needs
from nodes.store.rows import AskRow, Claim, MaterialRow, MaterialUse

REQUESTS = (Correct, SupplyLack, Withdraw, Join, Reinstate)
"""What a non-owner may ask for, and the owner may refuse by rule."""
ATTESTATIONS = (
    TakeCustody, ReturnOriginal, Ship, ShipmentArrived, ConfirmDelivery, ReportLost, Rate, AnswerRating,
)  # fmt: skip
"""Facts from where they happened; refused only if not authentic."""


@dataclass(slots=True, kw_only=True)
class _Work:
    done: asyncio.Future[Answer] = field(init=False)
    urgent: bool = True
    claim: Claim | None = None
    hop: Hop = stay

    def refusal(self, error: CaseError) -> Answer:
        """The answer that a refusal becomes."""
        return Answer(True, refusal_answer(error))


@dataclass(slots=True, kw_only=True)
class FileCase(_Work):
    """A filing that stands (see `intake`). `uses`: its materials, for what need not be asked again."""

    actor: Actor
    filing: Filing
    handover_id: str
    facts: FiledFacts
    materials: Sequence[MaterialRow] = ()
    uses: Sequence[MaterialUse] = ()

    @property
    def numbers(self) -> Sequence[str]:
        """None to be loaded: its number is new, and the database rejects a filing whose number is not."""
        return ()

    def do(self, batch: Batch) -> Answer:
        """Do it, all or nothing."""
        number = self.filing.case_number
        if number in batch.sheets:
            raise CaseError(Code.ALREADY_FILED, "case_number")
        sheet = batch.new_sheet(number, self.hop(number, ""))
        cause = self.claim.request_id if self.claim else ""
        command = File(replace(self.filing, filed_at=batch.now), self.handover_id)
        sheet.decide(batch.context, command, self.actor, batch.now, cause=cause)
        batch.writes.materials.extend(self.materials)
        batch.writes.material_uses.extend(self.uses)
        assert sheet.case is not None
        notice = next(c for c in sheet.case.clocks if c.kind is ClockKind.NOTICE)
        facts = replace(self.facts, version=sheet.version, notice_due=notice.due_at)
        return Answer(False, filed_answer(facts))


@dataclass(slots=True, kw_only=True)
class RefuseRequest(_Work):
    """A request that was refused before it reached a case: only its answer is stored."""

    refused: Refused

    @property
    def numbers(self) -> Sequence[str]:
        """The cases concerned."""
        return ()

    def do(self, batch: Batch) -> Answer:
        """Do it, all or nothing."""
        del batch  # no case is concerned
        problems = [(p.field, p.code, p.en, p.zh) for p in self.refused.problems]
        return Answer(True, problems_answer(self.refused.code, problems, self.refused.guide_version))


@dataclass(slots=True, kw_only=True)
class Act(_Work):
    """A verb on a case: applied when this region owns it, else asked of the owner."""

    number: str
    command: Command
    actor: Actor
    expected_version: int = 0
    materials: Sequence[MaterialRow] = ()
    given: Sequence[Material] = ()
    looks_back: bool = False
    """Whether the database was put back once: an effect may be there whose answer is not."""

    @property
    def numbers(self) -> Sequence[str]:
        """The cases concerned."""
        return (self.number,)

    def tell_needs(self, needs: Needs) -> None:
        """What else must be loaded for it."""
        needs.ask_heads.add((self.actor.region, self.number))
        if self.looks_back and self.claim is not None:
            needs.requests.add((self.number, self.claim.request_id))

    def do(self, batch: Batch) -> Answer:
        """Do it, all or nothing."""
        sheet = batch.sheets.get(self.number)
        if sheet is None or sheet.case is None:
            raise CaseError(Code.NO_SUCH_CASE, "case_number")
        if self.claim and (done := batch.done_before.get((self.number, self.claim.request_id))):
            return Answer(False, applied_answer(done))
        if self.expected_version and self.expected_version != sheet.version:
            raise VersionMoved(self.number, sheet.version)
        sheet.trace_parent = self.hop(self.number, sheet.trace_parent)
        batch.writes.materials.extend(self.materials)
        key = batch.context.applicant_key(sheet.case.filing.applicant)
        batch.writes.material_uses.extend(
            MaterialUse(m.sha256, self.number, m.code, key, None) for m in self.given if not m.reused
        )
        if sheet.owned_by(batch.context.region):
            cause = self.claim.request_id if self.claim else ""
            sheet.decide(
                batch.context, self.command, self.actor, batch.now, cause=cause, submitted_at=batch.now
            )
            return Answer(False, applied_answer(sheet.version))
        return self._ask(batch)

    def _ask(self, batch: Batch) -> Answer:
        sheet = batch.sheets[self.number]
        assert sheet.case is not None
        if not isinstance(self.command, REQUESTS + ATTESTATIONS):
            raise CaseError(Code.NOT_OWNER, "case_number", f"owned by {sheet.case.owner}")
        if self.actor.role in (Role.OFFICER, Role.HEAD):
            raise CaseError(Code.NOT_OWNER, "actor.role", f"owned by {sheet.case.owner}")
        region = batch.context.region
        head = (region, self.number)
        seq = batch.ask_heads.get(head, 0) + 1
        batch.ask_heads[head] = seq
        ask = Ask(
            ask_id=str(uuid_utils.uuid7()),
            case_number=self.number,
            asker=region,
            ask_seq=seq,
            based_on_version=sheet.version,
            submitted_at=batch.now,
            kind=AskKind.REQUEST if isinstance(self.command, REQUESTS) else AskKind.ATTESTATION,
            actor=self.actor,
            command=self.command,
        )
        payload = encode_exchange(ask)
        batch.writes.asks.append(
            AskRow(
                ask_id=ask.ask_id, case_number=self.number, asker=region, ask_seq=seq, kind=ask.kind.value,
                command=payload, based_on_version=ask.based_on_version, submitted_at=ask.submitted_at,
                last_sent_wall_s=batch.context.wall_s(),
            )
        )  # fmt: skip
        batch.send(sheet.case.owner, self.number, "ask", sheet.trace_parent, payload=payload, ref=ask.ask_id)
        return Answer(False, requested_answer(ask.ask_id))


@dataclass(slots=True, kw_only=True)
class FireTimers(_Work):
    """Whatever is due in these cases, as the timers' own work. Does nothing for a mirror or a parked case."""

    due: Sequence[str]
    urgent: bool = False
    fired: int = 0

    @property
    def numbers(self) -> Sequence[str]:
        """The cases concerned."""
        return self.due

    def do(self, batch: Batch) -> Answer:
        """Do it, all or nothing."""
        for number in self.due:
            sheet = batch.sheets.get(number)
            if sheet is None or not (events := sheet.fire_timers(batch.context, batch.now)):
                continue
            self.fired += len(events)
            sheet.trace_parent = self.hop(number, sheet.trace_parent)
        return Answer(False, b"")


@dataclass(slots=True, kw_only=True)
class NodeActs(_Work):
    """The node's own verbs on a case it owns, one after the other, as long as they stand."""

    number: str
    commands: Sequence[Command]
    expected_version: int
    urgent: bool = False

    @property
    def numbers(self) -> Sequence[str]:
        """The cases concerned."""
        return (self.number,)

    def do(self, batch: Batch) -> Answer:
        """Do it, all or nothing."""
        sheet = batch.sheets.get(self.number)
        if sheet is None or sheet.case is None:
            raise CaseError(Code.NO_SUCH_CASE, "case_number")
        if sheet.version != self.expected_version:
            raise VersionMoved(self.number, sheet.version)
        if not sheet.owned_by(batch.context.region):
            raise CaseError(Code.NOT_OWNER, "case_number")
        sheet.trace_parent = self.hop(self.number, sheet.trace_parent)
        actor = Actor(Role.NODE, batch.context.region, "rule")
        for command in self.commands:
            sheet.decide(batch.context, command, actor, batch.now)
        return Answer(False, applied_answer(sheet.version))


@dataclass(slots=True, kw_only=True)
class FilePart(_Work):
    """The next part of a joint case: the part is filed and the lead notes its number, in one commit."""

    lead: str
    filing: Filing
    handover_id: str
    note: Command
    expected_version: int
    urgent: bool = False
    filed_at: datetime | None = None

    @property
    def numbers(self) -> Sequence[str]:
        """The cases concerned."""
        return (self.lead, self.filing.case_number)

    def do(self, batch: Batch) -> Answer:
        """Do it, all or nothing."""
        lead = batch.sheets.get(self.lead)
        if lead is None or lead.case is None:
            raise CaseError(Code.NO_SUCH_CASE, "lead")
        if lead.version != self.expected_version:
            raise VersionMoved(self.lead, lead.version)
        actor = Actor(Role.NODE, batch.context.region, "joiner")
        lead.trace_parent = self.hop(self.lead, lead.trace_parent)
        lead.decide(batch.context, self.note, actor, batch.now)
        part = batch.new_sheet(self.filing.case_number, lead.trace_parent)
        command = File(replace(self.filing, filed_at=batch.now), self.handover_id)
        part.decide(batch.context, command, actor, batch.now)
        return Answer(False, applied_answer(part.version))
