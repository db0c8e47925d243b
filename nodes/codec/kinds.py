"""Kinds of fields: how one attribute of a domain value stands in a protobuf message, and what is refused.

Knows text, numbers, times, digests, enums, nesting; must not know which message has which field (values,
bodies, verbs).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from typing import Any, Final, Protocol

from nodes.codec.errors import DecodeError, EncodeError
from nodes.codec.texts import MAX_PROSE, MAX_TEXT, check_text
from nodes.codec.times import decode_time, fill_time

MAX_ITEMS: Final = 500
"""Items of a list."""
MAX_COUNT: Final = 2**62

Take = Callable[[Any], Any]
"""From the message to the domain value of one field."""
Fill = Callable[[Any, Any], None]
"""(message, domain value): writes one field where it stands; a submessage that is made apart would be
copied.
"""


class EnumNames(Protocol):
    """A generated protobuf enum."""

    def Value(self, name: str) -> int: ...  # noqa: D102, N802  # protobuf's own name


class ShapeOf(Protocol):
    """What nests: a shape with its two ways."""

    def fill(self, message: Any, value: Any) -> None: ...  # noqa: D102
    def take(self, message: Any) -> Any: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of field.

    A plain kind (`fill` and `take` None) stands in the message as it is; its checks are those of `text` (0:
    no text, else the most characters), `needed`, `lines` and `number`. Others convert: `fill(name)` gives the
    writer of that field, `take(name)` its reader. `name`: the field's name in the message where it differs.
    """

    fill: Callable[[str], Fill] | None = None
    take: Callable[[str], Take] | None = None
    text: int = 0
    needed: bool = False
    lines: bool = False
    number: bool = False
    name: str = ""


TEXT: Final = Kind(text=MAX_TEXT)
NEEDED: Final = Kind(text=MAX_TEXT, needed=True)
PROSE: Final = Kind(text=MAX_PROSE, lines=True)
BOOL: Final = Kind()
COUNT: Final = Kind(number=True)
POSITIVE: Final = Kind(number=True, needed=True)


def _take_time(name: str) -> Take:
    def take(message: Any) -> datetime:
        if not message.HasField(name):
            raise DecodeError("", "is missing")
        return decode_time(getattr(message, name))

    return take


def _take_maybe_time(name: str) -> Take:
    def take(message: Any) -> datetime | None:
        return decode_time(getattr(message, name)) if message.HasField(name) else None

    return take


def _fill_time(name: str) -> Fill:
    def fill(message: Any, at: datetime) -> None:
        fill_time(getattr(message, name), at)

    return fill


def _fill_maybe_time(name: str) -> Fill:
    def fill(message: Any, at: datetime | None) -> None:
        if at is not None:
            fill_time(getattr(message, name), at)

    return fill


TIME: Final = Kind(_fill_time, _take_time)
MAYBE_TIME: Final = Kind(_fill_maybe_time, _take_maybe_time)


def converted(put: Callable[[Any], Any]) -> Callable[[str], Fill]:
    """The filler of a scalar field: whatever `put` makes of the value."""

    def of(name: str) -> Fill:
        def fill(message: Any, value: Any) -> None:
            setattr(message, name, put(value))

        return fill

    return of


def form(pattern: str) -> Kind:
    """A text of a fixed form (a regular expression for the whole)."""
    compiled = re.compile(pattern, re.ASCII)

    def take(name: str) -> Take:
        def take_form(message: Any) -> str:
            text: str = getattr(message, name)
            if compiled.fullmatch(text) is None:
                raise DecodeError("", "does not have the form of this field" if text else "is missing")
            return text

        return take_form

    return Kind(take=take)


REGION: Final = form("[0-9]{2}")
MAYBE_REGION: Final = form("([0-9]{2})?")
AREA: Final = form("[0-9]{6}")
MAYBE_AREA: Final = form("([0-9]{6})?")
NUMBER: Final = form("[A-Za-z0-9._:-]{1,64}")
MAYBE_NUMBER: Final = form("[A-Za-z0-9._:-]{0,64}")


def _put_digest(text: str) -> bytes:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        raise EncodeError("", "is not hexadecimal") from None
    if len(digest) != 32 or len(text) != 64:
        raise EncodeError("", "is not a SHA-256 digest")
    return digest


def _take_digest(name: str) -> Take:
    def take(message: Any) -> str:
        digest: bytes = getattr(message, name)
        if len(digest) != 32:
            raise DecodeError("", "is not 32 bytes long")
        return digest.hex()

    return take


DIGEST: Final = Kind(converted(_put_digest), _take_digest)


def choice(enum: type[StrEnum], names: EnumNames, prefix: str, *, maybe: bool = False, but: str = "") -> Kind:
    """An enum. `maybe`: unspecified stands for None; `but`: the value of `enum` that is never told."""
    to_wire: Mapping[Any, int] = {v: names.Value(f"{prefix}_{v.name}") for v in enum if v.value != but}
    from_wire = {number: value for value, number in to_wire.items()}

    def put(value: Any) -> int:
        if value is None and maybe:
            return 0
        try:
            return to_wire[value]
        except KeyError:
            raise EncodeError("", "has no form in this contract") from None

    def take(name: str) -> Take:
        def take_choice(message: Any) -> Any:
            number = getattr(message, name)
            if number in from_wire:
                return from_wire[number]
            if maybe and number == 0:
                return None
            raise DecodeError("", "is a value this contract does not have" if number else "is missing")

        return take_choice

    return Kind(converted(put), take)


def one(shape: ShapeOf) -> Kind:
    """A nested message that must be there."""

    def take(name: str) -> Take:
        read = shape.take

        def take_one(message: Any) -> Any:
            if not message.HasField(name):
                raise DecodeError("", "is missing")
            return read(getattr(message, name))

        return take_one

    def fill(name: str) -> Fill:
        write = shape.fill

        def fill_one(message: Any, value: Any) -> None:
            inner = getattr(message, name)
            inner.SetInParent()
            write(inner, value)

        return fill_one

    return Kind(fill, take)


def maybe(shape: ShapeOf) -> Kind:
    """A nested message that may be absent: None."""

    def take(name: str) -> Take:
        read = shape.take
        return lambda message: read(getattr(message, name)) if message.HasField(name) else None

    def fill(name: str) -> Fill:
        write = shape.fill

        def fill_maybe(message: Any, value: Any) -> None:
            if value is not None:
                inner = getattr(message, name)
                inner.SetInParent()
                write(inner, value)

        return fill_maybe

    return Kind(fill, take)


def many(shape: ShapeOf, most: int = MAX_ITEMS) -> Kind:
    """A list of messages: a tuple."""

    def take(name: str) -> Take:
        read = shape.take

        def take_many(message: Any) -> tuple[Any, ...]:
            items = getattr(message, name)
            if not items:
                return ()
            if len(items) > most:
                raise DecodeError("", f"has more than {most} items")
            taken: list[Any] = []
            try:
                for item in items:
                    taken.append(read(item))  # noqa: PERF401  # its length tells which item failed
            except DecodeError as error:
                raise error.under(str(len(taken))) from None
            return tuple(taken)

        return take_many

    def fill(name: str) -> Fill:
        write = shape.fill

        def fill_many(message: Any, values: Any) -> None:
            if values:
                add = getattr(message, name).add
                for value in values:
                    write(add(), value)

        return fill_many

    return Kind(fill, take)


def _take_words(name: str) -> Take:
    def take(message: Any) -> tuple[str, ...]:
        words = tuple(getattr(message, name))
        if len(words) > MAX_ITEMS:
            raise DecodeError("", f"has more than {MAX_ITEMS} items")
        joined = "".join(words)
        if len(joined) > MAX_TEXT or not joined.isprintable():
            for word in words:
                check_text(word)
        return words

    return take


def _fill_list(name: str) -> Fill:
    def fill(message: Any, values: Any) -> None:
        if values:
            getattr(message, name).extend(values)

    return fill


WORDS: Final = Kind(_fill_list, _take_words)


def _take_indices(name: str) -> Take:
    def take(message: Any) -> tuple[int, ...]:
        indices = tuple(getattr(message, name))
        if len(indices) > MAX_ITEMS:
            raise DecodeError("", f"has more than {MAX_ITEMS} items")
        return indices

    return take


INDICES: Final = Kind(_fill_list, _take_indices)


def put_pairs(pairs: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Names and values as a map. Raises EncodeError for a name that stands twice."""
    named = dict(pairs)
    if len(named) != len(pairs):
        raise EncodeError("", "has a name twice")
    return named


def take_pairs(named: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Names and values, sorted by name. Raises DecodeError."""
    if len(named) > MAX_ITEMS:
        raise DecodeError("", f"has more than {MAX_ITEMS} items")
    for name, value in named.items():
        check_text(name)
        check_text(value, MAX_PROSE, lines=True)
    return tuple(sorted(named.items()))


def _fill_pairs(name: str) -> Fill:
    def fill(message: Any, pairs: tuple[tuple[str, str], ...]) -> None:
        if pairs:
            getattr(message, name).update(put_pairs(pairs))

    return fill


PAIRS: Final = Kind(_fill_pairs, lambda name: lambda message: take_pairs(getattr(message, name)))


def _put_minute(at: time | None) -> int:
    if at is None:
        return 0
    if at.second or at.microsecond or not (minute := at.hour * 60 + at.minute):
        raise EncodeError("", "is not a whole minute after midnight")
    return minute


def _take_minute(name: str) -> Take:
    def take(message: Any) -> time | None:
        minute: int = getattr(message, name)
        if minute >= 1_440:
            raise DecodeError("", "is not a minute of a day")
        return time(minute // 60, minute % 60) if minute else None

    return take


def minute(name: str) -> Kind:
    """A time of day in minutes after midnight; 0 stands for None."""
    return Kind(converted(_put_minute), _take_minute, name=name)
