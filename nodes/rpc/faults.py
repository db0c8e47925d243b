"""Errors <-> status, both ways: what a room raised becomes a status, a peer's status becomes what it meant.

Knows the exceptions of the rooms below, ErrorDetail and google.rpc.Status. A status carries the stable
code, every field that is wrong, words in Chinese and English and advice; never a stack trace, a value, or
personal data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from nodes.codec.errors import CodecError
from nodes.desk.work import (
    Answer,
    CatchingUp,
    DeskError,
    Overloaded,
    Refused,
    RequestIdReused,
    Unavailable,
    VersionMoved,
)
from nodes.materials.errors import MaterialError
from nodes.rpc.codes import row
from nodes.store.errors import StoreError
from regions.errors import FieldError as FactError
from tongban.v1.errors_pb2 import ErrorDetail, FieldError

MAX_DETAIL_BYTES: Final = 4_000
"""What a status may carry: the trailing metadata of a call has 8 KiB, in base64 and with the rest of it."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """One field: dotted path, code, and words where the code's own do not say it all."""

    field: str
    code: str
    en: str = ""
    zh: str = ""


class Fault(Exception):
    """A call is refused. `code`: a row of the table; `retry_after_s`: when it may come again, 0: not said."""

    def __init__(
        self, code: str, wrong: Sequence[Wrong] = (), *, guide_version: str = "", retry_after_s: float = 0.0
    ) -> None:
        super().__init__(f"{code}: {', '.join(w.field for w in wrong)}" if wrong else code)
        self.code = code
        self.wrong = tuple(wrong)
        self.guide_version = guide_version
        self.retry_after_s = retry_after_s

    def under(self, name: str) -> Fault:
        """The same, seen from one level higher."""
        wrong = [Wrong(f"{name}.{w.field}", w.code, w.en, w.zh) for w in self.wrong]
        return Fault(self.code, wrong, guide_version=self.guide_version, retry_after_s=self.retry_after_s)

    @property
    def status(self) -> grpc.StatusCode:
        """The gRPC status of its code."""
        return row(self.code).status


def missing(field: str) -> Fault:
    """A field that must be there is not."""
    return Fault("MISSING", [Wrong(field, "MISSING")])


def malformed(field: str, reason: str = "") -> Fault:
    """A field has a form that cannot be."""
    return Fault("MALFORMED", [Wrong(field, "MALFORMED", reason)])


def fault_of(error: Exception) -> Fault:
    """What an exception of a lower room means to the caller. Anything unexpected is INTERNAL, without its
    words.
    """
    match error:
        case Fault():
            return error
        case CodecError():
            code = "MISSING" if error.reason == "is missing" else "MALFORMED"
            return Fault(code, [Wrong(error.field, code, error.reason)])
        case Refused():
            wrong = [Wrong(p.field, p.code, p.en, p.zh) for p in error.problems]
            return Fault(error.code, wrong, guide_version=error.guide_version)
        case RequestIdReused():
            return Fault("REQUEST_ID_REUSED", [Wrong("request_id", "REQUEST_ID_REUSED")])
        case VersionMoved():
            said = (f"the case has version {error.version}", f"办件现为第{error.version}版")
            return Fault("VERSION_CONFLICT", [Wrong("expected_version", "VERSION_CONFLICT", *said)])
        case Overloaded() | CatchingUp():
            code = "OVERLOADED" if isinstance(error, Overloaded) else "CATCHING_UP"
            return Fault(code, retry_after_s=error.retry_after_s)
        case Unavailable() | StoreError():
            return Fault("UNAVAILABLE", retry_after_s=1.0)
        case TimeoutError():
            return Fault("TIMED_OUT", retry_after_s=1.0)
        case DeskError():
            return Fault("INTERNAL")
        case MaterialError():
            return Fault(error.code, [Wrong(error.field, error.code, error.detail)])
        case FactError():
            code = error.reason.upper()
            return Fault(code, [Wrong(error.field, code, error.detail)])
    return Fault("INTERNAL")


def fault_of_answer(answer: Answer) -> Fault:
    """The refusal by rule that an answer holds."""
    return fault_of_detail(ErrorDetail.FromString(answer.body))


def fault_of_detail(detail: ErrorDetail) -> Fault:
    """The inverse of `detail_of`."""
    wrong = [Wrong(f.field, f.code, f.message_en, f.message_zh) for f in detail.fields]
    retry_after_s = detail.retry_after.ToTimedelta().total_seconds()
    return Fault(detail.code, wrong, guide_version=detail.guide_version, retry_after_s=retry_after_s)


def detail_of(fault: Fault) -> ErrorDetail:
    """What is told, in words, of everything that is wrong, as far as it fits."""
    words = row(fault.code)
    detail = ErrorDetail(
        code=fault.code, advice_zh=words.do_zh, advice_en=words.do_en, guide_version=fault.guide_version
    )
    if fault.retry_after_s > 0:
        detail.retry_after.CopyFrom(_duration(fault.retry_after_s))
    for at, wrong in enumerate(fault.wrong):
        own = row(wrong.code)
        detail.fields.append(
            FieldError(
                field=wrong.field,
                code=wrong.code,
                message_zh=wrong.zh or own.zh,
                message_en=wrong.en or own.en,
            )
        )
        if detail.ByteSize() > MAX_DETAIL_BYTES:
            del detail.fields[-1]
            left = len(fault.wrong) - at
            detail.fields.append(
                FieldError(code="MORE", message_zh=f"另有{left}项", message_en=f"and {left} more")
            )
            break
    return detail


def status_of(fault: Fault) -> grpc.Status:
    """The status that is sent."""
    words = row(fault.code)
    status = status_pb2.Status(code=words.status.value[0], message=f"{fault.code}: {words.en}")
    status.details.append(_packed(detail_of(fault)))
    if fault.retry_after_s > 0:
        delay = _duration(fault.retry_after_s)
        status.details.append(_packed(error_details_pb2.RetryInfo(retry_delay=delay)))
    sent: grpc.Status = rpc_status.to_status(status)
    return sent


def _duration(seconds: float) -> duration_pb2.Duration:
    whole = int(seconds)
    return duration_pb2.Duration(seconds=whole, nanos=int((seconds - whole) * 1e9))


def fault_of_call(error: grpc.RpcError) -> Fault | None:
    """What a called node meant by a status; None when the status is not one of ours (no node, no answer)."""
    try:
        status = rpc_status.from_call(error)
    except ValueError:
        return None
    detail, retry = ErrorDetail(), error_details_pb2.RetryInfo()
    found: Fault | None = None
    for packed in status.details if status is not None else ():
        if packed.Unpack(detail):
            found = fault_of_detail(detail)
        elif packed.Unpack(retry) and found is not None:
            found.retry_after_s = retry.retry_delay.ToTimedelta().total_seconds()
    return found


def _packed(message: ErrorDetail | error_details_pb2.RetryInfo) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
