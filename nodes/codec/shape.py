"""A shape: the table of one message's fields, both ways. Compiled once, walked without reflection.

Knows how a frozen dataclass and a protobuf message of the same field names are turned into each other. Must
not know which types there are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from nodes.codec.errors import DecodeError, EncodeError
from nodes.codec.kinds import MAX_COUNT, Fill, Kind, Take
from nodes.codec.texts import MAX_TEXT, check_text

D = TypeVar("D")


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Several attributes at once, always as a tuple."""
    if not names:
        return lambda _: ()
    read = attrgetter(*names)
    if len(names) == 1:
        return lambda value: (read(value),)
    return read


class Shape(Generic[D]):
    """Turns `domain` (a frozen dataclass) into `message` and back; `kinds` names every field of the
    dataclass.

    `put` and `fill` raise EncodeError, `take` DecodeError, both with the path of the field.
    """

    def __init__(self, domain: Callable[..., D], message: type[Message], /, **kinds: Kind) -> None:
        self.domain = domain
        self.message = message
        self.kinds = kinds
        plain = {name: kind for name, kind in kinds.items() if kind.take is None}
        texts = [name for name, kind in plain.items() if kind.text]
        numbers = [name for name, kind in plain.items() if kind.number]
        self._plain = (*texts, *numbers, *(name for name in plain if name not in {*texts, *numbers}))
        self._get_plain = _getter(self._plain)
        self._texts, self._numbers = len(texts), len(texts) + len(numbers)
        self._needed = tuple(at for at, name in enumerate(self._plain) if plain[name].needed)
        as_is = tuple(name for name, kind in kinds.items() if kind.fill is None)
        self._as_is = as_is
        self._get_as_is = _getter(as_is)
        self._fill: tuple[tuple[str, Fill], ...] = tuple(
            (name, kind.fill(kind.name or name)) for name, kind in kinds.items() if kind.fill is not None
        )
        self._get_filled = _getter(tuple(name for name, _ in self._fill))
        self._take: tuple[tuple[str, Take], ...] = tuple(
            (name, kind.take(kind.name or name)) for name, kind in kinds.items() if kind.take is not None
        )

    def put(self, value: D) -> Any:
        """The message of `value`."""
        message = self.message()
        self.fill(message, value)
        return message

    def fill(self, message: Any, value: D) -> None:
        """Writes `value` into an empty message, where it stands."""
        name = ""
        try:
            for name, plain in zip(self._as_is, self._get_as_is(value), strict=True):
                if plain:
                    setattr(message, name, plain)
            for (name, fill), given in zip(self._fill, self._get_filled(value), strict=True):  # noqa: B007  # the error names it
                fill(message, given)
        except EncodeError as error:
            raise error.under(name) from None
        except (TypeError, ValueError) as error:
            raise EncodeError(name, f"cannot be held: {type(error).__name__}") from None

    def take(self, message: Any) -> D:
        """The domain value of `message`, every field checked."""
        values = self._get_plain(message)
        if self._texts:
            joined = "".join(values[: self._texts])
            if len(joined) > MAX_TEXT or not joined.isprintable():
                self._check_texts(values)
        for at in self._needed:
            if not values[at]:
                raise DecodeError(self._plain[at], "is missing")
        for at in range(self._texts, self._numbers):
            if values[at] > MAX_COUNT:
                raise DecodeError(self._plain[at], "is too large")
        given = dict(zip(self._plain, values, strict=True))
        name = ""
        try:
            for name, take in self._take:
                given[name] = take(message)
        except DecodeError as error:
            raise error.under(name) from None
        return self.domain(**given)

    def _check_texts(self, values: tuple[Any, ...]) -> None:
        for name, text in zip(self._plain[: self._texts], values, strict=False):
            kind = self.kinds[name]
            try:
                check_text(text, kind.text, lines=kind.lines)
            except DecodeError as error:
                raise error.under(name) from None


class Remembered(Generic[D]):
    """A shape whose values are few and come again and again: each is converted once.

    Only for values that are hashable, hold no personal data and serialise without maps. Keeps the `most`
    used last.
    """

    def __init__(self, shape: Shape[D], most: int = 4096) -> None:
        def bytes_of(value: D) -> bytes:
            data: bytes = shape.put(value).SerializeToString()
            return data

        def value_of(data: bytes) -> D:
            return shape.take(shape.message.FromString(data))

        self._bytes_of = lru_cache(most)(bytes_of)
        self._value_of = lru_cache(most)(value_of)

    def fill(self, message: Any, value: D) -> None:
        """As the shape does."""
        message.MergeFromString(self._bytes_of(value))

    def take(self, message: Any) -> D:
        """As the shape does."""
        return self._value_of(message.SerializeToString())
