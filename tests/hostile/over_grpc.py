"""Harm that comes over gRPC: what is sent, and what must be answered."""

# ruff: noqa: E501  # a row of the table is a line, so that it can be read as one

from __future__ import annotations

import base64
import gzip
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import grpc

from tests.hostile.texts import (
    BIDI,
    HTML,
    LOOK_ALIKES,
    OVERLONG,
    SQL,
    SQL_OR,
    SURROGATE,
    TRAVERSAL,
    UNSHOWABLE,
)
from tests.hostile.world import World
from tests.integration.rpc.faces import actor, drawn, filing, new_id, request
from tongban.v1 import case_pb2, catalogue_service_pb2, command_pb2, operator_service_pb2, peer_service_pb2
from tongban.v1 import case_service_pb2 as pb

Send = Callable[[World], Awaitable[Any]]
DIGEST = b"a" * 32
MIB = 1024 * 1024
CASES = "/tongban.v1.CaseService/"


@dataclass(frozen=True, slots=True)
class Called:
    """`code`: of ErrorDetail, or the name of a status that the transport gives by itself; `field`: the one named;
    `hostile`: what must not be repeated.
    """

    name: str
    send: Send
    code: str
    field: str = ""
    hostile: str = ""


def raw(method: str, body: bytes) -> Send:
    """Bytes instead of a message."""

    async def send(w: World) -> Any:
        channel: Any = w.origin.caller.channel
        return await channel.unary_unary(f"{CASES}{method}")(body, timeout=10)

    return send


def filed(**changes: Any) -> Send:
    """A filing that has something in it."""
    return lambda w: w.origin.caller.cases.File(request(**changes), timeout=10)


def tampered(old: bytes, new: bytes) -> bytes:
    """A filing whose bytes were changed after it was made."""
    assert len(old) == len(new)
    body = request(consent=old.decode()).SerializeToString()
    assert old in body
    return body.replace(old, new)


def named(**changes: Any) -> Send:
    """A filing whose outside is not as it must be."""

    def send(w: World) -> Awaitable[Any]:
        said = {"request_id": new_id(), "client": "test", "actor": actor("applicant"), "filing": filing()}
        return w.origin.caller.cases.File(pb.FileRequest(**{**said, **changes}), timeout=10)  # type: ignore[no-any-return]

    return send


def acted(
    *, role: str = "window", number: str = "", version: int = 0, region: str = "32", **verb: Any
) -> Send:
    """A verb on the first case, at the node where it was filed."""

    def send(w: World) -> Awaitable[Any]:
        return w.origin.caller.cases.Act(  # type: ignore[no-any-return]
            pb.ActRequest(
                request_id=new_id(), client="test", actor=actor(role, region),
                case_number=number or w.numbers[0], expected_version=version,
                command=command_pb2.Command(**verb),
            ),
            timeout=10,
        )  # fmt: skip

    return send


def listed(**changes: Any) -> Send:
    return lambda w: w.origin.caller.cases.List(
        pb.ListRequest(**{"actor": actor("window"), **changes}), timeout=10
    )


def got(number: str) -> Send:
    return lambda w: w.origin.caller.cases.Get(
        pb.GetRequest(case_number=number, actor=actor("window")), timeout=10
    )


def watched(**changes: Any) -> Send:
    return lambda w: drawn(
        w.origin.caller.cases.Watch(pb.WatchRequest(**{"actor": actor("window"), **changes}), timeout=10)
    )


def uploaded(*pieces: pb.UploadRequest, **header: Any) -> Send:
    said = {
        "client": "test", "request_id": "u1", "sha256": DIGEST, "size": 4, "media_type": "text/plain",
        "actor": actor("applicant"), **header,
    }  # fmt: skip
    first = pb.UploadRequest(header=pb.UploadHeader(**said))
    return lambda w: w.origin.caller.cases.Upload(iter([first, *pieces]), timeout=10)


def downloaded(**changes: Any) -> Send:
    def send(w: World) -> Awaitable[Any]:
        said = {"case_number": w.numbers[0], "sha256": DIGEST, "actor": actor("applicant"), **changes}
        return drawn(w.origin.caller.cases.Download(pb.DownloadRequest(**said), timeout=10))

    return send


def operated(call: str, **changes: Any) -> Send:
    def send(w: World) -> Awaitable[Any]:
        kind = getattr(operator_service_pb2, f"{call}Request")
        said = {"actor": actor("operator"), **changes}
        return getattr(w.origin.caller.operator, call)(kind(**said), timeout=10)  # type: ignore[no-any-return]

    return send


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def material(**changes: Any) -> case_pb2.Material:
    said = {"code": "application_form", "sha256": DIGEST, "size": 4, "media_type": "text/plain", **changes}
    return case_pb2.Material(**said)


def with_metadata(*metadata: tuple[str, str]) -> Send:
    return lambda w: w.origin.caller.cases.File(request(), metadata=metadata, timeout=10)


def bomb(w: World) -> Awaitable[Any]:
    """Some kilobytes on the wire, many megabytes once it is unpacked."""
    asked = request(consent="x" * (24 * MIB))
    return w.origin.caller.cases.File(asked, compression=grpc.Compression.Gzip, timeout=20)  # type: ignore[no-any-return]


def pinged(region: str) -> Send:
    return lambda w: w.origin.caller.peer.Ping(peer_service_pb2.PingRequest(region=region), timeout=10)


def peer(call: str, **changes: Any) -> Send:
    def send(w: World) -> Awaitable[Any]:
        said = {"region": "33", "case_number": w.numbers[0], **changes}
        asked = getattr(peer_service_pb2, f"{call}Request")(**said)
        answer = getattr(w.origin.caller.peer, call)(asked, timeout=10)
        return drawn(answer) if hasattr(answer, "__aiter__") else answer

    return send


async def replayed_with_another_body(w: World) -> Any:
    asked = request("again-and-again")
    await w.origin.caller.cases.File(asked, timeout=10)
    return await w.origin.caller.cases.File(request("again-and-again", consent="another"), timeout=10)


async def of_another_version(w: World) -> Any:
    channel: Any = w.origin.caller.channel
    return await channel.unary_unary("/tongban.v2.CaseService/File")(
        request().SerializeToString(), timeout=10
    )


GRPC: list[Called] = [
    Called("a filing too large for any message of the bus", filed(facts={f"f{i}": "x" * 3900 for i in range(80)}), "TOO_LARGE", "filing"),
    Called("a message larger than the node takes", filed(consent="x" * (5 * MIB)), "RESOURCE_EXHAUSTED"),
    Called("a compressed bomb", bomb, "RESOURCE_EXHAUSTED"),
    Called("gzip where a message should be", raw("File", gzip.compress(b"x" * 1000)), "MALFORMED"),
    Called("JSON where a message should be", raw("File", b'{"filing": {"filing": {}}}'), "MALFORMED"),
    Called("JSON a hundred thousand deep", raw("File", b"[" * 100_000), "MALFORMED"),
    Called("groups nested deeper than a decoder goes", raw("File", b"\x2b" * 5_000), "MALFORMED"),
    Called("a truncated protobuf", raw("File", request().SerializeToString()[:-7]), "MALFORMED"),
    Called("a length beyond the end", raw("File", b"\x0a\xff\xff\xff\xff\x0f"), "MALFORMED"),
    Called("an empty message", raw("File", b""), "MISSING", "actor"),
    Called("a field of another type", raw("File", b"\x1d\x00\x00\x00\x00"), "MISSING", "actor"),
    Called("overlong UTF-8", raw("File", tampered(b"AB", OVERLONG)), "MALFORMED"),
    Called("half a character in UTF-8", raw("File", tampered(b"ABC", SURROGATE)), "MALFORMED"),
    *[Called(f"{kind} in a text", filed(consent=text), "MALFORMED", "filing.consent", text) for kind, text in UNSHOWABLE.items()],
    Called("bidi in a name", filed(applicant=case_pb2.Party(kind="person", name=BIDI)), "MALFORMED", "filing.applicant.name", BIDI),
    Called("a control character in a fact's name", filed(facts={"a\x07": "b"}), "MALFORMED", "filing.facts", "\x07"),
    Called("a text longer than its field", filed(mandate="m" * 401), "MALFORMED", "filing.mandate", "m" * 401),
    Called("more items than a list may have", filed(materials=[material()] * 501), "MALFORMED", "filing.materials"),
    Called("path traversal as a material's code", filed(materials=[material(code=TRAVERSAL)]), "NOT_ON_GUIDE", "filing.materials.0.code", TRAVERSAL),
    Called("path traversal as a digest", uploaded(sha256=TRAVERSAL.encode()), "MALFORMED", "sha256", TRAVERSAL),
    Called("path traversal as a case number", got(TRAVERSAL), "NO_SUCH_CASE", "case_number", TRAVERSAL),
    Called("SQL as a request id", named(request_id=SQL), "MALFORMED", "request_id", SQL),
    Called("SQL as a client", named(client=SQL_OR), "MALFORMED", "client", SQL_OR),
    Called("SQL as a case number", got(SQL), "NO_SUCH_CASE", "case_number", SQL),
    Called("SQL as an area", filed(origin_area=SQL), "MALFORMED_CODE", "filing.origin_area", SQL),
    Called("SQL as an account", named(actor=actor("applicant", id=SQL)), "MALFORMED", "actor.id", SQL),
    Called("SQL as an id of a letter", operated("ShowDead", id=SQL_OR), "NO_SUCH_LETTER", "id", SQL_OR),
    Called("HTML as a channel", filed(channel=HTML), "UNKNOWN_CHANNEL", "filing.channel", HTML),
    Called("HTML as a matter", filed(matter=HTML), "MATTER_UNKNOWN", "filing.matter", HTML),
    *[Called(f"a region that looks alike: {kind}", named(actor=actor("applicant", text)), "MALFORMED", "actor.region") for kind, text in LOOK_ALIKES.items()],
    Called("a peer that looks alike", pinged("３１"), "MALFORMED", "region"),
    Called("a peer that is the node itself", pinged("32"), "MALFORMED", "region"),
    Called("a peer without a part in the case", peer("GetTraceSlice"), "NOT_YOURS", "region"),
    Called("a peer that asks for another's material", peer("FetchMaterial", sha256=DIGEST), "NOT_YOURS", "region"),
    Called("an actor of another region", named(actor=actor("applicant", "31")), "ACTOR_REGION", "actor.region"),
    Called("a role that may not file", named(actor=actor("officer")), "ROLE_NOT_PERMITTED", "actor.role"),
    Called("the node's own role", named(actor=actor("node")), "ROLE_NOT_PERMITTED", "actor.role"),
    Called("a role that no contract has", named(actor=case_pb2.Actor(role=cast("Any", 99), region="32", id="a")), "MALFORMED", "actor.role"),
    Called("nobody", named(actor=None), "MISSING", "actor"),
    Called("a decision where the case is only mirrored", acted(role="officer", accept={}), "NOT_OWNER", "case_number"),
    Called("no verb at all", acted(), "MALFORMED", "command.verb"),
    Called("a replay under another body", replayed_with_another_body, "REQUEST_ID_REUSED", "request_id"),
    Called("a version that is not the case's", acted(version=2**62, withdraw={"reason": "x"}), "VERSION_CONFLICT", "expected_version"),
    Called("a version beyond an int64", acted(version=2**64 - 1, withdraw={"reason": "x"}), "MALFORMED", "expected_version"),
    Called("a size beyond an int64", filed(materials=[material(size=2**64 - 1)]), "MALFORMED", "filing.materials.0.size"),
    Called("an upload of 2^64 bytes", uploaded(size=2**64 - 1), "MATERIAL_TOO_LARGE", "size"),
    Called("an upload of no bytes", uploaded(size=0), "MATERIAL_SIZE", "size"),
    Called("an upload longer than announced", uploaded(pb.UploadRequest(chunk=b"12345")), "MATERIAL_SIZE", "size"),
    Called("an upload that is not what its digest names", uploaded(pb.UploadRequest(chunk=b"1234")), "MATERIAL_DIGEST", "sha256"),
    Called("an upload of a type that a browser runs", uploaded(media_type="text/html"), "MATERIAL_TYPE", "media_type"),
    Called("a header in the middle of an upload", uploaded(pb.UploadRequest(header=pb.UploadHeader())), "MALFORMED", "header"),
    Called("a piece that is too large", uploaded(pb.UploadRequest(chunk=bytes(300 * 1024)), size=300 * 1024), "MALFORMED", "chunk"),
    Called("an upload by a client that cannot be", uploaded(client="t\x00t"), "MALFORMED", "header.client"),
    Called("an upload without its header", lambda w: w.origin.caller.cases.Upload(iter([pb.UploadRequest(chunk=b"x")])), "MISSING", "header"),
    Called("a material that the case does not have", downloaded(offset=2**64 - 1), "MATERIAL_NOT_OF_CASE", "sha256"),
    Called("a time of the year 30000000000", acted(return_original={"item": "a", "at": {"seconds": 2**60}}), "MALFORMED", "command.return_original.at"),
    Called("a time before there were computers", acted(return_original={"item": "a", "at": {"seconds": -(2**62)}}), "MALFORMED", "command.return_original.at"),
    Called("negative nanoseconds", acted(return_original={"item": "a", "at": {"seconds": 1_790_000_000, "nanos": -5}}), "MALFORMED", "command.return_original.at"),
    Called("a part that cannot be", filed(part_areas={2**32 - 1: "310000"}), "NOT_JOINT", "filing.part_areas"),
    Called("an area in full-width digits", filed(origin_area="３２０１００"), "MALFORMED_CODE", "filing.origin_area"),
    Called("an identity number of the 30th of February", filed(applicant=case_pb2.Party(kind="person", name="x", id_type="identity_card", id_no="110101199002303578")), "BIRTH_INVALID", "filing.applicant.id_no", "110101199002303578"),
    Called("a forged cursor", listed(cursor=cursor("2026-01-01T00:00:00+08:00 ' OR 1=1")), "CURSOR", "cursor"),
    Called("a cursor that is no base64", listed(cursor="%%%"), "CURSOR", "cursor"),
    Called("a cursor before the first year", listed(cursor=cursor("0001-01-01T00:00:00+23:59 x")), "CURSOR", "cursor"),
    Called("a cursor after the last year", listed(cursor=cursor("9999-12-31T23:59:59-23:59 x")), "CURSOR", "cursor"),
    Called("a cursor of the operator's", operated("ListDead", cursor=SQL_OR), "CURSOR", "cursor", SQL_OR),
    Called("a filter of a million states", listed(filter=pb.CaseFilter(states=cast("Any", [1] * 1_000_000))), "MALFORMED", "filter.states"),
    Called("a filter of too many cases", listed(filter=pb.CaseFilter(case_numbers=["x"] * 201)), "MALFORMED", "filter.case_numbers"),
    Called("a state that no contract has", listed(filter=pb.CaseFilter(states=cast("Any", [999]))), "MALFORMED", "filter.states"),
    Called("an applicant who leafs through all cases", listed(actor=actor("applicant")), "FILTER_NEEDED", "filter.case_numbers"),
    Called("a resume token that is no number", watched(resume_token="1 OR 1=1"), "TOKEN", "resume_token"),
    Called("a resume token from the future", watched(resume_token="9" * 18), "TOKEN", "resume_token"),
    Called("a negative resume token", watched(resume_token="-1"), "TOKEN", "resume_token"),
    Called("metadata over 8 KiB", with_metadata(("x-much", "y" * 9000)), "RESOURCE_EXHAUSTED"),
    Called("metadata of very many names", with_metadata(*((f"x-{i}", "y" * 30) for i in range(300))), "RESOURCE_EXHAUSTED"),
    Called("a service of a version that is not spoken", of_another_version, "UNIMPLEMENTED"),
    Called("an operator's reason with lines in it", operated("DropDead", id="x", request_id="q", reason="a\nb"), "MALFORMED", "reason"),
    Called("an operator's request id that cannot be", operated("ReplayDead", id="x", request_id="é"), "MALFORMED", "request_id"),
    Called("a catalogue asked for with a book", lambda w: w.origin.caller.catalogue.List(catalogue_service_pb2.CatalogueServiceListRequest(text="x" * 101)), "MALFORMED", "text"),
    Called("a place with NUL in it", lambda w: w.origin.caller.catalogue.Explain(catalogue_service_pb2.ExplainRequest(matter="HF-003", origin_area="320100", places=pb.PlaceFacts(work="31\x00"))), "MALFORMED", "places.work"),
]  # fmt: skip
