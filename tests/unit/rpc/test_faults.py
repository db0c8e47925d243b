"""One table of errors, both ways: what goes out comes in again, within what metadata hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest
from google.rpc import status_pb2
from grpc_status import rpc_status
from typing_extensions import override

from nodes.cases.errors import Code
from nodes.codec.errors import DecodeError
from nodes.desk.work import Overloaded, Problem, Refused, RequestIdReused, Unavailable, VersionMoved
from nodes.materials import errors as materials
from nodes.rpc.codes import TABLE, row
from nodes.rpc.faults import (
    MAX_DETAIL_BYTES,
    Fault,
    Wrong,
    detail_of,
    fault_of,
    fault_of_call,
    fault_of_detail,
    status_of,
)
from nodes.store.errors import StoreUnavailable
from regions.errors import IdentifierError

HERE = Path(__file__).parents[3]


class Called(grpc.RpcError):
    """What a caller's side makes of a status."""

    def __init__(self, code: Any, details: str, metadata: Any = ()) -> None:
        super().__init__()
        self._told = (code, details, [_Pair(k, v) for k, v in metadata or ()])

    @classmethod
    def of(cls, status: grpc.Status) -> Called:
        return cls(status.code, status.details, status.trailing_metadata)

    @override
    def code(self) -> Any:
        return self._told[0]

    @override
    def details(self) -> Any:
        return self._told[1]

    @override
    def trailing_metadata(self) -> Any:
        return self._told[2]


class _Pair(NamedTuple):
    key: str
    value: Any


@pytest.mark.parametrize("code", TABLE)
def test_every_code_survives_the_way_out_and_in(code: str) -> None:
    fault = Fault(code, [Wrong("a.b", code)], guide_version="g1", retry_after_s=1.5)
    status = status_of(fault)
    assert status.code is row(code).status
    again = fault_of_call(Called.of(status))
    assert again is not None
    assert (again.code, again.guide_version, again.retry_after_s) == (code, "g1", 1.5)
    assert [(w.field, w.code) for w in again.wrong] == [("a.b", code)]
    assert again.wrong[0].zh == row(code).zh
    assert again.wrong[0].en == row(code).en


def test_every_row_says_what_is_wrong_in_both_languages() -> None:
    for line in TABLE.values():
        assert line.zh.endswith("。"), line
        assert line.en, line
        assert bool(line.do_zh) == bool(line.do_en), line
        assert line.status is not grpc.StatusCode.OK


def test_every_code_that_a_room_raises_is_in_the_table() -> None:
    rooms = set(_said_in("nodes/desk", "nodes/rpc", "nodes/operations"))
    assert {"FILTER_NEEDED", "NO_SUCH_LETTER", "NEEDS_CHOICE"} <= rooms
    facts = {reason.upper() for reason in _reasons_of_facts()}
    assert {"RETIRED_CODE", "CHECKSUM"} <= facts
    unknown = ({str(code) for code in Code} | rooms | facts) - TABLE.keys()
    assert not unknown


def _said_in(*folders: str) -> Iterator[str]:
    """Codes written out in calls of ours that refuse."""
    call = re.compile(
        r"(?:Fault|Wrong|Refused|Problem|_refused)\(\s*(?:[^()\"]*(?:\"[^\"]*\")?,\s*)?\"([A-Z_]{3,})\""
    )
    for folder in folders:
        for path in (HERE / folder).glob("*.py"):
            yield from call.findall(path.read_text("utf-8"))


def _reasons_of_facts() -> Iterator[str]:
    """Reasons why a fact or a number is refused, and what the desk finds wrong with a filing."""
    raised = re.compile(
        r"(?:FactError|IdentifierError|CalendarError)\([^,()]+, \"([a-z_]+)\"|\"([a-z_]+)\" if known"
    )
    for path in (HERE / "regions").glob("*.py"):
        for found in raised.finditer(path.read_text("utf-8")):
            yield found[1] or found[2]
    wrong = re.compile(r"check\.wrong\(\s*f?\"[^\"]+\", \"([a-z_]+)\"")
    yield from wrong.findall((HERE / "nodes/desk/intake.py").read_text("utf-8"))


@pytest.mark.parametrize(
    ("error", "code", "fields"),
    [
        (DecodeError("filing.matter", "is missing"), "MISSING", ["filing.matter"]),
        (DecodeError("filing.matter", "is too long"), "MALFORMED", ["filing.matter"]),
        (Refused("GUIDE_CHANGED", (Problem("filing.guide_version", "GUIDE_CHANGED"),), "g2"), "GUIDE_CHANGED",
         ["filing.guide_version"]),
        (RequestIdReused("r"), "REQUEST_ID_REUSED", ["request_id"]),
        (VersionMoved("n", 7), "VERSION_CONFLICT", ["expected_version"]),
        (Overloaded(2.0), "OVERLOADED", []),
        (Unavailable("x"), "UNAVAILABLE", []),
        (StoreUnavailable("x"), "UNAVAILABLE", []),
        (TimeoutError(), "TIMED_OUT", []),
        (materials.TooLarge(5), "MATERIAL_TOO_LARGE", ["size"]),
        (materials.BadDigest(), "MALFORMED", ["sha256"]),
        (IdentifierError("filing.applicant.id_no", "checksum"), "CHECKSUM", ["filing.applicant.id_no"]),
        (RuntimeError("测试甲"), "INTERNAL", []),
        (KeyError("测试甲"), "INTERNAL", []),
    ],
)  # fmt: skip
def test_what_a_room_raises_becomes_a_status(error: Exception, code: str, fields: list[str]) -> None:
    fault = fault_of(error)
    assert fault.code == code
    assert [w.field for w in fault.wrong] == fields
    assert "测试甲" not in str(detail_of(fault)) + str(status_of(fault))


def test_a_code_that_this_release_does_not_know_keeps_its_words() -> None:
    fault = Fault("FROM_THE_FUTURE", [Wrong("a", "FROM_THE_FUTURE", "its words", "其话")])
    assert fault.status is grpc.StatusCode.FAILED_PRECONDITION
    assert fault_of_detail(detail_of(fault)).wrong == fault.wrong


def test_more_than_metadata_hold_is_cut_and_said_to_be() -> None:
    fault = Fault("FILING_REFUSED", [Wrong(f"filing.materials.{i}.code", "NOT_ON_GUIDE") for i in range(500)])
    detail = detail_of(fault)
    assert detail.ByteSize() < MAX_DETAIL_BYTES + 200
    assert detail.fields[-1].code == "MORE"
    left = 500 - (len(detail.fields) - 1)
    assert detail.fields[-1].message_en == f"and {left} more"


def test_a_status_that_is_not_ours_means_nothing() -> None:
    strange = rpc_status.to_status(status_pb2.Status(code=14, message="gone"))
    assert fault_of_call(Called.of(strange)) is None
    assert fault_of_call(Called(grpc.StatusCode.UNAVAILABLE, "gone")) is None


def test_seen_from_one_level_higher() -> None:
    fault = Fault("MISSING", [Wrong("actor", "MISSING")], retry_after_s=1).under("header")
    assert (fault.wrong[0].field, fault.retry_after_s) == ("header.actor", 1)
