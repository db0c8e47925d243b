"""What asyncpg is told of arrays, and that nothing is told to another asyncpg."""

import collections.abc
from types import SimpleNamespace
from typing import Any

import pytest
from asyncpg.protocol import protocol

from nodes.store import arrays


def test_lists_and_tuples_are_lists_and_texts_are_none() -> None:
    assert arrays.plain_lists()
    assert arrays.plain_lists(), "and again"
    assert (protocol.IterableABC, protocol.SizedABC) == (arrays.LISTS, arrays.LISTS)
    given: list[Any] = [[], (), "31", b"31", 31, None]
    asked = [isinstance(value, protocol.IterableABC) for value in given]
    assert asked == [True, True, False, False, False, False]


@pytest.mark.parametrize(
    "inside",
    [
        {},
        {"IterableABC": collections.abc.Iterable},
        {"IterableABC": collections.abc.Iterable, "SizedABC": collections.abc.Collection},
    ],
)
def test_another_inside_is_left_alone(monkeypatch: pytest.MonkeyPatch, inside: dict[str, Any]) -> None:
    found = SimpleNamespace(**inside)
    monkeypatch.setattr(arrays, "import_module", lambda _: found)
    assert not arrays.plain_lists()
    assert vars(found) == inside
