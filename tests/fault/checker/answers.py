"""I8 and I14: the same request has the same answer for ever, and a refused one leaves only its answer."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence

from tests.fault.checker.facts import Call, World
from tests.fault.checker.facts import Violation as Found
from tests.fault.checker.names import violation
from tests.fault.checker.restored import beyond_recovery, is_kept_filing
from tongban.v1.case_service_pb2 import FileResponse

NO_ANSWER = {"REQUEST_ID_REUSED", "VERSION_CONFLICT"}
"""Codes of refusals that are no answer to the first request of that id, and may be another next time."""
AT_THE_FACE = {"MALFORMED", "MISSING", "ROLE_NOT_PERMITTED", "ACTOR_REGION", "NOT_YOURS"}
"""Codes of refusals that need not have reached the desk, where answers are stored."""
Key = tuple[str, str, str]


def answered(world: World) -> Iterator[Found]:
    """changed_answer, forgotten_answer, reused_request_id, refused_effect, refusal_not_stored."""
    asked: dict[Key, list[Call]] = defaultdict(list)
    made_again = is_kept_filing(world, beyond_recovery(world))
    for call in world.history or ():
        if call.outcome != "unknown" and call.code not in NO_ANSWER:
            asked[call.key].append(call)
    caused = _caused(world)
    for key, calls in asked.items():
        kept = [call for call in calls if not world.put_back(call)]  # no answer is ever sent
        yield from _made_again(world, key, [call for call in calls if made_again(call)])
        if kept:
            yield from _same(kept)
        if key[0] in world.regions:
            yield from _stored(world, key, kept)
            if all(call.outcome == "refused" for call in calls):
                yield from _left_behind(key, calls, caused)


def _caused(world: World) -> dict[tuple[str, str], tuple[str, int]]:
    """(region, request id) -> case and version that name it as their cause."""
    return {(e.author, e.core.caused_by): (e.number, e.version) for e in world.events() if e.core.caused_by}


def _same(calls: Sequence[Call]) -> Iterator[Found]:
    first = min(calls, key=lambda c: c.end_ns)
    for call in calls:
        if call.request != first.request:
            said = f"{call.request_id} was {first.verb} {first.request[:16]}, then {call.request[:16]}"
            yield violation("reused_request_id", call.case_number, call.region, said)
        elif (call.outcome, call.answer) != (first.outcome, first.answer):
            said = (
                f"{call.request_id} was {first.outcome} {first.answer[:16]},"
                f" then {call.outcome} {call.answer[:16]}"
            )
            yield violation("changed_answer", call.case_number, call.region, said)


def _stored(world: World, key: Key, calls: Sequence[Call]) -> Iterator[Found]:
    region, client, request_id = key
    stored = world.regions[region].answers.get((client, request_id))
    for call in calls:
        if stored is None or stored.body is None:
            if call.code in AT_THE_FACE:
                continue
            name = "forgotten_answer" if call.outcome == "acknowledged" else "refusal_not_stored"
            yield violation(name, call.case_number, region, f"{call.outcome} {request_id} has no answer")
        elif stored.refused != (call.outcome == "refused"):
            said = f"{request_id} was {call.outcome}; the stored answer says the opposite"
            yield violation("changed_answer", call.case_number, region, said)
        elif call.outcome == "acknowledged":
            digest = hashlib.sha256(stored.body).hexdigest()
            if digest != call.answer:
                said = f"{request_id} was answered {call.answer[:16]}; stored is {digest[:16]}"
                yield violation("changed_answer", call.case_number, region, said)


def _made_again(world: World, key: Key, calls: Sequence[Call]) -> Iterator[Found]:
    """A filing that was sent brings its answer back: of other bytes, and of the same case."""
    region, client, request_id = key
    stored = world.regions[region].answers.get((client, request_id)) if region in world.regions else None
    for call in calls:
        if stored is None or stored.body is None:
            said = f"filing {request_id} came back without its answer"
            yield violation("forgotten_answer", call.case_number, region, said)
        elif stored.refused or FileResponse.FromString(stored.body).case_number != call.case_number:
            said = f"{request_id} was answered with another case than is stored"
            yield violation("changed_answer", call.case_number, region, said)


def _left_behind(
    key: Key, calls: Sequence[Call], caused: dict[tuple[str, str], tuple[str, int]]
) -> Iterator[Found]:
    region, _, request_id = key
    if (region, request_id) in caused:
        number, version = caused[region, request_id]
        said = f"{calls[0].verb} {request_id} was refused ({calls[0].code}) and is version {version}"
        yield violation("refused_effect", number, region, said)
