"""Watch: the changes of this node's cases, from a resume token on, for as long as the caller reads.

Knows tokens and filters. A token is a place in the node's gap-free order of events, so whoever goes on with
the last one misses nothing. Events are read as fast as the caller takes them: for one who does not read,
nothing is kept but the one that he did not take.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from nodes.cases.case import Actor
from nodes.codec.views import event_view
from nodes.desk.reader import CaseView
from nodes.rpc.drain import Drain
from nodes.rpc.faults import Fault, Wrong
from nodes.rpc.pages import Wanted, wanted_of
from nodes.rpc.ports import Follows, Looks
from nodes.rpc.roles import may_see_private, sees_private
from nodes.store.rows import CaseFilter, EventRow
from tongban.v1 import case_service_pb2 as pb

BEGUN_AT: Final = "tongban-resume-token"
ANY: Final = CaseFilter()


class Watching:
    """The watchers of one node."""

    def __init__(self, follows: Follows, looks: Looks, drain: Drain) -> None:
        self._follows, self._looks, self._drain = follows, looks, drain

    async def changes(
        self, actor: Actor, request: pb.WatchRequest, context: Any
    ) -> AsyncIterator[pb.WatchResponse]:
        """Each change once it is read. Ends with Fault: TOKEN, MALFORMED, DRAINING.

        The initial metadata tell from which token on it follows, so that a caller knows that it has begun and
        can go on from there before anything has changed.
        """
        wanted = wanted_of(request.filter)
        place = await self._place(request.resume_token)
        await context.send_initial_metadata(((BEGUN_AT, str(place)),))
        following = self._follows.follow(place)
        try:
            while (event := await self._drain.unless_stopping(anext(following, None))) is not None:
                change = await self._change(actor, wanted, event)
                if change is not None:
                    yield change
        finally:
            await _close(following)
        raise Fault("DRAINING")

    async def _place(self, token: str) -> int:
        if not token:
            return await self._follows.last()
        if not (token.isascii() and token.isdigit() and len(token) < 19):
            raise Fault("TOKEN", [Wrong("resume_token", "TOKEN")])
        place = int(token)
        if place > await self._follows.last():
            # of another node, or of a database that is no more: what follows it would never come
            raise Fault("TOKEN", [Wrong("resume_token", "TOKEN")])
        return place

    async def _change(self, actor: Actor, wanted: Wanted, event: EventRow) -> pb.WatchResponse | None:
        """The change, or None when it is not asked for."""
        if wanted.numbers and event.number not in wanted.numbers:
            return None
        visible = False
        if wanted.rows != ANY or may_see_private(actor):
            view = (await self._looks.cases([event.number])).get(event.number)
            if view is None or not _fits(wanted, view):
                return None
            visible = sees_private(actor, view.case)
        return pb.WatchResponse(
            resume_token=str(event.log_seq),
            event=event_view(event.core, event.private, event.hash, visible=visible),
        )


def _fits(wanted: Wanted, view: CaseView) -> bool:
    rows, row = wanted.rows, view.row
    pairs = ((rows.matter, row.matter), (rows.origin, row.origin), (rows.competent, row.competent))
    return all(value is None or value == found for value, found in pairs)


async def _close(following: AsyncIterator[EventRow]) -> None:
    close = getattr(following, "aclose", None)
    if close is not None:
        await close()
