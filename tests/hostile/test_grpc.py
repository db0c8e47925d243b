"""Every harm of the table over gRPC: refused with a code that names the field, and nothing has changed."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from nodes.rpc.faults import fault_of_call
from tests.hostile.over_grpc import GRPC, Called
from tests.hostile.texts import INJECTIONS
from tests.hostile.world import CASE_TABLES, MESSAGE_TABLES, World, assert_clean, world
from tests.integration.rpc.faces import new_id, request
from tongban.v1 import case_pb2
from tongban.v1 import case_service_pb2 as pb

pytestmark = pytest.mark.asyncio(loop_scope="module")
FILES = ("a replay under another body",)
"""What is filed first, so that it can be refused the second time."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("hostile")) as made:
        yield made
        await made.serves()


@pytest.mark.parametrize("case", GRPC, ids=lambda case: case.name)
async def test_harm_is_refused_by_name_and_changes_nothing(
    ground: World, case: Called, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    before = ground.state((*CASE_TABLES, *MESSAGE_TABLES))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await case.send(ground)
    error = caught.value
    fault = fault_of_call(error)
    told = (
        (error.code().name, "")
        if fault is None
        else (fault.code, fault.wrong[0].field if fault.wrong else "")
    )
    assert told == (case.code, case.field)
    metadata = b"".join(v if isinstance(v, bytes) else v.encode() for _, v in error.trailing_metadata() or ())
    said = f"{error.details()} {metadata!r} {metadata.decode(errors='replace')} {caplog.text}"
    assert_clean(said, *filter(None, [case.hostile]))
    if case.name in FILES:
        await ground.quiet()
    else:
        assert ground.state((*CASE_TABLES, *MESSAGE_TABLES)) == before


TEXTS = {
    "matter": "filing.matter", "guide_version": "filing.guide_version", "origin_area": "filing.origin_area",
    "channel": "filing.channel", "mandate": "", "consent": "", "authority": "filing.authority",
    "applicant.kind": "filing.applicant.kind", "applicant.name": "",
    "applicant.id_type": "filing.applicant.id_type", "applicant.id_no": "filing.applicant.id_no",
    "applicant.phone": "", "applicant.address": "", "agent.name": "", "agent.kind": "filing.agent.kind",
    "agent.id_no": "filing.agent.id_no", "agent.address": "", "agent.phone": "",
    "places.household": "filing.places.household", "places.fund_centre": "filing.places.fund_centre",
    "facts": "", "delivery.way": "filing.delivery.way", "delivery.address": "",
    "materials.code": "filing.materials.0.code", "materials.file_name": "", "materials.media_type": "",
}  # fmt: skip
"""Texts of a filing, and the field that refuses them; "": it may be any text, and is kept as it is."""


@pytest.mark.parametrize("kind", INJECTIONS)
@pytest.mark.parametrize("name", TEXTS)
async def test_an_injection_is_refused_by_its_field_or_kept_as_it_is(
    ground: World, name: str, kind: str
) -> None:
    text = INJECTIONS[kind]
    asked = with_text(name, text)
    try:
        answer = await ground.origin.caller.cases.File(asked, timeout=10)
    except grpc.aio.AioRpcError as error:
        fault = fault_of_call(error)
        assert fault is not None
        assert {w.field for w in fault.wrong} == {TEXTS[name]}
        assert_clean(f"{fault.code} {fault.wrong} {error.details()}", text)
        return
    assert not TEXTS[name]
    found = await ground.origin.caller.get(answer.case_number, "window")
    assert text in texts_of(found.case)
    assert ground.state(("case_row", "filing"))


def with_text(name: str, text: str) -> pb.FileRequest:
    asked = request()
    filing = asked.filing
    if name.startswith("agent."):
        filing.agent.CopyFrom(filing.applicant)
        filing.mandate = "M-1"
    if name.startswith("materials."):
        filing.materials.add(code="application_form", sha256=b"a" * 32, size=1, media_type="application/pdf")
    if name == "facts":
        filing.facts[text] = text
        return asked
    *path, last = name.split(".")
    holder = filing
    for step in path:
        held = getattr(holder, step)
        holder = held[0] if step == "materials" else held
    setattr(holder, last, text)
    return asked


def texts_of(message: case_pb2.Case) -> list[str]:
    """Every text in it, wherever."""
    found: list[str] = []
    for field, value in message.ListFields():
        map_entry = field.message_type is not None and field.message_type.GetOptions().map_entry
        items = [*value.keys(), *value.values()] if map_entry else value if field.is_repeated else [value]
        for item in items:
            found += (
                texts_of(item) if hasattr(item, "ListFields") else [item] if isinstance(item, str) else []
            )
    return found


@pytest.mark.parametrize("metadata", [
    (("traceparent", "00-" + "f" * 32 + "-" + "e" * 16 + "-01"), ("tracestate", "z" * 600)),
    (("traceparent", "00-" + "0" * 32 + "-" + "0" * 16 + "-00"),),
    (("traceparent", "ff-" + "g" * 32), ("tracestate", "a=b,,=,a=b")),
], ids=["of another trace", "of zeros", "of letters"])  # fmt: skip
async def test_a_forged_trace_leads_no_case_astray(
    ground: World, metadata: tuple[tuple[str, str], ...], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    answer = await ground.origin.caller.cases.File(request(new_id()), metadata=metadata, timeout=10)
    view = await ground.origin.parts.reader.get(answer.case_number)
    assert view is not None
    assert view.row.trace_id not in metadata[0][1]
    assert not caplog.text


async def test_a_page_is_never_larger_than_the_largest(ground: World) -> None:
    actor = request().actor
    actor.role = case_pb2.ROLE_WINDOW
    found = await ground.origin.caller.cases.List(pb.ListRequest(limit=2**32 - 1, actor=actor), timeout=10)
    assert 0 < len(found.cases) <= 200
