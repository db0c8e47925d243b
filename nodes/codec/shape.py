"""A shape: the table of one message's fields, both ways. Compiled once, walked without reflection.

Knows how a frozen dataclass and a protobuf message of the same field names are turned into each other. Must
not know which types there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from nodes.cases.frozen import maker
from nodes.codec.errors import DecodeError, EncodeError
from nodes.codec.kinds import MAX_COUNT, Kind
from nodes.codec.texts import MAX_TEXT, check_text

D = TypeVar("D")


class Shape(Generic[D]):
    """Turns `domain` (a frozen dataclass) into `message` and back; `kinds` names every field of the
    dataclass.

    `put` and `fill` raise EncodeError, `take` DecodeError, both with the path of the field.
    """

    def __init__(self, domain: Callable[..., D], message: type[Message], /, **kinds: Kind) -> None:
        self.domain = domain
        self.message = message
        self.kinds = kinds
        self._fill: Callable[[Any, D], None] = _written(kinds)
        self._take: Callable[[Any], D] = _read(domain, kinds)

    def put(self, value: D) -> Any:
        """The message of `value`."""
        message = self.message()
        self._fill(message, value)
        return message

    def fill(self, message: Any, value: D) -> None:
        """Writes `value` into an empty message, where it stands."""
        self._fill(message, value)

    def take(self, message: Any) -> D:
        """The domain value of `message`, every field checked."""
        return self._take(message)


def _written(kinds: Mapping[str, Kind]) -> Callable[[Any, Any], None]:
    """The function that writes a value of these fields into a message."""
    known: dict[str, Any] = {"EncodeError": EncodeError}
    lines = []
    for at, (name, kind) in enumerate(kinds.items()):
        lines.append(f"at = {name!r}")
        if kind.fill is None:
            lines += [f"given = value.{name}", "if given:", f"    message.{name} = given"]
        else:
            known[f"fill{at}"] = kind.fill(kind.name or name)
            lines.append(f"fill{at}(message, value.{name})")
    return _made(
        "fill(message, value)",
        ["at = ''", "try:", *_in(lines or ["pass"]),
         "except EncodeError as error:", "    raise error.under(at) from None",
         "except (TypeError, ValueError) as error:",
         "    raise EncodeError(at, f'cannot be held: {type(error).__name__}') from None"],
        known,
    )  # fmt: skip


def _read(domain: Callable[..., Any], kinds: Mapping[str, Kind]) -> Callable[[Any], Any]:
    """The function that reads these fields of a message, checks them, and makes the value."""
    known: dict[str, Any] = {"DecodeError": DecodeError, "MAX_TEXT": MAX_TEXT, "MAX_COUNT": MAX_COUNT}
    names = {name: f"v{at}" for at, name in enumerate(kinds)}
    plain = {name: kind for name, kind in kinds.items() if kind.take is None}
    lines = [f"{names[name]} = message.{name}" for name in plain]
    if texts := {name: kind for name, kind in plain.items() if kind.text}:
        known["check"] = _checker(texts)
        said = [names[name] for name in texts]
        lines += [f"said = {' + '.join(said)}", "if len(said) > MAX_TEXT or not said.isprintable():",
                  f"    check({', '.join(said)})"]  # fmt: skip
    for name, kind in plain.items():
        if kind.needed:
            lines += [f"if not {names[name]}:", f"    raise DecodeError({name!r}, 'is missing')"]
        if kind.number:
            lines += [f"if {names[name]} > MAX_COUNT:", f"    raise DecodeError({name!r}, 'is too large')"]
    taken = []
    for at, (name, kind) in enumerate(kinds.items()):
        if kind.take is not None:
            known[f"take{at}"] = kind.take(kind.name or name)
            taken += [f"at = {name!r}", f"{names[name]} = take{at}(message)"]
    if taken:
        lines += ["try:", *_in(taken), "except DecodeError as error:", "    raise error.under(at) from None"]
    known["make"] = maker(domain, tuple(kinds))
    return _made("take(message)", [*lines, f"return make({', '.join(names.values())})"], known)


def _checker(texts: Mapping[str, Kind]) -> Callable[..., None]:
    """Finds the text that is not as its kind allows, if there is one."""

    def check(*given: str) -> None:
        for (name, kind), text in zip(texts.items(), given, strict=True):
            try:
                check_text(text, kind.text, lines=kind.lines)
            except DecodeError as error:
                raise error.under(name) from None

    return check


def _in(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _made(head: str, lines: Iterable[str], known: dict[str, Any]) -> Callable[..., Any]:
    """A function of a table, written once: walking the table for each value takes half as long again."""
    exec("\n".join([f"def {head}:", *_in(lines)]), known)  # noqa: S102  # names come from our own tables
    function: Callable[..., Any] = known[head.partition("(")[0]]
    return function


class Remembered(Generic[D]):
    """A shape whose values are few and come again and again: each is converted once.

    Only for values that are hashable, hold no personal data and serialise without maps. Keeps the `most`
    used last.
    """

    def __init__(self, shape: Shape[D], most: int = 1024) -> None:
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
