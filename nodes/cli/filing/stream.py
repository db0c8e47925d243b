"""Sending many filings to one node over FileMany, and taking each answer as it comes.

Knows the stream and which refusals pass. Must not know files or screens.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import grpc

from nodes.cli.exits import Exit
from nodes.cli.failures import BY_STATUS, Failure, failure, refused
from nodes.cli.follow import Follow
from nodes.cli.reach import Node
from nodes.rpc.codes import TABLE as CODES
from tongban.v1.case_service_pb2 import FileManyRequest, FileManyResponse, FileRequest

WINDOW: Final = 256
"""Filings on their way without an answer."""

PASSING: Final = frozenset(
    code
    for code, row in CODES.items()
    if row.status
    in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED)
)
"""Codes of refusals that say nothing of the filing: it is sent again."""


def send_many(
    node: Node, requests: Sequence[FileRequest], answered: Callable[[FileManyResponse], None]
) -> Failure | None:
    """Send them; `answered` gets every answer that is final. Returns why the stream ended early, None when
    all were answered or refused for the time being.
    """
    room, over = threading.Semaphore(WINDOW), threading.Event()

    def pieces() -> Iterator[FileManyRequest]:
        for request in requests:
            while not room.acquire(timeout=0.2):
                if over.is_set():
                    return
            if over.is_set():
                return
            yield FileManyRequest(request=request)

    open_ids = {request.request_id for request in requests}
    stream = Follow[FileManyResponse](node.cases.FileMany(pieces()))
    try:
        for answer in stream.items(node.timeout_s):
            if answer is None:
                return failure(Exit.UNREACHABLE, "deadline_exceeded", address=node.place.address)
            room.release()
            if answer.request_id in open_ids and not is_passing(answer):
                open_ids.discard(answer.request_id)
                answered(answer)
    except grpc.RpcError as error:
        return refused(error, node.place.address)
    finally:
        over.set()
        stream.cancel()
    return None


def is_passing(answer: FileManyResponse) -> bool:
    """Whether this refusal may be another answer next time."""
    return answer.WhichOneof("outcome") == "refused" and answer.refused.code in PASSING


def is_lasting(end: Failure) -> bool:
    """Whether trying again at once is of no use."""
    return end.end not in (
        BY_STATUS[grpc.StatusCode.UNAVAILABLE],
        BY_STATUS[grpc.StatusCode.RESOURCE_EXHAUSTED],
    )
