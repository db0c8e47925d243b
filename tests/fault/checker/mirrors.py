"""I4: one owner, and everybody else's copy is the owner's case, once everything has been sent."""

from __future__ import annotations

from collections.abc import Iterator

from tests.fault.checker.facts import CaseRow, Event, Region, World
from tests.fault.checker.facts import Violation as Found
from tests.fault.checker.names import violation
from tests.fault.checker.steps import state_name

RESULTS = {
    "Refused": "refused",
    "Withdrawn": "withdrawn",
    "AcceptanceRevoked": "acceptance_revoked",
    "Lapsed": "lapsed",
}


def converged(world: World) -> Iterator[Found]:
    """two_owners, no_owner, stale_row, diverged_mirror, fork, parked_case, unfolded_part."""
    for number in world.numbers():
        yield from _owners(world, number)
        yield from _copies(world, number)
        yield from _forks(world, number)
        yield from _parts(world, number)
    for region in world.regions.values():
        for number, row in region.cases.items():
            yield from _row(region, number, row)
        if not world.may_park:
            yield from _parked(region)


def _owners(world: World, number: str) -> Iterator[Found]:
    owners = [r.code for r in world.regions.values() if number in r.cases and r.cases[number].owned]
    latest = world.latest(number)
    if len(owners) > 1:
        yield violation("two_owners", number, "", f"owned in {' and '.join(sorted(owners))}")
    elif not owners and latest is not None and latest.core.after.owner in world.regions:
        yield violation("no_owner", number, "", f"should be {latest.core.after.owner}")


def _row(region: Region, number: str, row: CaseRow) -> Iterator[Found]:
    last = max(region.events.get(number, ()), key=lambda e: e.version, default=None)
    if last is None:
        yield violation("stale_row", number, region.code, "there is a row and no event")
        return
    after = last.core.after
    for word, stored, true in (
        ("version", row.version, last.version),
        ("state", row.state, state_name(after.state)),
        ("owner", row.owner, after.owner),
        ("epoch", row.epoch, after.epoch),
        ("owned", row.owned, after.owner == region.code),
        ("last_hash", row.last_hash.hex()[:16], last.digest.hex()[:16]),
    ):
        if stored != true:
            said = f"{word} is {stored}, event {last.version} says {true}"
            yield violation("stale_row", number, region.code, said)


def _copies(world: World, number: str) -> Iterator[Found]:
    latest = world.latest(number)
    if latest is None:
        return
    parties = {p.region for p in latest.core.after.parties} | {latest.core.after.owner}
    for code in sorted(parties & world.regions.keys()):
        region = world.regions[code]
        row = region.cases.get(number)
        if row is None:
            if code != latest.core.after.owner:
                said = f"has no copy, {latest.region} is at version {latest.version}"
                yield violation("diverged_mirror", number, code, said)
        elif not (row.parked and world.may_park) and not _same(row, latest):
            said = (
                f"has version {row.version} {row.state} {row.last_hash.hex()[:16]},"
                f" {latest.region} has {latest.version} {state_name(latest.core.after.state)}"
                f" {latest.digest.hex()[:16]}"
            )
            yield violation("diverged_mirror", number, code, said)


def _same(row: CaseRow, latest: Event) -> bool:
    ours = (row.version, row.state, row.last_hash)
    return ours == (latest.version, state_name(latest.core.after.state), latest.digest)


def _forks(world: World, number: str) -> Iterator[Found]:
    found: dict[int, dict[bytes, str]] = {}
    for region in world.regions.values():
        for event in region.events.get(number, ()):
            found.setdefault(event.version, {})[event.digest] = region.code
    for version, digests in sorted(found.items()):
        if version > 1 and len(digests) > 1:
            said = f"version {version} differs in {' and '.join(sorted(digests.values()))}"
            yield violation("fork", number, "", said)


def _parked(region: Region) -> Iterator[Found]:
    for row in region.cases.values():
        if row.parked:
            yield violation("parked_case", row.number, region.code, "the copy is parked")
    for letter in region.parked:
        if letter.state == "parked":
            said = f"letter {letter.id} from {letter.source}: {letter.reason}"
            yield violation("parked_case", letter.case_number, region.code, said)


def _parts(world: World, number: str) -> Iterator[Found]:
    """A lead knows how each of its filed parts ended, unless an operator went on without it."""
    told: dict[int, str] = {}
    filed: dict[int, str] = {}
    for event in world.path(number):
        match event.core.type:
            case "PartFiled":
                filed[event.core.part_filed.index] = event.core.part_filed.case_number
            case "PartFolded":
                told[event.core.part_folded.part.index] = event.core.part_folded.part.result
            case "PartDetached":
                filed.pop(event.core.part_detached.index, None)
    for index, part in filed.items():
        results = _results(world.path(part))
        if results and told.get(index, "") not in results:
            said = f"part {index}, {part}, is {results[-1]}; the lead has {told.get(index) or 'nothing'}"
            yield violation("unfolded_part", number, number[:2], said)


def _results(path: list[Event]) -> list[str]:
    """What a part has come to, and what it had come to before."""
    found = []
    for event in path:
        if event.core.type == "Decided":
            found.append("granted" if event.core.decided.decision.granted else "denied")
        elif event.core.type in RESULTS:
            found.append(RESULTS[event.core.type])
    return found
