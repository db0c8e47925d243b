"""The journeys: who does what in which order, at which node, and what they wait for.

Knows the verbs of the wire. A step that is refused ends the journey (a timer or the other side was faster);
what no node answers in time ends it too, and is counted.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from tests.fault.traffic.caller import Callers, Outcome
from tests.fault.traffic.filings import filing_of, material
from tests.fault.traffic.plan import REPEATED, Journey
from tongban.v1 import command_pb2 as c
from tongban.v1.case_pb2 import Actor, Case, CaseState, Custody, Decision, Defect, Rating, Role, Shipment
from tongban.v1.case_service_pb2 import ActRequest, ActResponse, FileRequest, FileResponse, GetRequest

CLIENT = "traffic"
POLL_S = 0.1, 4.0
"""People look again soon at first, and the less often the longer they have waited: else those who wait for a
region that is away, by the thousand, keep the others from being served.
"""
APPLICANT, WINDOW, OFFICER = Role.ROLE_APPLICANT, Role.ROLE_WINDOW, Role.ROLE_OFFICER
S = CaseState
ENDED = {
    S.CASE_STATE_CLOSED,
    S.CASE_STATE_RATED,
    S.CASE_STATE_REFUSED,
    S.CASE_STATE_WITHDRAWN,
    S.CASE_STATE_ACCEPTANCE_REVOKED,
}


class Diverted(Exception):
    """The journey goes another way than planned: a step was refused, or a state never came."""


class Traveller:
    """The people around one case."""

    def __init__(self, journey: Journey, callers: Callers, patience_s: float) -> None:
        self._journey, self._callers, self._patience_s = journey, callers, patience_s
        self._rng = random.Random(journey.seed)
        self._steps = 0
        self.number = ""

    async def travel(self) -> str:
        """From the filing to its end; what it came to."""
        await JOURNEYS[self._journey.kind](self)
        return "done"

    async def plain(self, *, granted: bool = True) -> None:
        """Filed here, decided there, closed."""
        await self._filed()
        await self._settled(self.number, self._journey.competent, granted=granted)
        await self._ended(self.number)

    async def denied(self) -> None:
        """A denial is delivered like a grant."""
        await self.plain(granted=False)

    async def corrected(self) -> None:
        """Something is missing and comes in through the origin."""
        there = self._journey.competent
        authority = await self._told()
        await self._until(self._journey.origin, self.number, lambda x: x.state == S.CASE_STATE_CORRECTION)
        correct = c.Correct(materials=[material("id_card", "b")])
        await self._done(self._journey.origin, self.number, APPLICANT, correct=correct)
        await self._until(there, self.number, lambda x: x.state == S.CASE_STATE_CORRECTED)
        await self._done(there, self.number, OFFICER, authority, accept=c.Accept())
        await self._reviewed(self.number, there, authority)
        await self._ended(self.number)

    async def uncorrected(self) -> None:
        """Something is missing, and never comes."""
        await self._told()

    async def _told(self) -> str:
        """Filed, and a correction list sent; the authority."""
        there = self._journey.competent
        await self._filed()
        case = await self._arrived(self.number, there)
        wish = c.RequestCorrection(defects=[Defect(code="id_card", reason="missing", knowable_since="first")])
        await self._done(there, self.number, OFFICER, case.authority, request_correction=wish)
        return case.authority

    async def collected(self) -> None:
        """Taken in at a window, with an original and both shipments."""
        here, there = self._journey.origin, self._journey.competent
        await self._filed(WINDOW)
        case = await self._until(here, self.number, lambda _: True, WINDOW)
        item, at = case.filing.terms.materials[0].code, case.filing.filed_at
        held = Custody(item=item, holder=here, place="window-1", since=at)
        await self._done(here, self.number, WINDOW, take_custody=c.TakeCustody(custody=held))
        await self._done(here, self.number, WINDOW, pre_check=c.PreCheck())
        case = await self._arrived(self.number, there)
        await self._done(there, self.number, OFFICER, case.authority, accept=c.Accept())
        await self._reviewed(self.number, there, case.authority)
        sent = Shipment(
            id="s1", direction="outward", carrier="EMS", waybill="W1", sent_at=at, items=["result"]
        )
        await self._done(there, self.number, OFFICER, case.authority, dispatch=c.Dispatch(shipment=sent))
        await self._until(here, self.number, lambda x: x.state == S.CASE_STATE_DELIVERING, WINDOW)
        arrived = c.ShipmentArrived(shipment_id="s1", at=at)
        await self._done(here, self.number, WINDOW, shipment_arrived=arrived)
        received = c.ConfirmDelivery(received_by="applicant")
        await self._done(here, self.number, WINDOW, confirm_delivery=received)
        await self._until(here, self.number, lambda x: x.state == S.CASE_STATE_DELIVERED, WINDOW)
        await self._done(here, self.number, WINDOW, return_original=c.ReturnOriginal(item=item, at=at))
        await self._ended(self.number)
        stars = c.Rate(rating=Rating(target="origin", stars=self._rng.randint(3, 5)))
        await self._done(here, self.number, APPLICANT, rate=stars)

    async def joint(self) -> None:
        """A lead here, two parts elsewhere, all or none."""
        here = self._journey.origin
        await self._filed()
        await self._done(here, self.number, WINDOW, pre_check=c.PreCheck())
        lead = await self._until(here, self.number, lambda x: all(p.case_number for p in x.parts))
        granted = self._rng.random() < 0.7
        await asyncio.gather(
            *(self._settled(p.case_number, p.region, granted=granted or p.index > 1) for p in lead.parts)
        )
        await self._ended(self.number)

    async def lacking(self) -> None:
        """Accepted with a lack, which is made good."""
        here, there = self._journey.origin, self._journey.competent
        authority = await self._lack()
        await self._until(here, self.number, lambda x: x.state == S.CASE_STATE_ACCEPTED_WITH_LACK)
        supply = c.SupplyLack(materials=[material("application_form", "c")])
        await self._done(here, self.number, APPLICANT, supply_lack=supply)
        await self._until(there, self.number, lambda x: x.state == S.CASE_STATE_ACCEPTED)
        await self._reviewed(self.number, there, authority)
        await self._ended(self.number)

    async def unsupplied(self) -> None:
        """Accepted with a lack, which is never made good."""
        await self._lack()

    async def left(self) -> None:
        """Filed, and nobody looks at it."""
        await self._filed()

    async def _lack(self) -> str:
        """Filed and accepted with a lack; the authority."""
        there = self._journey.competent
        await self._filed()
        case = await self._arrived(self.number, there)
        await self._done(there, self.number, OFFICER, case.authority, pre_check=c.PreCheck())
        lack = c.AcceptWithLack(lacks=["application_form"])
        await self._done(there, self.number, OFFICER, case.authority, accept_with_lack=lack)
        return case.authority

    async def withdrawn(self) -> None:
        """Taken back at once."""
        await self._filed()
        await self._done(self._journey.origin, self.number, APPLICANT, withdraw=c.Withdraw(reason="changed"))
        await self._ended(self.number)

    async def race(self) -> None:
        """The applicant withdraws while the officer decides: the owner's order of commits settles it."""
        here, there = self._journey.origin, self._journey.competent
        await self._filed()
        authority = (await self._arrived(self.number, there)).authority
        await self._done(there, self.number, OFFICER, authority, pre_check=c.PreCheck())
        await self._done(there, self.number, OFFICER, authority, accept=c.Accept())
        await self._stepped(self.number, there, authority)
        await asyncio.gather(
            self._do(here, self.number, APPLICANT, withdraw=c.Withdraw(reason="changed")),
            self._do(there, self.number, OFFICER, authority, decide=_decision(granted=True)),
        )
        either = {S.CASE_STATE_WITHDRAWN, S.CASE_STATE_DECIDED}
        await self._until(here, self.number, lambda x: x.state in either)

    async def refused(self) -> None:
        """A matter that does not exist; and a verb on a case that does not exist."""
        if not (await self._file(APPLICANT)).refused:
            raise Diverted("a filing that cannot stand was taken")
        await self._do(self._journey.origin, "3201002026010100010000001A", OFFICER, "x", accept=c.Accept())

    async def _filed(self, role: Role.ValueType = APPLICANT) -> None:
        outcome = await self._file(role)
        if outcome.refused:
            raise Diverted(f"filing refused: {outcome.code}")
        self.number = FileResponse.FromString(outcome.answer).case_number

    async def _file(self, role: Role.ValueType) -> Outcome:
        request = FileRequest(
            request_id=self._id(), client=CLIENT, actor=self._actor(self._journey.origin, role),
            filing=filing_of(self._journey),
        )  # fmt: skip
        return await self._repeated(lambda: self._callers.file(self._journey.origin, request))

    async def _do(
        self, region: str, number: str, role: Role.ValueType, authority: str = "", **verb: Any
    ) -> Outcome:
        request = ActRequest(
            request_id=self._id(), client=CLIENT, actor=self._actor(region, role, authority),
            case_number=number, command=c.Command(**verb),
        )  # fmt: skip
        return await self._repeated(lambda: self._callers.act(region, request))

    async def _done(
        self, region: str, number: str, role: Role.ValueType, authority: str = "", **verb: Any
    ) -> ActResponse:
        outcome = await self._do(region, number, role, authority, **verb)
        if outcome.refused:
            raise Diverted(f"{next(iter(verb))}: {outcome.code}")
        return ActResponse.FromString(outcome.answer)

    async def _repeated(self, call: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Now and then a request goes out twice at once."""
        if self._rng.random() >= REPEATED:
            return await call()
        first, _ = await asyncio.gather(call(), call())
        return first

    async def _settled(self, number: str, region: str, *, granted: bool) -> None:
        case = await self._arrived(number, region)
        await self._done(region, number, OFFICER, case.authority, pre_check=c.PreCheck())
        await self._done(region, number, OFFICER, case.authority, accept=c.Accept())
        await self._reviewed(number, region, case.authority, granted=granted)

    async def _reviewed(self, number: str, region: str, authority: str, *, granted: bool = True) -> None:
        await self._stepped(number, region, authority)
        await self._done(region, number, OFFICER, authority, decide=_decision(granted=granted))

    async def _stepped(self, number: str, region: str, authority: str) -> None:
        await self._done(region, number, OFFICER, authority, start_review=c.StartReview())
        for _ in range(3):
            await self._done(region, number, OFFICER, authority, finish_step=c.FinishStep(outcome="ok"))

    async def _arrived(self, number: str, region: str) -> Case:
        return await self._until(
            region, number, lambda x: x.owner == region and not x.awaiting_receipt, OFFICER
        )

    async def _ended(self, number: str) -> None:
        await self._until(self._journey.origin, number, lambda x: x.state in ENDED)

    async def _until(
        self, region: str, number: str, holds: Callable[[Case], bool], role: Role.ValueType = APPLICANT
    ) -> Case:
        """The case at that node as soon as it is so."""
        request = GetRequest(case_number=number, actor=self._actor(region, role))
        said, (pause_s, most_s) = "unknown", POLL_S
        try:
            async with asyncio.timeout(self._patience_s):
                while True:
                    found = await self._callers.get(region, request)
                    if found is not None:
                        said = S.Name(found.case.state)
                        if holds(found.case):
                            return found.case
                    await asyncio.sleep(pause_s)
                    pause_s = min(most_s, pause_s * 1.5)
        except TimeoutError:
            raise Diverted(f"{number} at {region} stays {said}") from None

    def _actor(self, region: str, role: Role.ValueType, authority: str = "") -> Actor:
        return Actor(role=role, region=region, id=f"a{self._journey.name}", authority=authority)

    def _id(self) -> str:
        self._steps += 1
        return f"{self._journey.name}-{self._steps}"


def _decision(*, granted: bool) -> c.Decide:
    remedy = "" if granted else "可申请行政复议"
    return c.Decide(decision=Decision(granted=granted, reasons="依据充分", remedy=remedy))


JOURNEYS: dict[str, Callable[[Traveller], Awaitable[None]]] = {
    "plain": Traveller.plain,
    "denied": Traveller.denied,
    "corrected": Traveller.corrected,
    "collected": Traveller.collected,
    "joint": Traveller.joint,
    "lacking": Traveller.lacking,
    "withdrawn": Traveller.withdrawn,
    "race": Traveller.race,
    "local": Traveller.plain,
    "refused": Traveller.refused,
    "left": Traveller.left,
    "uncorrected": Traveller.uncorrected,
    "unsupplied": Traveller.unsupplied,
}
