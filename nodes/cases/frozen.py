"""`replace`: as `dataclasses.replace`, several times as fast; `maker` and `quick`: the same for
making an object anew.

An event is decided and applied by replacing a few fields of a case that has some forty. The standard library
looks at every field in turn and gives each to an `__init__` that, of a frozen class, calls a function to set
it. Here a function written for the class copies its slots into an object of a twin class, which is not frozen
and has the same slots; once changed, that object becomes one of the frozen class. Knows dataclasses with
slots, without `__post_init__` and init-only fields; others go the standard way. To the type checker it is the
standard one, so that names and types are checked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

T = TypeVar("T")


@cache
def _known(kind: Any) -> dict[str, Any] | None:
    """What a function written for the class needs; None where the class has more than slots."""
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        return None
    names = tuple(field.name for field in dataclasses.fields(kind))
    if kind.__dict__.get("__slots__") != names or hasattr(kind, "__post_init__"):
        return None
    twin = type(kind.__name__, kind.__bases__, {"__slots__": names})
    return {"new": object.__new__, "Twin": twin, "Kind": kind}


def maker(kind: Callable[..., Any], names: tuple[str, ...]) -> Callable[..., Any]:
    """Makes an object of its fields in the order of `names`, all of them; others are called by name."""
    known = _known(kind)
    if known is None or {field.name for field in dataclasses.fields(known["Kind"])} != set(names):
        return lambda *given: kind(**dict(zip(names, given, strict=True)))
    sets = "".join(f"    twin.{name} = {name}\n" for name in names)
    body = f"    twin = new(Twin)\n{sets}    twin.__class__ = Kind\n    return twin\n"
    exec(f"def make({', '.join(names)}):\n{body}", known := dict(known))  # noqa: S102  # as dataclasses does
    made: Callable[..., Any] = known["make"]
    return made


def quick(kind: type[T]) -> type[T]:
    """Gives a frozen dataclass with slots an `__init__` that sets all fields at once: ten fields in half the
    time. For classes of which a case makes many. Raises TypeError for one that has more than slots.
    """
    whole: Any = kind
    known = _known(whole)
    if known is None or not all(field.init for field in dataclasses.fields(known["Kind"])):
        raise TypeError(f"{kind.__name__} has more than slots")
    known = {**known, "turn": object.__setattr__, "missing": dataclasses.MISSING}
    given, sets, named = [], "", False
    for field in sorted(dataclasses.fields(known["Kind"]), key=lambda field: field.kw_only is True):
        name, value = field.name, field.name
        if field.kw_only is True and not named:
            given.append("*")
            named = True
        if field.default is not dataclasses.MISSING:
            known[f"default_{name}"] = field.default
            given.append(f"{name}=default_{name}")
        elif field.default_factory is not dataclasses.MISSING:
            known[f"make_{name}"] = field.default_factory
            given.append(f"{name}=missing")
            value = f"make_{name}() if {name} is missing else {name}"
        else:
            given.append(name)
        sets += f"    self.{name} = {value}\n"
    body = f"    turn(self, '__class__', Twin)\n{sets}    self.__class__ = Kind\n"
    exec(f"def __init__(self, {', '.join(given)}):\n{body}", known)  # noqa: S102  # as dataclasses does
    known["__init__"].__qualname__ = f"{kind.__qualname__}.__init__"
    whole.__init__ = known["__init__"]
    return kind


if TYPE_CHECKING:
    from dataclasses import replace
else:

    @cache
    def _copier(kind: type[Any]) -> Callable[[Any], Any] | None:
        """Makes a copy of an object of `kind` that may be changed; None where that cannot be done."""
        if (known := _known(kind)) is None:
            return None
        known = dict(known)
        names = [field.name for field in dataclasses.fields(kind)]
        copies = "".join(f"    twin.{name} = value.{name}\n" for name in names)
        exec(f"def copy(value):\n    twin = new(Twin)\n{copies}    return twin\n", known)  # noqa: S102  # as dataclasses does
        return known["copy"]

    def replace(value: Any, /, **changes: Any) -> Any:
        """A copy with other values in some fields. Raises TypeError for a name that is no field."""
        kind = value.__class__
        copy = _copier(kind)
        if copy is None:
            return dataclasses.replace(value, **changes)
        twin = copy(value)
        try:
            for name, new in changes.items():
                setattr(twin, name, new)
        except AttributeError:
            raise TypeError(f"{kind.__name__} has no field {name!r}") from None
        twin.__class__ = kind
        return twin


__all__ = ["maker", "quick", "replace"]
