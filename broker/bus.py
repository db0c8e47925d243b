"""The door of `broker`: how messages travel between regions' nodes, whatever carries them.

Knows topic, key, bytes, headers, partition, offset, group. Must not know a case, a region, a message's
meaning, or any table of a node. Nothing of ours is imported here or beside it.

What every backend promises, which is no more than Kafka keeps:

- **Durable on return.** When `EventBus.publish` returns, the messages survive the end of every process.
- **Order per key within one producer.** Messages of one key lie in one partition, in the order in which one
  bus object published them. There is no order between keys, nor between two producers.
- **At least once.** A failed or timed-out publish may have been written all the same, and what was read but
  not committed is read again. Receivers drop duplicates; the bus does not.
- **Every group reads everything; a group's members share the partitions.** A new group begins at the
  earliest.
- **Cumulative commit per partition, no nack.** A commit says "everything below this offset". A message that
  cannot be handled is put aside by its reader; the partition goes on.
- **Where to begin is the reader's to say.** A `Start` callback gives the offset found in the reader's own
  database. The offset committed here serves the lag, and readers who keep none of their own.
- **A topic made anew is another log.** Each topic has an incarnation, and an offset means something only
  together with it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol, runtime_checkable

EARLIEST: Final = 0
"""An offset at or below the oldest message kept; a `Start` returns it to read everything there is."""

Headers = tuple[tuple[str, bytes], ...]


class TopicPartition(NamedTuple):
    """One ordered log: a topic's partition, counted from 0."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Message:
    """What is published. `key` chooses the partition and, in a compacted topic, what replaces what.

    `value` None is a tombstone: in a compacted topic it removes the key, elsewhere it is an empty message.
    Header names may repeat and keep their order.
    """

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as read from the log. `timestamp_ms`: wall time of its publishing, Unix milliseconds, UTC."""

    message: Message
    partition: int
    offset: int
    timestamp_ms: int
    incarnation: str

    @property
    def topic_partition(self) -> TopicPartition:
        """The ordered log it was read from."""
        return TopicPartition(self.message.topic, self.partition)

    @property
    def next_position(self) -> "LogPosition":
        """The position to store and to commit once this delivery and all before it are dealt with."""
        return LogPosition(self.message.topic, self.partition, self.offset + 1, self.incarnation)


@dataclass(frozen=True, slots=True)
class PublishedAt:
    """Where a published message lies."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class LogPosition:
    """A reader's place: `offset` is the next one to be read, valid only in the topic's `incarnation`."""

    topic: str
    partition: int
    offset: int
    incarnation: str


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """What a topic shall be. `retention_ms` None keeps messages for ever (a compacted topic needs None)."""

    name: str
    partitions: int
    retention_ms: int | None
    compacted: bool = False
    replication: int = 1
    min_insync: int = 1


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute in which a topic is not what its spec says; `field` is the name in `TopicSpec`."""

    field: str
    wanted: int | bool | None
    actual: int | bool | None


@dataclass(frozen=True, slots=True)
class TopicReport:
    """A spec held against what is there. `incarnation` is empty when the topic does not exist."""

    spec: TopicSpec
    incarnation: str
    created: bool
    differences: tuple[Difference, ...]

    @property
    def exists(self) -> bool:
        """There is a topic of that name."""
        return bool(self.incarnation)

    @property
    def conforms(self) -> bool:
        """There is one, and it is what the spec says."""
        return self.exists and not self.differences


def differences(wanted: TopicSpec, actual: TopicSpec) -> tuple[Difference, ...]:
    """In which attributes the two differ."""
    fields = ("partitions", "retention_ms", "compacted", "replication", "min_insync")
    return tuple(
        Difference(field, getattr(wanted, field), getattr(actual, field))
        for field in fields
        if getattr(wanted, field) != getattr(actual, field)
    )


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """How far a group is behind. `committed` None: never committed, so the whole log is ahead of it."""

    topic: str
    partition: int
    committed: int | None
    end: int
    lag: int


@dataclass(frozen=True, slots=True)
class BusHealth:
    """Whether the bus answers now, and in words what is wrong or what it is (for `doctor` and health)."""

    ok: bool
    detail: str


class BusError(Exception):
    """Something the bus could not do. The message says what, and what to do next."""


class BusUnavailable(BusError):
    """No broker or file can be reached. Nothing is known of messages in flight: publish them again."""


class BusTimeout(BusUnavailable):
    """No answer in time; the work may have been done all the same."""


class BusClosed(BusError):
    """The bus or the subscription has been closed, or was never started."""


class TopicMissing(BusError):
    """The topic does not exist; `tongban topics` creates it."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"topic {topic!r} does not exist; create it with `tongban topics`")
        self.topic = topic


class TopicMismatch(BusError):
    """A topic is not, and cannot be made, what its spec says."""

    def __init__(self, topic: str, differences: tuple[Difference, ...], advice: str) -> None:
        said = ", ".join(f"{d.field} is {d.actual}, wanted {d.wanted}" for d in differences)
        super().__init__(f"topic {topic!r}: {said}; {advice}")
        self.topic = topic
        self.differences = differences


class MessageRefused(BusError):
    """A message that no broker would take; `field` names the part at fault."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field


class MessageTooLarge(MessageRefused):
    """Key, value and headers together exceed the limit of the bus."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__("value", f"the message has {size} bytes, the bus takes {limit}")
        self.size = size
        self.limit = limit


class MemberFenced(BusError):
    """Another process reads under this member's name; two must not, and the newer one goes on."""


class NotAssigned(BusError):
    """A commit for a partition that this member does not hold (any more); its new holder will read it
    again.
    """

    def __init__(self, partitions: Iterable[TopicPartition]) -> None:
        self.partitions = frozenset(partitions)
        said = ", ".join(f"{topic}/{partition}" for topic, partition in sorted(self.partitions))
        super().__init__(f"not held by this member: {said}")


Start = Callable[[str, int, str], Awaitable[int | None]]
"""(topic, partition, incarnation) -> the next offset to read. Asked once per newly held partition.

None: go on at the offset committed on the bus, else at the earliest. `next_offset` gives the answer for a
reader that stores its positions. An offset past the end of the log, or older than what is kept, starts at
the earliest."""

RebalanceHook = Callable[[frozenset[TopicPartition]], Awaitable[None]]
"""Told of partitions newly held, or no longer held. An error raised in it ends the `poll` it ran in."""


async def start_at_committed(_topic: str, _partition: int, _incarnation: str) -> int | None:
    """The `Start` of a reader without positions of its own."""
    return None


def next_offset(stored: LogPosition | None, incarnation: str) -> int:
    """Where a reader that keeps its own positions begins: unknown place or unknown incarnation, at the
    earliest.
    """
    if stored is None or stored.incarnation != incarnation:
        return EARLIEST
    return stored.offset


@runtime_checkable
class Subscription(Protocol):
    """One member's reading of some topics for one group. Used by one task at a time, `close` excepted."""

    async def poll(self, max_records: int = 500, timeout_s: float = 1.0) -> Sequence[Delivery]:
        """The next messages, in order per partition; empty when none came within `timeout_s` seconds.

        Joins the group when first called. Raises BusUnavailable, TopicMissing, MemberFenced, BusClosed, and
        what `start` or a hook raises; may be called again after all but the last two of the bus's own.
        """
        ...

    def batches(self, max_records: int = 500) -> AsyncIterator[Sequence[Delivery]]:
        """Non-empty polls for ever, until the subscription is closed. Raises what `poll` raises."""
        ...

    async def commit(self, positions: Iterable[LogPosition]) -> None:
        """Everything below each position is dealt with. Kept across restarts; a power cut may lose the last
        commits, and then messages come again.

        Raises NotAssigned (nothing is committed for the partitions it names), BusUnavailable, BusClosed.
        """
        ...

    def assigned(self) -> frozenset[TopicPartition]:
        """The partitions this member holds now; empty before the first poll."""
        ...

    async def close(self) -> None:
        """Leaves; a running poll ends with what it has. Prompt even when the bus is away. May be repeated."""
        ...


@runtime_checkable
class EventBus(Protocol):
    """The way to all topics. One object a process is enough; it belongs to one event loop."""

    async def start(self) -> None:
        """Makes ready. A bus that is away is no error here: calls fail with BusUnavailable until it is
        back.
        """
        ...

    async def close(self) -> None:
        """Ends all subscriptions and frees everything, within a few seconds even when the bus is away."""
        ...

    async def publish(self, messages: Sequence[Message]) -> Sequence[PublishedAt]:
        """Writes all messages, in order per key; durable on return, one answer a message in the same order.

        Raises MessageRefused before anything is written; BusUnavailable, BusTimeout or TopicMissing when
        some may have been written and some not: publishing the same list again keeps the order per key and
        adds duplicates at worst.
        """
        ...

    def subscribe(
        self,
        topics: Sequence[str],
        group: str,
        *,
        member: str,
        start: Start = start_at_committed,
        on_assigned: RebalanceHook | None = None,
        on_revoked: RebalanceHook | None = None,
    ) -> Subscription:
        """A reader of `topics` for `group`. `member` is its lasting name: unique within the group, the same
        after a restart, so that a restarted process gets its partitions back at once.
        """
        ...

    async def ensure_topics(self, specs: Sequence[TopicSpec]) -> Sequence[TopicReport]:
        """Creates what is missing and says what differs. An existing topic's settings are left as they are.

        Raises TopicMismatch when the partition count differs: that needs a new topic and the old one drained,
        since a key would move to another partition and lose its order.
        """
        ...

    async def describe_topics(self, specs: Sequence[TopicSpec]) -> Sequence[TopicReport]:
        """Says what differs from `specs` and what is missing; changes nothing and refuses nothing."""
        ...

    async def lag(self, group: str, topics: Sequence[str]) -> Sequence[PartitionLag]:
        """How far `group` is behind in each partition of `topics`. Raises TopicMissing, BusUnavailable."""
        ...

    async def incarnation(self, topic: str) -> str:
        """Which log this topic is; another value after it was deleted and made anew. Raises TopicMissing."""
        ...

    async def healthy(self) -> BusHealth:
        """Whether the bus can be reached now. Answers within a few seconds and never raises."""
        ...
