"""What the checker has read, as frozen values: rows of databases, records of topics, calls of the history.

Names and meanings of the columns are those of the schema; `core` is the message of the wire. Contains no
judgement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tongban.v1.event_pb2 import EventCore
from tongban.v1.exchange_pb2 import Exchange

INBOX = "tongban.inbox."
EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CaseRow:
    """The row that changes, without its snapshot."""

    number: str
    state: str
    kind: str
    version: int
    epoch: int
    owner: str
    owned: bool
    origin: str
    competent: str
    light: str
    last_hash: bytes
    trace_id: str
    parked: bool


@dataclass(frozen=True, slots=True)
class Event:
    """An event in one region's database. `digest`: SHA-256 of the bytes of the core, by our own count."""

    region: str
    entry: int
    number: str
    version: int
    event_id: str
    hash: bytes
    caused_by: str
    author: str
    epoch: int
    core: EventCore
    digest: bytes

    @property
    def recorded_at(self) -> datetime:
        """Business time of writing, aware."""
        return self.core.recorded_at.ToDatetime(UTC)


@dataclass(frozen=True, slots=True)
class Answer:
    """The stored answer to a request. `body` is None in an answer that was claimed and never given."""

    client: str
    request_id: str
    refused: bool
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Ask:
    """A wish of a non-owner, as one region has it."""

    ask_id: str
    case_number: str
    asker: str
    ask_seq: int
    state: str
    outcome_version: int
    refusal_code: str


@dataclass(frozen=True, slots=True)
class Owed:
    """A row of the outbox."""

    id: int
    destination: str
    case_number: str
    kind: str
    from_version: int
    to_version: int
    ref: str


@dataclass(frozen=True, slots=True)
class Tail:
    """How far a destination was sent a case, and has it."""

    destination: str
    case_number: str
    sent_version: int
    acked_version: int


@dataclass(frozen=True, slots=True)
class Parked:
    """A message that could not be applied. `case_number` is "" when no case waits for it."""

    id: str
    case_number: str
    source: str
    topic: str
    partition: int
    log_offset: int
    reason: str
    highest_seen: int
    state: str


@dataclass(frozen=True, slots=True)
class Resync:
    """Versions that a snapshot took the place of; `to_version` is None while it is awaited."""

    case_number: str
    from_version: int
    to_version: int | None


@dataclass(frozen=True, slots=True)
class Span:
    """A hop of a case."""

    region: str
    span_id: str
    trace_id: str
    parent_span_id: str
    case_number: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One region's database at one moment. `events`: by case, in order of writing."""

    code: str
    cases: Mapping[str, CaseRow]
    filings: frozenset[str]
    events: Mapping[str, Sequence[Event]]
    answers: Mapping[tuple[str, str], Answer]
    asks: Mapping[str, Ask]
    outbox: Sequence[Owed]
    tails: Sequence[Tail]
    seen: frozenset[tuple[str, str]]
    offsets: Mapping[tuple[str, int], tuple[str, int]]
    held: Sequence[tuple[str, int]]
    gaps: Sequence[tuple[str, int]]
    parked: Sequence[Parked]
    resyncs: Sequence[Resync]
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True)
class Record:
    """A message on a topic. `source` is the region that says it sent it, "" for what is not of the wire;
    `exchange` is None when the value cannot be read; `dead_from`: of a dead letter, where the message stood;
    `at_ms`: wall time of writing; `hop`: id of the span that sent it, "" for none.
    """

    topic: str
    partition: int
    offset: int
    key: str
    source: str
    message_id: str
    kind: str
    exchange: Exchange | None
    dead_from: tuple[str, int, int] | None = None
    at_ms: int = 0
    hop: str = ""

    @property
    def destination(self) -> str:
        """The region whose inbox it lies in, "" elsewhere."""
        return self.topic.removeprefix(INBOX) if self.topic.startswith(INBOX) else ""


@dataclass(frozen=True, slots=True)
class Partition:
    """`first` and `end`: the oldest offset that is kept, and the next to be written."""

    topic: str
    number: int
    incarnation: str
    first: int
    end: int
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the load generator. Wall time in nanoseconds; digests are SHA-256 in hex.

    `outcome`: acknowledged, refused (by rule, for good) or unknown (no answer, or an error that may pass).
    `verb`: file, or a verb of the transition table. `answer`: digest of the answer's bytes, "" for unknown.
    """

    region: str
    verb: str
    start_ns: int
    end_ns: int
    client: str
    request_id: str
    request: str
    outcome: str
    answer: str = ""
    code: str = ""
    case_number: str = ""
    version: int = 0
    ask_id: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Whose request it is: at which region, of which client, by which id."""
        return self.region, self.client, self.request_id


@dataclass(frozen=True, slots=True)
class Restore:
    """A region's database was put back: what it acknowledged between the two wall times (ns), and never sent,
    is gone. `backup_ns`: when the backup was taken; `restored_ns`: when the node had stopped.
    """

    region: str
    backup_ns: int
    restored_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that was read. `business_now`: business time that has certainly passed, None: as far as the
    events show. `history` is None when nobody kept one, `partitions` when no bus was read.
    """

    regions: Mapping[str, Region]
    partitions: Sequence[Partition] | None = None
    history: Sequence[Call] | None = None
    business_now: datetime | None = None
    restores: Sequence[Restore] = ()
    may_park: bool = False
    _latest: dict[str, Event] = field(default_factory=dict, compare=False)
    _paths: dict[str, list[Event]] = field(default_factory=dict, compare=False)

    def numbers(self) -> list[str]:
        """Every case that any region knows."""
        return sorted({n for r in self.regions.values() for n in (*r.cases, *r.events)})

    def events(self) -> Iterator[Event]:
        """Every event of every region."""
        for region in self.regions.values():
            for events in region.events.values():
                yield from events

    def latest(self, number: str) -> Event | None:
        """The event of the highest version that any region has; of equals, its author's own."""
        if number not in self._latest:
            found = [e for r in self.regions.values() for e in r.events.get(number, ())]
            if not found:
                return None
            self._latest[number] = max(found, key=lambda e: (e.version, e.region == e.author))
        return self._latest[number]

    def path(self, number: str) -> list[Event]:
        """The longest history without a hole that a region has from version 1 on, [] when none has one."""
        if number not in self._paths:
            best: list[Event] = []
            for region in self.regions.values():
                run: list[Event] = []
                for event in sorted(region.events.get(number, ()), key=lambda e: e.version):
                    if event.version == len(run) + 1:
                        run.append(event)
                best = max(best, run, key=len)
            self._paths[number] = best
        return self._paths[number]

    def records(self) -> Iterator[Record]:
        """Every message on a topic, in order within its partition."""
        for partition in self.partitions or ():
            yield from partition.records

    def put_back(self, call: Call) -> bool:
        """Whether its region was later put back to a backup of before."""
        return any(
            r.region == call.region and call.end_ns >= r.backup_ns and call.start_ns <= r.restored_ns
            for r in self.restores
        )

    def now(self) -> datetime:
        """Business time that has passed for certain."""
        if self.business_now is not None:
            return self.business_now
        return max((e.recorded_at for e in self.events()), default=EARLIEST)


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """A promise that was broken, where, and what shows it."""

    invariant: str
    name: str
    case: str
    region: str
    evidence: str
