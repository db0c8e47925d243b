"""What the node does by itself: decision rules, electronic delivery, closing, and the joiner of joint cases.

Knows which own step is next for a case that this region owns, and hands it to the writer as the node. Must
not know how it is decided or stored. Nothing here is remembered: whatever is undone is found again from the
cases themselves, after each commit and at start. A joint case goes on in the process that committed what it
waited for; should that one die in between, the process that has the lease finds the lead when it next looks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

import structlog
import uuid_utils

from nodes.cases import joint
from nodes.cases.case import Actor, Case, Decision, Role, State
from nodes.cases.commands import Accept, Command, Decide, PreCheck, StartReview
from nodes.cases.commands import FilePart as FiledPart
from nodes.cases.errors import CaseError
from nodes.cases.filing import Filing, Kind
from nodes.cases.handling import node_next
from nodes.cases.papers import answered
from nodes.desk.acts import Act, FilePart, NodeActs
from nodes.desk.batch import Batch
from nodes.desk.desk import Desk
from nodes.desk.hops import OwnHop
from nodes.desk.intake import part_filing
from nodes.desk.own import OwnSteps
from nodes.desk.reader import Reader
from nodes.desk.routing import given_back, handed_anew
from nodes.desk.work import DeskError, VersionMoved
from nodes.desk.writer import Writer
from nodes.store.errors import StoreError
from nodes.store.rows import CaseCursor, CaseFilter
from nodes.store.store import Store
from nodes.telemetry.recorder import HopTracer
from nodes.waking import woken
from regions.errors import FieldError
from regions.identifiers import parse_identity
from regions.rules import FilingFacts, Verdict, VerdictKind, rule

Registers = Callable[[Filing], Mapping[str, str]]
"""What the authority's own registers say of a filing, by "register.field"; empty where none can be asked."""

PAGE: Final = 200
AT_ONCE: Final = 32
SWEEP_S: Final = 20.0
"""Wall seconds between two looks at the leads of all joint cases; a dead process is missed soon after."""
log = structlog.get_logger("tongban.automatic")


def silent(_: Filing) -> Mapping[str, str]:
    """No register can be asked: every rule that needs one leaves the case to an officer."""
    return {}


class Automatic:
    """The node's own hands."""

    def __init__(
        self, store: Store, desk: Desk, writer: Writer, reader: Reader, tracer: HopTracer, *,
        registers: Registers = silent,
    ) -> None:  # fmt: skip
        self._store, self._desk, self._writer, self._reader, self._tracer = (
            store,
            desk,
            writer,
            reader,
            tracer,
        )
        self._context = writer.context
        self._registers = registers
        self._waiting: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._left: dict[str, int] = {}
        """Case -> version at which its rule left it to an officer."""
        self._given_back: set[str] = set()
        """Cases that nobody takes, until an operator hands them over or refuses them."""
        self._trouble = ""
        self._sweep_at = time.monotonic() + SWEEP_S
        writer.do_last(OwnSteps(self.own_step, tracer))

    @property
    def problem(self) -> str:
        """Why own steps do not get on, "" when they do."""
        if self._given_back and not self._trouble:
            return f"{len(self._given_back)} cases were given back and wait for an operator"
        return self._trouble

    def look(self, batch: Batch) -> None:
        """After a commit: the cases that may have an own step now, and the leads of changed parts."""
        region = self._context.region
        for sheet in batch.sheets.values():
            if not sheet.written or sheet.case is None:
                continue
            if not given_back(sheet.case, region):
                self._given_back.discard(sheet.number)
            if sheet.case.owner == region and not self._settled(batch, sheet.case):
                self._waiting[sheet.number] = None
            filing = sheet.case.filing
            if filing.lead and filing.lead_region == region:
                self._waiting[filing.lead] = None
        if self._waiting:
            self._wake.set()

    @staticmethod
    def _settled(batch: Batch, case: Case) -> bool:
        """Whether its own steps are all taken; of a lead, the joiner has to look."""
        return case.number in batch.settled and case.filing.kind is not Kind.LEAD

    async def start(self) -> None:
        """Begins, in the running event loop."""
        self._task = asyncio.create_task(self._run(), name="automatic")

    async def close(self) -> None:
        """Ends; what was not done is found again at the next start."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        pending = True
        while True:
            try:
                if pending:
                    await self._find(CaseFilter(open=True, owned=True))
                    pending = False
                elif time.monotonic() >= self._sweep_at:
                    await self._sweep()
                while self._waiting:
                    numbers = list(self._waiting)[:AT_ONCE]
                    for number in numbers:
                        del self._waiting[number]
                    await self._step_all(numbers)
                self._trouble = ""
            except (StoreError, DeskError) as error:
                self._trouble, pending = str(error), True
                await asyncio.sleep(1.0)
                continue
            await woken(self._wake, max(0.0, self._sweep_at - time.monotonic()))

    async def _sweep(self) -> None:
        """One process looks at all open leads: another may have died before it went on with one."""
        self._sweep_at = time.monotonic() + SWEEP_S
        async with self._store.write(durable=False) as unit:
            lease = await unit.take_lease("automatic", self._context.process, SWEEP_S * 1.25)
        if lease is not None:
            await self._find(CaseFilter(open=True, owned=True, kind=Kind.LEAD.value))

    async def _find(self, wanted: CaseFilter) -> None:
        """Cases to look at again: at start and after a failure every open one of this region."""
        after: CaseCursor | None = None
        while True:
            page = await self._reader.page(wanted, after, PAGE)
            self._waiting.update(dict.fromkeys(row.number for row in page))
            if len(page) < PAGE:
                return
            after = CaseCursor(page[-1].filed_at, page[-1].number)

    async def _step_all(self, numbers: Iterable[str]) -> None:
        views = await self._reader.cases(list(numbers))
        await asyncio.gather(*(self._step(view.case) for view in views.values() if not view.row.parked))

    async def _step(self, case: Case) -> None:
        try:
            if case.filing.kind is Kind.LEAD:
                await self._join(case)
            if commands := self.own_step(case):
                work = NodeActs(
                    number=case.number, commands=commands, expected_version=case.version, hop=self._hop()
                )
                answer = await self._writer.submit(work)
                if answer.refused:
                    log.warning("an own step was refused", case_number=case.number)
        except VersionMoved:
            self._waiting[case.number] = None
        except CaseError as error:
            log.warning("an own step was refused", case_number=case.number, code=str(error.code))
        except (StoreError, DeskError):
            raise
        except Exception:  # one case that nobody foresaw must not keep the others from going on
            log.exception("an own step failed", case_number=case.number)

    def own_step(self, case: Case) -> tuple[Command, ...]:
        """What the node itself does next to a case that it owns; () for nothing."""
        if case.owner != self._context.region:
            return ()
        if given_back(case, self._context.region):
            return self._hand_over_anew(case)
        if (command := node_next(case, self._context.region)) is not None:
            return (command,)
        if case.filing.terms.decision_rule and self._left.get(case.number) != case.version:
            return self._by_rule(case)
        return ()

    def _hand_over_anew(self, case: Case) -> tuple[Command, ...]:
        """Once by the facts of today; when they say nothing new, an operator is told."""
        command = handed_anew(case, str(uuid_utils.uuid7())) if len(case.spent_handovers) == 1 else None
        if command is None and case.number not in self._given_back:
            self._given_back.add(case.number)
            log.error("a case was given back and waits for an operator", case_number=case.number)
        return () if command is None else (command,)

    def _by_rule(self, case: Case) -> tuple[Command, ...]:
        """The steps from where the case stands to the rule's decision; () when the rule leaves it."""
        first = {
            State.FILED: 0,
            State.PRE_CHECKED: 1,
            State.CORRECTED: 1,
            State.ACCEPTED: 2,
            State.IN_REVIEW: 3,
        }.get(case.state)
        if first is None or (first == 0 and case.filing.kind not in (Kind.FULL_ONLINE, Kind.PART)):
            return ()
        listed = case.filing.terms.materials
        if any(m.required and not answered(case.filing.terms, m.code, case.materials) for m in listed):
            return ()
        verdict = self._verdict(case)
        if verdict is None or verdict.kind is VerdictKind.LEAVE:
            self._left[case.number] = case.version
            return ()
        granted = verdict.kind is VerdictKind.GRANT
        decision = Decision(
            granted=granted,
            reasons="；".join(r.zh for r in verdict.reasons),
            remedy="" if granted else verdict.remedy_zh,
            document=f"{case.number}-R" if granted else "",
            rule=case.filing.terms.decision_rule,
        )
        return (PreCheck(), Accept(), StartReview(), Decide(decision))[first:]

    def _verdict(self, case: Case) -> Verdict | None:
        filing = case.filing
        today = self._context.now().date()
        try:
            birth = (
                parse_identity(filing.applicant.id_no, today).birth
                if filing.applicant.kind == "person"
                else None
            )
        except FieldError:
            birth = None  # a passport, say: the rule sees no date of birth
        facts = FilingFacts(
            matter=filing.matter,
            part=str(filing.part_index) if filing.part_index else None,
            region=self._context.region,
            authority=case.authority,
            today=today,
            applicant_name=filing.applicant.name,
            id_no=filing.applicant.id_no,
            birth=birth,
            by_agent=filing.agent is not None,
            materials=frozenset(m.code for m in case.materials),
            answers=dict(filing.facts),
            registers=self._registers(filing),
        )
        try:
            return rule(filing.terms.decision_rule)(facts)
        except FieldError:
            return None  # a rule that this node does not have: an officer decides

    # ---- joint cases

    async def _join(self, lead: Case) -> None:
        """Carry out what the joiner's pure rules say is next."""
        async with self._store.read() as unit:
            rows = await unit.parts_of(lead.number)
        parts = await self._reader.cases([row.number for row in rows])
        steps = joint.next_steps(lead, {number: view.case for number, view in parts.items()})
        if told := [step.command for step in steps if isinstance(step, joint.TellLead)]:
            # One verb at a time: what comes after it is planned anew from the lead as it is then.
            await self._writer.submit(
                NodeActs(
                    number=lead.number, commands=told[:1], expected_version=lead.version, hop=self._hop()
                )
            )
            return
        version = lead.version
        for step in steps:
            if isinstance(step, joint.FileNext):
                await self._file_part(lead, step.index, version)
                version += 1
            elif isinstance(step, joint.TellPart):
                await self._tell(step.case_number, step.command)

    async def _file_part(self, lead: Case, index: int, version: int) -> None:
        part = next(p for p in lead.parts if p.index == index)
        number = await self._desk.number(lead.filing.origin_area)
        filing = part_filing(lead, part, number, self._context.now())
        work = FilePart(
            lead=lead.number,
            filing=filing,
            handover_id=str(uuid_utils.uuid7()),
            note=FiledPart(index, number),
            expected_version=version,
            hop=self._hop(),
        )
        await self._writer.submit(work)

    async def _tell(self, number: str, command: Command) -> None:
        """A verb on a part: applied when this region decides it, else asked of its owner, once."""
        async with self._store.read() as unit:
            asked = await unit.asks_of_case(number)
        kind = type(command).__name__
        if any(a.asker == self._context.region and a.state == "pending" for a in asked):
            return
        work = Act(
            number=number,
            command=command,
            actor=Actor(Role.NODE, self._context.region, "joiner"),
            hop=self._hop(),
        )
        answer = await self._writer.submit(work)
        if answer.refused:
            log.info("a part did not take it", case_number=number, verb=kind)

    def _hop(self) -> OwnHop:
        return OwnHop(self._tracer, "own_step")


__all__ = ["Automatic", "Registers", "silent"]
