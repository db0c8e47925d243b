"""The check at the end: each case against what its line says must come of it, at every node that has it.

Knows what is compared. Asks the nodes by gRPC alone. Must not know how the lines were played.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from nodes.business_time import SHANGHAI
from nodes.demo.calls import Refusal
from nodes.demo.docket import STATES, Docket, Entry
from nodes.demo.people import Place
from nodes.demo.play import Played
from nodes.demo.quiet import agreed
from tongban.v1 import case_pb2
from tongban.v1.case_service_pb2 import GetResponse

LIGHTS: Final = {v: n.removeprefix("LIGHT_").lower() for n, v in case_pb2.Light.items()}
KINDS: Final = {v: n.removeprefix("CLOCK_KIND_").lower() for n, v in case_pb2.ClockKind.items()}
_WORSE: Final = ("", "green", "yellow", "red")


@dataclass(frozen=True, slots=True)
class Difference:
    """Something is not as expected. field: what; region: of the node that says otherwise."""

    line: str
    number: str
    field: str
    expected: Any
    found: Any
    region: str = ""

    def data(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "line": self.line, "case_number": self.number, "field": self.field, "expected": self.expected,
            "found": self.found, "region": self.region,
        }  # fmt: skip


@dataclass(slots=True)
class Checked:
    """The result. cases: compared; differences: all of them; waited_s: until owners and mirrors agreed."""

    cases: int = 0
    differences: list[Difference] = field(default_factory=list)
    waited_s: float = 0.0


async def check(places: Mapping[str, Place], played: Sequence[Played], patience_s: float = 15.0) -> Checked:
    """Everything that is otherwise than expected, lost, stuck or uncalled for."""
    began = time.monotonic()
    left = await agreed(places, patience_s)
    result = Checked()
    result.differences += [Difference("", a.number, a.what, a.expected, a.found, a.region) for a in left]
    result.waited_s = time.monotonic() - began
    first = {p.line.request_id: p for p in played if not p.line.again}
    gate = asyncio.Semaphore(16)

    async def one(item: Played) -> None:
        async with gate:
            result.differences += [found async for found in _Checking(places, item).run(first)]

    await asyncio.gather(*(one(item) for item in played))
    result.differences += _uncalled_for(places, {item.number for item in played})
    result.cases = sum(1 for item in played if item.number and not item.line.again)
    result.differences.sort(key=lambda d: (d.line, d.number, d.field))
    return result


def _uncalled_for(places: Mapping[str, Place], known: Collection[str]) -> Iterator[Difference]:
    """Cases that no line and no joint case of a line accounts for."""
    found = {number: entry for place in places.values() for number, entry in place.docket.entries.items()}
    for number, entry in found.items():
        if number not in known and entry.lead not in known:
            yield Difference("", number, "case", "none", entry.state, entry.owner)


def clock_lights(case: case_pb2.Case) -> dict[str, str]:
    """The worst light that each kind of clock has shown."""
    found: dict[str, str] = {}
    for clock in case.clocks:
        kind = KINDS[clock.kind]
        found[kind] = max(found.get(kind, ""), LIGHTS[clock.light], key=_WORSE.index)
    return dict(sorted(found.items()))


def decision_due(case: case_pb2.Case) -> datetime | None:
    """When the last decision clock was due."""
    clocks = [clock for clock in case.clocks if KINDS[clock.kind] == "decision"]
    return clocks[-1].due_at.ToDatetime(tzinfo=SHANGHAI) if clocks else None


def facts_of(case: case_pb2.Case) -> dict[str, Any]:
    """Of a case, what a line may expect."""
    due = decision_due(case)
    return {
        "authority": case.authority or case.filing.authority,
        "state": STATES[case.state],
        "granted": case.decision.granted if case.HasField("decision") else None,
        "decision_due": due.isoformat(timespec="minutes") if due else None,
        "lights": clock_lights(case),
        "light": LIGHTS[case.light],
        "rule": case.decision.rule,
        "reason": case.reason,
        "deemed": case.deemed,
        "ratings": {rating.target: rating.stars for rating in case.ratings},
    }


@dataclass(frozen=True, slots=True)
class _Checking:
    places: Mapping[str, Place]
    played: Played

    def differs(self, what: str, expected: Any, found: Any, number: str = "", region: str = "") -> Difference:
        line = self.played.line.request_id
        return Difference(line, number or self.played.number, what, expected, found, region)

    async def run(self, first: Mapping[str, Played]) -> Any:
        """Yields differences."""
        expect, played = self.played.line.expect, self.played
        for what, said in played.problems:
            yield self.differs(what, "", said)
        if expect["outcome"] == "same_answer":
            before = first.get(played.line.request_id)
            if played.filed is None or before is None or played.filed != before.filed:
                yield self.differs("answer", "the first answer", str(played.refused or "another"))
            return
        if expect["outcome"] == "refused":
            for found in self._refusal(expect["refusal"]):
                yield found
            return
        if played.filed is None:
            yield self.differs("filing", "filed", str(played.refused or "no answer"))
            return
        for found in self._filed(expect):
            yield found
        async for found in self._case(played.number, expect):
            yield found

    def _refusal(self, expect: Mapping[str, Any]) -> Iterator[Difference]:
        refused = self.played.refused
        if refused is None:
            yield self.differs("refusal", expect["code"], "filed" if self.played.filed else "no answer")
            return
        if refused.code != expect["code"]:
            yield self.differs("refusal.code", expect["code"], refused.code)
        found = sorted((wrong.field, wrong.code) for wrong in refused.detail.fields)
        wanted = sorted((wrong["field"], wrong["code"]) for wrong in expect["fields"])
        if found != wanted:
            yield self.differs("refusal.fields", wanted, found)

    def _filed(self, expect: Mapping[str, Any]) -> Iterator[Difference]:
        filed = self.played.filed
        assert filed is not None
        due = filed.notice_due.ToDatetime(tzinfo=SHANGHAI).isoformat(timespec="minutes")
        pairs = {
            "competent": (expect["competent"], filed.competent),
            "notice_due": (expect["notice_due"], due),
            "warnings": (sorted(expect.get("warnings", [])), sorted(w.code for w in filed.warnings)),
            "reused": (sorted(expect.get("reused", [])), sorted(filed.reused)),
        }
        for what, (wanted, found) in pairs.items():
            if wanted != found:
                yield self.differs(what, wanted, found)

    async def _case(self, number: str, expect: Mapping[str, Any]) -> Any:
        entry = self._entry(number)
        if entry is None:
            yield self.differs("case", expect["state"], "lost", number)
            return
        regions = sorted({entry.owner} | entry.parties)
        for region in regions:
            answer = await self._get(region, number)
            if answer is None:
                yield self.differs("case", expect["state"], "lost", number, region)
                continue
            if answer.owned != (region == entry.owner):
                yield self.differs("owned", region == entry.owner, answer.owned, number, region)
            if answer.parked:
                yield self.differs("parked", False, True, number, region)
            for found in self._compare(number, answer.case, expect, region):
                yield found
            if region == entry.owner and "parts" in expect:
                async for found in self._parts(answer.case, expect["parts"]):
                    yield found

    def _entry(self, number: str) -> Entry | None:
        dockets: list[Docket] = [place.docket for place in self.places.values()]
        found = [docket.entries[number] for docket in dockets if number in docket.entries]
        return max(found, key=lambda entry: entry.version, default=None)

    async def _get(self, region: str, number: str) -> GetResponse | None:
        place = self.places[region]
        actor = case_pb2.Actor(role=case_pb2.ROLE_OPERATOR, region=region, id="demo-checker")
        try:
            return await place.calls.get(number, actor)
        except Refusal:
            return None

    def _compare(
        self, number: str, case: case_pb2.Case, expect: Mapping[str, Any], region: str
    ) -> Iterator[Difference]:
        facts = facts_of(case)
        wanted = dict(expect)
        if facts["state"] != wanted["state"] and facts["state"] == wanted.get("or", {}).get("state"):
            wanted |= wanted["or"]
        for what, found in facts.items():
            expected = wanted.get(what, type(found)() if found is not None else None)
            if expected != found:
                yield self.differs(what, expected, found, number, region)

    async def _parts(self, lead: case_pb2.Case, expect: Sequence[Mapping[str, Any]]) -> Any:
        known = {part.index: part for part in lead.parts}
        for wanted in expect:
            part = known.get(wanted["index"])
            if part is None:
                yield self.differs(f"part {wanted['index']}", wanted["result"], "unknown")
                continue
            if part.result != wanted["result"]:
                yield self.differs(f"part {part.index}", wanted["result"], part.result, part.case_number)
            if "state" in wanted:
                async for found in self._case(part.case_number, wanted):
                    yield found
            elif part.case_number:
                yield self.differs(f"part {part.index}", "never filed", part.case_number)
