"""Reading a server's stream with patience: each item, or None when nothing came for a while.

Knows threads and gRPC calls. Must not know what the items are.
"""

import queue
import threading
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import grpc

Item = TypeVar("Item")


class Follow(Generic[Item]):
    """A stream read in a thread of its own, so that its reader can look up between items."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._items: queue.SimpleQueue[Item | grpc.RpcError | StopIteration] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def items(self, wait_s: float) -> Iterator[Item | None]:
        """Items as they come; None after each `wait_s` seconds of silence. Raises grpc.RpcError."""
        while True:
            try:
                found = self._items.get(timeout=wait_s)
            except queue.Empty:
                yield None
                continue
            if isinstance(found, StopIteration):
                return
            if isinstance(found, grpc.RpcError):
                raise found
            yield found

    def cancel(self) -> None:
        """End the call; its thread ends with it."""
        self._stream.cancel()

    def _read(self) -> None:
        try:
            for item in self._stream:
                self._items.put(item)
        except grpc.RpcError as error:
            self._items.put(error)
        else:
            self._items.put(StopIteration())
