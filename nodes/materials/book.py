"""Which materials' bytes are here, as the node's database has it.

Knows the store's rows of materials. Must not know files (`store`) or who asks.
"""

from __future__ import annotations

from collections.abc import Callable

from nodes.store.rows import MaterialRow
from nodes.store.store import Store


class MaterialBook:
    """The rows of one node's materials. `wall_s` gives wall time in seconds since 1970."""

    def __init__(self, store: Store, wall_s: Callable[[], float]) -> None:
        self._store, self._wall_s = store, wall_s

    async def note_stored(self, sha256: str, size: int, media_type: str) -> None:
        """Its bytes are in this node's store from now on. Raises StoreError."""
        row = MaterialRow(sha256, size, media_type, True, self._wall_s())
        await self._store.transact(lambda unit: unit.insert_materials([row]))
