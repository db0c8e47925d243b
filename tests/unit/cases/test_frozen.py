"""Objects that are made and copied by functions written for their class are those that dataclasses make."""

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, dataclass, field
from typing import Any

import pytest

from nodes.cases.frozen import quick, replace


@quick
@dataclass(frozen=True, slots=True)
class Quick:
    """One with all that a field may have."""

    first: str
    second: int = 2
    many: list[int] = field(default_factory=list)
    named: str = field(default="n", kw_only=True)


def test_it_is_made_as_a_dataclass_makes_it() -> None:
    made = Quick("a", 3, [1], named="x")
    assert (made.first, made.second, made.many, made.named) == ("a", 3, [1], "x")
    assert made == Quick(first="a", second=3, many=[1], named="x")
    assert Quick("a").many is not Quick("a").many
    assert repr(Quick("a")) == "Quick(first='a', second=2, many=[], named='n')".replace(
        "Quick", Quick.__qualname__
    )
    assert type(made) is Quick


def test_what_is_missing_unknown_or_too_much_is_refused() -> None:
    make: Any = Quick
    for given, named in (((), {}), (("a",), {"no": 1}), (("a", 1, [], "x"), {})):
        with pytest.raises(TypeError, match="__init__"):
            make(*given, **named)


def test_it_stays_frozen_and_is_copied_by_all_ways() -> None:
    made = Quick("a", 3, [1])
    with pytest.raises(FrozenInstanceError):
        made.first = "b"  # type: ignore[misc]
    assert replace(made, first="b") == dataclasses.replace(made, first="b") == Quick("b", 3, [1])
    assert copy.deepcopy(made) == made == pickle.loads(pickle.dumps(made))


def test_a_class_with_more_than_slots_is_refused() -> None:
    @dataclass(frozen=True)
    class Loose:
        first: str

    with pytest.raises(TypeError, match="more than slots"):
        quick(Loose)
