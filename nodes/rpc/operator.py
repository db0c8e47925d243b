"""OperatorService: a node watched and mended by who runs it.

Knows the messages of operator_service.proto and the port `Operates`. An operator sees where things stand and
what does not get on, never whose case it is.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp
from typing_extensions import override

from nodes.cases.case import Actor
from nodes.codec.letters import shown_headers
from nodes.codec.spans import put_span
from nodes.codec.texts import MAX_TEXT
from nodes.codec.times import encode_time
from nodes.desk.work import Answer
from nodes.rpc.faults import Fault, Wrong, fault_of_answer, malformed, missing
from nodes.rpc.looking import actor_of, checked_number
from nodes.rpc.ports import Operates
from nodes.store.rows import ParkedRow
from tongban.v1 import operator_service_pb2 as pb
from tongban.v1.operator_service_pb2_grpc import OperatorServiceServicer

PAGE: Final = 50
MAX_PAGE: Final = 200
MAX_ID: Final = 64


class OperatorFace(OperatorServiceServicer):
    """The servicer of one node."""

    def __init__(self, region: str, operates: Operates) -> None:
        self._region, self._operates = region, operates

    @override
    async def ListDead(self, request: pb.ListDeadRequest, context: Any) -> pb.ListDeadResponse:
        """Parked messages, a page."""
        self._admit("ListDead", request)
        size = min(request.limit or PAGE, MAX_PAGE)
        try:
            page = await self._operates.letters(
                limit=size, cursor=request.cursor, settled=request.with_settled
            )
        except ValueError:
            raise Fault("CURSOR", [Wrong("cursor", "CURSOR")]) from None
        return pb.ListDeadResponse(letters=[_letter(x) for x in page.letters], next_cursor=page.next_cursor)

    @override
    async def ShowDead(self, request: pb.ShowDeadRequest, context: Any) -> pb.ShowDeadResponse:
        """One parked message; of its body the size and the digest, for it may hold what is private."""
        self._admit("ShowDead", request)
        found = await self._operates.letter(_id(request))
        if found is None:
            raise Fault("NO_SUCH_LETTER", [Wrong("id", "NO_SUCH_LETTER")])
        return pb.ShowDeadResponse(
            letter=_letter(found),
            headers=shown_headers(found.headers),
            size=len(found.value),
            sha256=hashlib.sha256(found.value).digest(),
        )

    @override
    async def ReplayDead(self, request: pb.ReplayDeadRequest, context: Any) -> pb.ReplayDeadResponse:
        """Tries it again."""
        actor = self._admit("ReplayDead", request)
        answer = await self._operates.replay(
            _id(request),
            operator=actor.id,
            request_id=_request_id(request),
            fingerprint=_fingerprint(request),
        )
        return pb.ReplayDeadResponse.FromString(_body(answer))

    @override
    async def DropDead(self, request: pb.DropDeadRequest, context: Any) -> pb.DropDeadResponse:
        """Gives it up."""
        actor = self._admit("DropDead", request)
        if len(request.reason) > MAX_TEXT or not request.reason.isprintable():
            raise malformed("reason", f"is not a line of at most {MAX_TEXT} characters")
        answer = await self._operates.drop(
            _id(request),
            reason=request.reason,
            operator=actor.id,
            request_id=_request_id(request),
            fingerprint=_fingerprint(request),
        )
        return pb.DropDeadResponse.FromString(_body(answer))

    @override
    async def Lanes(self, request: pb.LanesRequest, context: Any) -> pb.LanesResponse:
        """Lanes of the relay."""
        self._admit("Lanes", request)
        return pb.LanesResponse(
            lanes=[
                pb.Lane(lane=x.lane, holder=x.holder, epoch=x.epoch, waiting=x.waiting, oldest_s=x.oldest_s)
                for x in await self._operates.lanes()
            ]
        )

    @override
    async def Health(self, request: pb.HealthRequest, context: Any) -> pb.HealthResponse:
        """How the node is."""
        self._admit("Health", request)
        view = await self._operates.health()
        return pb.HealthResponse(
            region=self._region,
            state=view.state,
            parts=[
                pb.PartHealth(name=x.name, state=x.state, detail=x.detail, since=_wall(x.since_wall_s))
                for x in view.parts
            ],
            outbox_waiting=view.outbox_waiting,
            inbox_lag=view.inbox_lag,
            parked=view.parked,
            business_now=encode_time(view.business_now),
            version=view.version,
        )

    @override
    async def Trace(self, request: pb.TraceRequest, context: Any) -> pb.TraceResponse:
        """The trace of a case, over all its regions."""
        self._admit("Trace", request)
        view = await self._operates.trace(checked_number(request.case_number))
        if not view.spans and not view.missing:
            raise Fault("NO_SUCH_CASE", [Wrong("case_number", "NO_SUCH_CASE")])
        return pb.TraceResponse(spans=[put_span(s) for s in view.spans], missing=view.missing)

    def _admit(self, call: str, request: Any) -> Actor:
        return actor_of(f"OperatorService/{call}", request, self._region)


def _letter(row: ParkedRow) -> pb.DeadLetter:
    return pb.DeadLetter(
        id=row.id,
        case_number=row.case_number or "",
        source=row.source,
        topic=row.topic,
        partition=row.partition,
        offset=row.log_offset,
        reason=row.reason,
        detail=row.detail,
        parked_at=_wall(row.parked_wall_s),
        highest_seen=row.highest_seen,
        state=row.state,
    )


def _wall(seconds: float) -> Timestamp | None:
    if seconds <= 0:
        return None
    stamp = Timestamp()
    stamp.FromMicroseconds(int(seconds * 1_000_000))
    return stamp


def _id(request: Any) -> str:
    found: str = request.id
    if not found:
        raise missing("id")
    if len(found) > MAX_ID or not (found.isascii() and found.isprintable()):
        raise malformed("id", "is no id of a parked message")
    return found


def _request_id(request: Any) -> str:
    found: str = request.request_id
    if not found:
        raise missing("request_id")
    if len(found) > MAX_ID or not (found.isascii() and found.isprintable()):
        raise malformed("request_id", f"is not up to {MAX_ID} characters of ASCII")
    return found


def _fingerprint(request: Any) -> bytes:
    """What is asked, without its request id and whoever asks it."""
    bare = type(request)()
    bare.CopyFrom(request)
    bare.ClearField("request_id")
    bare.ClearField("actor")
    name = type(request).__name__.encode()
    return hashlib.sha256(name + b"\0" + bare.SerializeToString(deterministic=True)).digest()


def _body(answer: Answer) -> bytes:
    if answer.refused:
        raise fault_of_answer(answer)
    return answer.body
