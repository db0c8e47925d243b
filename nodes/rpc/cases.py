"""CaseService, call by call. Lines of FileMany, Watch and the streams of materials have modules of their own.

Knows the messages of case_service.proto and the ports. Contains no rule of a case.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from typing_extensions import override

from nodes.cases.case import Actor, Role
from nodes.cases.machine import legal_commands
from nodes.codec.errors import DecodeError
from nodes.codec.exchange import Ask, decode_exchange
from nodes.codec.requests import ACT_REQUEST, FILE_REQUEST, fingerprint
from nodes.codec.times import encode_time
from nodes.codec.verbs import VERB_OF
from nodes.codec.views import case_view, event_view, holder_of
from nodes.rpc.codes import row
from nodes.rpc.faults import Fault, Wrong, fault_of_answer
from nodes.rpc.lines import Lines
from nodes.rpc.looking import actor_of, checked_size, find_case
from nodes.rpc.pages import lines_of, page_of, wanted_of
from nodes.rpc.ports import FilesAndActs, Looks
from nodes.rpc.roles import sees_private
from nodes.rpc.transfers import Transfers
from nodes.rpc.watching import Watching
from nodes.store.rows import AskRow
from tongban.v1 import case_service_pb2 as pb
from tongban.v1 import errors_pb2
from tongban.v1.case_service_pb2_grpc import CaseServiceServicer


class CaseFace(CaseServiceServicer):
    """The servicer of one node."""

    def __init__(
        self,
        region: str,
        desk: FilesAndActs,
        looks: Looks,
        lines: Lines,
        watching: Watching,
        transfers: Transfers,
    ) -> None:
        self._region, self._desk, self._looks = region, desk, looks
        self._lines, self._watching, self._transfers = lines, watching, transfers

    @override
    async def File(self, request: pb.FileRequest, context: Any) -> pb.FileResponse:
        """One filing."""
        checked_size(request)
        actor_of("CaseService/File", request, self._region)
        answer = await self._desk.file(FILE_REQUEST.take(request), fingerprint(request))
        if answer.refused:
            raise fault_of_answer(answer)
        return pb.FileResponse.FromString(answer.body)

    @override
    def FileMany(self, request_iterator: Any, context: Any) -> AsyncIterator[pb.FileManyResponse]:
        """Many filings, an answer a line."""
        return self._lines.answer(request_iterator, context)

    @override
    async def Act(self, request: pb.ActRequest, context: Any) -> pb.ActResponse:
        """A verb."""
        checked_size(request)
        actor_of("CaseService/Act", request, self._region)
        answer = await self._desk.act(ACT_REQUEST.take(request), fingerprint(request))
        if answer.refused:
            raise fault_of_answer(answer)
        return pb.ActResponse.FromString(answer.body)

    @override
    async def Get(self, request: pb.GetRequest, context: Any) -> pb.GetResponse:
        """One case."""
        actor = actor_of("CaseService/Get", request, self._region)
        view = await find_case(self._looks, request.case_number)
        return pb.GetResponse(
            case=case_view(view.case, private=sees_private(actor, view.case)),
            owned=view.row.owned,
            asks=[_ask(ask) for ask in view.asks],
            verbs=legal_commands(view.case, actor.role, actor.region),
            parked=view.row.parked,
            holder=holder_of(view.case),
        )

    @override
    async def List(self, request: pb.ListRequest, context: Any) -> pb.ListResponse:
        """A page of cases."""
        actor = actor_of("CaseService/List", request, self._region)
        wanted = wanted_of(request.filter)
        _named_only(actor, request.filter)
        rows, cursor = await page_of(self._looks, wanted, request.limit, request.cursor)
        return pb.ListResponse(cases=lines_of(rows), next_cursor=cursor)

    @override
    async def History(self, request: pb.HistoryRequest, context: Any) -> pb.HistoryResponse:
        """The events of a case."""
        actor = actor_of("CaseService/History", request, self._region)
        view = await find_case(self._looks, request.case_number)
        visible = sees_private(actor, view.case)
        events = await self._looks.history(request.case_number)
        return pb.HistoryResponse(
            events=[event_view(e.core, e.private, e.hash, visible=visible) for e in events]
        )

    @override
    def Watch(self, request: pb.WatchRequest, context: Any) -> AsyncIterator[pb.WatchResponse]:
        """Changes, for as long as the caller reads them."""
        actor = actor_of("CaseService/Watch", request, self._region)
        _named_only(actor, request.filter)
        return self._watching.changes(actor, request, context)

    @override
    async def Upload(self, request_iterator: Any, context: Any) -> pb.UploadResponse:
        """A material into this node's store."""
        return await self._transfers.upload(request_iterator)

    @override
    def Download(self, request: pb.DownloadRequest, context: Any) -> AsyncIterator[pb.DownloadResponse]:
        """A material of a case."""
        actor = actor_of("CaseService/Download", request, self._region)
        return self._transfers.download(actor, request)


def _named_only(actor: Actor, wanted: pb.CaseFilter) -> None:
    """An applicant's platform names the cases; it does not leaf through other people's."""
    if actor.role is Role.APPLICANT and not wanted.case_numbers:
        raise Fault("FILTER_NEEDED", [Wrong("filter.case_numbers", "FILTER_NEEDED")])


def _ask(ask: AskRow) -> pb.PendingAsk:
    pending = pb.PendingAsk(
        ask_id=ask.ask_id,
        verb=_verb(ask.command),
        submitted_at=encode_time(ask.submitted_at),
        state=ask.state,
        version=ask.outcome_version or 0,
    )
    if ask.refusal_code:
        words = row(ask.refusal_code)
        pending.refusal.CopyFrom(
            errors_pb2.FieldError(
                code=ask.refusal_code, message_zh=words.zh, message_en=ask.refusal_detail or words.en
            )
        )
    return pending


def _verb(command: bytes) -> str:
    try:
        content = decode_exchange(command)
    except DecodeError:
        return ""
    return VERB_OF.get(type(content.command), "") if isinstance(content, Ask) else ""
