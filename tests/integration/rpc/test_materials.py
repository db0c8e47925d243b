"""Materials up and down, and from the region that holds them."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from grpc import StatusCode

from nodes.rpc.server import Limits
from tests.integration.rpc.faces import Served, actor, code_of, drawn, known, new_id, refusal, request, served
from tongban.v1 import case_pb2
from tongban.v1 import case_service_pb2 as pb

shared = pytest.mark.asyncio(loop_scope="module")
FUND = "fund_centre-310000"
CHUNK = 64 * 1024


def header(content: bytes, **changes: Any) -> pb.UploadHeader:
    said: dict[str, Any] = {
        "client": "test",
        "request_id": new_id(),
        "sha256": hashlib.sha256(content).digest(),
        "size": len(content),
        "media_type": "application/pdf",
        "actor": actor("applicant"),
    }
    return pb.UploadHeader(**{**said, **changes})


def pieces(content: bytes, **changes: Any) -> list[pb.UploadRequest]:
    chunks = [content[i : i + CHUNK] for i in range(0, len(content), CHUNK)]
    return [
        pb.UploadRequest(header=header(content, **changes)),
        *[pb.UploadRequest(chunk=chunk) for chunk in chunks],
    ]


def material(content: bytes, code: str = "application_form") -> case_pb2.Material:
    digest = hashlib.sha256(content).digest()
    return case_pb2.Material(code=code, sha256=digest, size=len(content), media_type="application/pdf")


async def download(
    node: Served, number: str, content: bytes, offset: int = 0, role: str = "applicant"
) -> bytes:
    who = actor(role, node.caller.region, authority="" if role == "applicant" else FUND)
    ask = pb.DownloadRequest(
        sha256=hashlib.sha256(content).digest(), case_number=number, offset=offset, actor=who
    )
    got = b""
    async for piece in node.caller.cases.Download(ask, timeout=20):
        assert piece.offset == offset + len(got)
        assert piece.size == len(content)
        got += piece.chunk
    return got


@shared
async def test_what_was_uploaded_comes_down_again_from_any_offset(origin: Served) -> None:
    content = os.urandom(700_000)
    answer = await origin.caller.cases.Upload(iter(pieces(content)))
    assert (answer.sha256, answer.size) == (hashlib.sha256(content).digest(), len(content))
    again = await origin.caller.cases.Upload(iter(pieces(content)))
    assert again == answer
    number = await origin.caller.file(materials=[material(content)])
    for offset in (0, 1, 300_000, len(content) - 1, len(content)):
        assert await download(origin, number, content, offset) == content[offset:]
    assert await code_of(_down(origin, number, content, len(content) + 1)) == "MATERIAL_OFFSET"
    assert await code_of(_down(origin, number, b"other")) == "MATERIAL_NOT_OF_CASE"


def _down(node: Served, number: str, content: bytes, offset: int = 0) -> Any:
    digest = hashlib.sha256(content).digest()
    ask = pb.DownloadRequest(
        sha256=digest, case_number=number, offset=offset, actor=actor("applicant", node.caller.region)
    )
    return node.caller.cases.Download(ask, timeout=20)


BIG = 51 * 1024 * 1024
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"sha256": b"x" * 32}, "sha256", "MATERIAL_DIGEST"),
    ({"sha256": b"x" * 31}, "sha256", "MALFORMED"),
    ({"sha256": b""}, "sha256", "MALFORMED"),
    ({"size": 10}, "size", "MATERIAL_SIZE"),
    ({"size": 100_000}, "size", "MATERIAL_SIZE"),
    ({"size": 0}, "size", "MATERIAL_SIZE"),
    ({"size": BIG}, "size", "MATERIAL_TOO_LARGE"),
    ({"media_type": "text/html"}, "media_type", "MATERIAL_TYPE"),
    ({"media_type": "../../etc"}, "media_type", "MATERIAL_TYPE"),
    ({"client": ""}, "header.client", "MISSING"),
    ({"request_id": ""}, "header.request_id", "MISSING"),
    ({"actor": None}, "header.actor", "MISSING"),
    ({"actor": actor("operator")}, "header.actor.role", "ROLE_NOT_PERMITTED"),
]


@shared
@pytest.mark.parametrize(("change", "field", "code"), WRONG)
async def test_a_wrong_upload_names_its_field_and_leaves_nothing(
    origin: Served, change: dict[str, Any], field: str, code: str
) -> None:
    content = os.urandom(70_000)
    status, fault = await refusal(origin.caller.cases.Upload(iter(pieces(content, **change))))
    assert status in (StatusCode.INVALID_ARGUMENT, StatusCode.PERMISSION_DENIED)
    assert fault.code == code
    assert [w.field.removeprefix("header.") for w in fault.wrong] == [field.removeprefix("header.")]
    assert not await origin.materials.has(hashlib.sha256(content).hexdigest())
    left = [p for p in origin.parts.config.materials_dir.rglob("new/*") if p.is_file()]
    assert not left


@shared
async def test_an_upload_out_of_order(origin: Served) -> None:
    content = b"a" * 300_000
    upload = origin.caller.cases.Upload
    assert await code_of(upload(iter([]))) == "MISSING"
    assert await code_of(upload(iter(pieces(content)[1:]))) == "MISSING"
    first, *rest = pieces(content)
    assert await code_of(upload(iter([first, rest[0], first]))) == "MALFORMED"
    assert await code_of(upload(iter([first, pb.UploadRequest()]))) == "MALFORMED"
    _, fault = await refusal(upload(iter([first, pb.UploadRequest(chunk=content)])))
    assert (fault.code, fault.wrong[0].field) == ("MALFORMED", "chunk")


async def test_an_upload_that_says_nothing_any_more_is_ended(tmp_path: Path) -> None:
    async with served(tmp_path, "32", limits=Limits(idle_s=0.2)) as (node,):
        go = asyncio.Event()

        async def never_finished() -> AsyncIterator[pb.UploadRequest]:
            yield pieces(b"a" * 100)[0]
            await go.wait()

        status, fault = await refusal(node.caller.cases.Upload(never_finished()))
        assert (status, fault.code) == (StatusCode.DEADLINE_EXCEEDED, "IDLE")
        go.set()


@shared
async def test_the_competent_node_fetches_what_an_officer_reads(pair: list[Served]) -> None:
    origin, competent = pair
    content = os.urandom(600_000)
    await origin.caller.cases.Upload(iter(pieces(content)))
    number = await origin.caller.file(materials=[material(content)])
    await known(competent, number)
    assert not await competent.materials.has(hashlib.sha256(content).hexdigest())
    assert await download(competent, number, content, 5, "officer") == content[5:]
    assert await competent.materials.has(hashlib.sha256(content).hexdigest())
    async with competent.parts.store.read() as unit:
        rows = await unit.load_materials([hashlib.sha256(content).hexdigest()])
    assert all(row.stored for row in rows.values())


@shared
async def test_what_nobody_uploaded_is_said_to_be_missing(pair: list[Served]) -> None:
    origin, competent = pair
    content = os.urandom(100)
    number = await origin.caller.file(materials=[material(content)])
    await known(competent, number)
    assert await code_of(_down(origin, number, content)) == "MATERIAL_NOT_STORED"
    who = actor("officer", "31", authority=FUND)
    ask = pb.DownloadRequest(sha256=material(content).sha256, case_number=number, actor=who)
    status, fault = await refusal(drawn(competent.caller.cases.Download(ask)))
    assert (status, fault.code) == (StatusCode.FAILED_PRECONDITION, "PEER_REFUSED")
    assert [w.code for w in fault.wrong] == ["MATERIAL_NOT_STORED"]


@shared
async def test_a_filing_is_told_what_its_list_still_misses_unless_it_is_held_here(origin: Served) -> None:
    content = b"%PDF-1.7 " + os.urandom(20)
    await origin.caller.cases.Upload(iter(pieces(content)))
    someone = case_pb2.Party(kind="person", name="某甲", id_type="passport", id_no="E73920164")
    stand_in = material(content, "social_card")  # stands in for the identity card
    first = await origin.caller.cases.File(request(applicant=someone, materials=[stand_in]))
    assert [(w.field, w.code) for w in first.warnings] == [
        ("filing.materials.application_form", "MATERIAL_MISSING")
    ]
    assert first.warnings[0].message_zh
    assert first.warnings[0].message_en

    form = material(content)
    await origin.caller.cases.File(request(applicant=someone, materials=[form, material(content, "id_card")]))
    again = await origin.caller.cases.File(request(applicant=someone, reuse_held=True))
    assert (list(again.reused), list(again.warnings)) == (["application_form", "id_card"], [])
