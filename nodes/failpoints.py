"""Named points at which a test makes a node fail: killed there, held up, or told what is not so.

Knows names alone. No setting and no option reaches it: only a test's own launcher fills `armed`, before the
node starts. Off, a point is one look at an empty mapping.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

POINTS: Final = frozenset(
    {
        "relay.before_produce",  # the messages are made, the bus has none of them
        "relay.after_produce",  # the bus has them, the outbox still says that they wait
        "relay.after_mark",  # the outbox says that they are sent
        "desk.before_commit",  # decided and written, nothing of it durable
        "desk.after_commit",  # durable, nobody told; an error here is a commit that seems to have failed
        "inbox.before_apply",  # read from the bus
        "inbox.before_offset_commit",  # applied, offsets in the database, the broker's commit still to come
        "inbox.after_offset_commit",
    }
)
"""Every point there is."""

armed: dict[str, Callable[[], None]] = {}
"""What happens where. A function may end the process, block it, or raise what the place may raise."""


def hit(name: str) -> None:
    """The node has come to this point."""
    if armed and (act := armed.get(name)) is not None:
        act()
