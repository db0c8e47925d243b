"""What asyncpg asks of each element of an array, made cheap: all of asyncpg's inside that is known here.

Whether an element is a list in itself asyncpg asks of two abstract classes, in Python, for every value of
every row; that takes longer than writing the value. Lists of ours are lists or tuples. Knows the names of one
version of asyncpg; another that has not the same works as it is, slower.
"""

from __future__ import annotations

from collections.abc import Iterable, Sized
from importlib import import_module
from typing import Any, Final

LISTS: Final = (list, tuple)
ASKED: Final = {"IterableABC": Iterable, "SizedABC": Sized}


def plain_lists() -> bool:
    """From now on asyncpg takes lists and tuples alone for arrays, in this whole process. False: it has
    another inside, and was left as it is.
    """
    inside: Any = import_module("asyncpg.protocol.protocol")
    if any(getattr(inside, name, None) not in (known, LISTS) for name, known in ASKED.items()):
        return False
    for name in ASKED:
        setattr(inside, name, LISTS)
    return True
