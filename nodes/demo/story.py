"""One case told in full: who held it at each step, which light it showed, until when; then its trace.

Knows what an event says of afterwards. Asks the nodes by gRPC alone. Must not know why this case was chosen
beyond `choose`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from nodes.business_time import SHANGHAI
from nodes.codec.spans import take_spans
from nodes.demo.docket import STATES
from nodes.demo.people import Place
from nodes.demo.play import Played
from nodes.telemetry import SpanRow
from tongban.v1 import case_pb2, event_pb2

LIGHTS: Final = {v: n.removeprefix("LIGHT_").lower() for n, v in case_pb2.Light.items()}
_THEIRS: Final = (case_pb2.CLOCK_KIND_CORRECTION, case_pb2.CLOCK_KIND_LACK)


@dataclass(frozen=True, slots=True)
class Step:
    """One event. holder: (role, region), None when nobody must act; due: of the clock that runs out first."""

    at: datetime
    version: int
    event: str
    state: str
    holder: tuple[str, str] | None
    light: str
    due: datetime | None

    def data(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "at": self.at.isoformat(timespec="minutes"),
            "version": self.version,
            "event": self.event,
            "state": self.state,
            "holder": "@".join(self.holder) if self.holder else "",
            "light": self.light,
            "due": self.due.isoformat(timespec="minutes") if self.due else "",
        }


@dataclass(frozen=True, slots=True)
class Story:
    """What is told of one case. missing: regions that did not give their part of the trace."""

    played: Played
    steps: tuple[Step, ...]
    spans: tuple[SpanRow, ...]
    missing: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        """As JSON data, without the trace."""
        return {
            "line": self.played.line.request_id,
            "case_number": self.played.number,
            "steps": [step.data() for step in self.steps],
        }


def choose(played: Sequence[Played], places: Mapping[str, Place], wanted: str) -> Played | None:
    """The one that `wanted` names (case number or request id); else of those that crossed a border the one to
    which most kinds of things happened, the first of the input where several are equal.
    """
    cases = [p for p in played if p.number and not p.line.again]
    if wanted:
        plain = wanted.replace("-", "").replace(" ", "").upper()
        return next((p for p in cases if wanted == p.line.request_id or plain == p.number), None)

    def kinds(p: Played) -> int:
        entry = places[p.line.node].docket.entries.get(p.number)
        crossed = entry is not None and len(entry.parties) > 1 and entry.owner != p.line.node
        return len(entry.seen) if entry is not None and crossed and p.line.expect.get("granted") else 0

    return max(cases, key=lambda p: (kinds(p), -p.line.number), default=None)


async def tell(played: Played, places: Mapping[str, Place]) -> Story:
    """Ask the origin for the history and the trace. Raises Refusal."""
    calls = places[played.line.node].calls
    actor = case_pb2.Actor(role=case_pb2.ROLE_OPERATOR, region=calls.region, id="demo-teller")
    history = await calls.history(played.number, actor)
    trace = await calls.trace(played.number)
    spans = [span for region in places for span in take_spans(_of(trace.spans, region), region)]
    return Story(played, tuple(steps_of(history.events)), tuple(spans), tuple(trace.missing))


def _of(spans: Sequence[Any], region: str) -> Iterator[Any]:
    return (span for span in spans if span.region == region)


def steps_of(events: Sequence[event_pb2.CaseEvent]) -> Iterator[Step]:
    """The timeline."""
    origin, collected = "", False
    for event in events:
        core = event.core
        if core.WhichOneof("body") == "filed":
            filing = core.filed.filing
            origin, collected = filing.origin, filing.kind == case_pb2.CASE_KIND_COLLECT_ON_BEHALF
        open_clocks = [clock for clock in core.after.clocks if not clock.HasField("ended_at")]
        step = case_pb2.CLOCK_KIND_STEP
        running = [clock for clock in open_clocks if clock.kind != step and not _stopped(clock)]
        first = min(running, key=lambda clock: clock.due_at.ToNanoseconds(), default=None)
        worst = max((clock.light for clock in open_clocks), default=case_pb2.LIGHT_UNSPECIFIED)
        yield Step(
            at=core.recorded_at.ToDatetime(tzinfo=SHANGHAI),
            version=core.version,
            event=core.type,
            state=STATES.get(core.after.state, ""),
            holder=_holder(first, core.after, origin, collected=collected),
            light=LIGHTS[worst] if worst else "",
            due=first.due_at.ToDatetime(tzinfo=SHANGHAI) if first is not None else None,
        )


def _stopped(clock: case_pb2.Clock) -> bool:
    return any(not stop.HasField("until") for stop in clock.stops)


def _holder(
    clock: case_pb2.Clock | None, after: event_pb2.After, origin: str, *, collected: bool
) -> tuple[str, str] | None:
    """As the node says it of the case itself (`GetResponse.holder`)."""
    if clock is None:
        return None
    if clock.kind in _THEIRS:
        return "applicant", origin
    handed = any(party.role == case_pb2.CASE_ROLE_COMPETENT for party in after.parties)
    if collected and not handed:
        return "window", origin
    return "officer", clock.region
