"""I3: every path is legal, step by step, and the ownership moves only as the protocol says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.fault.checker.facts import Event, World
from tests.fault.checker.facts import Violation as Found
from tests.fault.checker.names import violation
from tests.fault.checker.steps import LEGAL, OVERLAYS, UNDECIDED, state_name
from tongban.v1.case_pb2 import CaseKind, Role

MOVES = {"HandedOver", "HandoverRejected"}


def legal(world: World) -> Iterator[Found]:
    """illegal_step, not_the_owner."""
    for number in world.numbers():
        path = world.path(number)
        for at, event in enumerate(path):
            for name, said in _wrong(path, at):
                yield violation(
                    name, number, event.author, f"version {event.version}, {event.core.type}: {said}"
                )


def _wrong(path: Sequence[Event], at: int) -> Iterator[tuple[str, str]]:
    core = path[at].core
    yield from (("illegal_step", said) for said in _step(path, at))
    yield from (("not_the_owner", said) for said in _owner(path, at))
    guard = GUARDS.get(core.type)
    if guard is not None:
        yield from (("illegal_step", said) for said in guard(path, at))


def _step(path: Sequence[Event], at: int) -> Iterator[str]:
    core = path[at].core
    before = state_name(path[at - 1].core.after.state) if at else "draft"
    after = state_name(core.after.state)
    kind = path[0].core.filed.filing.kind
    targets = LEGAL.get((before, core.type, core.by, kind), frozenset())
    who = f"{Role.Name(core.by)} of a {CaseKind.Name(kind)}"
    if not targets:
        yield f"not from {before} by {who}"
    elif after not in {state for target in targets for state in _named(path, at, target)}:
        yield f"leads from {before} to {after}, not to {' or '.join(sorted(targets))}"


def _named(path: Sequence[Event], at: int, target: str) -> Iterator[str]:
    """The states that a word of the table means here."""
    before = path[at - 1].core.after if at else None
    if target == "stays" and before is not None:
        yield state_name(before.state)
    elif target == "back" and before is not None:
        yield state_name(getattr(before, OVERLAYS[path[at].core.type]).back_to)
    elif target == "undone":
        timer = next((i for i in range(at - 1, 0, -1) if path[i].core.type == "AcceptanceRevoked"), 0)
        stood = state_name(path[timer - 1].core.after.state) if timer else ""
        yield "accepted" if stood == "accepted_with_lack" else stood
    else:
        yield target


def _owner(path: Sequence[Event], at: int) -> Iterator[str]:
    core = path[at].core
    if at == 0:
        if core.author != core.filed.filing.origin:
            yield f"filed by {core.author}, received in {core.filed.filing.origin}"
        return
    before = path[at - 1].core.after
    if core.author != before.owner:
        yield f"written by {core.author}, owned by {before.owner}"
    moved = core.type in MOVES
    if core.after.epoch != before.epoch + moved:
        yield f"epoch {before.epoch} becomes {core.after.epoch}"
    if core.type == "HandedOver":
        to = core.handed_over.to
    elif core.type == "HandoverRejected":
        to = path[0].core.filed.filing.origin
    else:
        to = before.owner
    if core.after.owner != to:
        yield f"{before.owner} becomes {core.after.owner}, not {to}"


def _handed_over(path: Sequence[Event], at: int) -> Iterator[str]:
    before = path[at - 1].core.type
    kind = path[0].core.filed.filing.kind
    if kind == CaseKind.CASE_KIND_COLLECT_ON_BEHALF:
        with_it = before in {"PreChecked", "AcceptanceDeemed"}
    else:
        with_it = before == "Filed"
    anew = any(e.core.type == "HandoverRejected" for e in path[:at]) or any(
        e.core.type == "CorrectionOverdue" for e in path[:at]
    )
    if not (with_it or anew):
        yield f"after {before}, and no handover was rejected"
    name = path[at].core.handed_over.handover_id
    if any(e.core.type == "HandedOver" and e.core.handed_over.handover_id == name for e in path[:at]):
        yield f"handover {name} is repeated"
    if at + 1 < len(path) and path[at + 1].core.type not in {"Received", "HandoverRejected"}:
        yield f"is followed by {path[at + 1].core.type}"


def _answered(path: Sequence[Event], at: int) -> Iterator[str]:
    before = path[at - 1].core
    name = getattr(path[at].core, "received" if path[at].core.type == "Received" else "handover_rejected")
    if before.type != "HandedOver" or before.handed_over.handover_id != name.handover_id:
        yield f"answers handover {name.handover_id}, which is not the event before"


def _withdrawn(path: Sequence[Event], at: int) -> Iterator[str]:
    before, core = path[at - 1].core.after, path[at].core
    if before.HasField("suspension"):
        if before.suspension.court_order:
            yield "suspended by court order"
        if state_name(before.suspension.back_to) not in UNDECIDED:
            yield "the case was decided before it was suspended"
    if core.withdrawn.deemed != (core.by == Role.ROLE_TIMER):
        yield "deemed is the timer's word"


def _suspended(path: Sequence[Event], at: int) -> Iterator[str]:
    before, held = path[at - 1].core.after, path[at].core.after.suspension
    if held.back_to != before.state:
        yield f"remembers {state_name(held.back_to)}, stood in {state_name(before.state)}"
    if path[at].core.by == Role.ROLE_OFFICER and not held.court_order:
        yield "by an officer without a court order"


def _resumed(path: Sequence[Event], at: int) -> Iterator[str]:
    held = path[at - 1].core.after.suspension
    if held.by != path[at].core.by:
        yield f"suspended by {Role.Name(held.by)}"


def _once(path: Sequence[Event], at: int) -> Iterator[str]:
    if any(e.core.type == path[at].core.type for e in path[:at]):
        yield "a second time"


def _rated(path: Sequence[Event], at: int) -> Iterator[str]:
    side = path[at].core.rated.rating.target
    if any(e.core.type == "Rated" and e.core.rated.rating.target == side for e in path[:at]):
        yield f"{side} is rated a second time"


def _decided(path: Sequence[Event], at: int) -> Iterator[str]:
    if path[at - 1].core.after.lacks:
        yield "with an open lack"


GUARDS = {
    "HandedOver": _handed_over,
    "Received": _answered,
    "HandoverRejected": _answered,
    "Withdrawn": _withdrawn,
    "Suspended": _suspended,
    "Resumed": _resumed,
    "Extended": _once,
    "Joined": _once,
    "Closed": _once,
    "Rated": _rated,
    "Decided": _decided,
}
