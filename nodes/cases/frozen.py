"""`replace`: as `dataclasses.replace`, several times as fast.

An event is decided and applied by replacing a few fields of a case that has some forty. The standard library
looks at every field in turn and gives each to an `__init__` that, of a frozen class, calls a function to set
it. Here a function written for the class copies its slots into an object of a twin class, which is not frozen
and has the same slots; once changed, that object becomes one of the frozen class. Knows dataclasses with
slots, without `__post_init__` and init-only fields; others go the standard way. To the type checker it is the
standard one, so that names and types are checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import replace
else:
    import dataclasses
    from collections.abc import Callable
    from functools import cache
    from typing import Any

    @cache
    def _copier(kind: type[Any]) -> Callable[[Any], Any] | None:
        """Makes a copy of an object of `kind` that may be changed; None where that cannot be done."""
        names = [field.name for field in dataclasses.fields(kind)]
        if kind.__dict__.get("__slots__") != tuple(names) or hasattr(kind, "__post_init__"):
            return None
        known = {
            "new": object.__new__,
            "Twin": type(kind.__name__, kind.__bases__, {"__slots__": tuple(names)}),
        }
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


__all__ = ["replace"]
