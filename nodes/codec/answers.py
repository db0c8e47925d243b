"""Answers that are stored and repeated byte for byte: what was filed, applied, asked, or refused by rule.

Knows the answers' messages. Nothing in them would differ between repetitions: no light, no time of the
answer, no language (faces add the words to a refusal's codes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from nodes.cases.errors import CaseError
from nodes.codec.times import encode_time
from tongban.v1 import case_service_pb2, errors_pb2, operator_service_pb2


@dataclass(frozen=True, slots=True)
class FieldWarning:
    """Something that stands in no filing's way and should be known. Words without personal data."""

    field: str
    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class FiledFacts:
    """What a filing's answer tells."""

    case_number: str
    receipt: str
    competent: str
    authority: str
    version: int
    notice_due: datetime
    guide_version: str
    reasons_zh: Sequence[str] = ()
    reasons_en: Sequence[str] = ()
    reused: Sequence[str] = ()
    warnings: Sequence[FieldWarning] = ()


def filed_answer(facts: FiledFacts) -> bytes:
    """FileResponse."""
    return case_service_pb2.FileResponse(
        case_number=facts.case_number,
        receipt=facts.receipt,
        competent=facts.competent,
        authority=facts.authority,
        version=facts.version,
        notice_due=encode_time(facts.notice_due),
        guide_version=facts.guide_version,
        reasons_zh=facts.reasons_zh,
        reasons_en=facts.reasons_en,
        reused=facts.reused,
        warnings=[
            errors_pb2.FieldError(field=w.field, code=w.code, message_zh=w.zh, message_en=w.en)
            for w in facts.warnings
        ],
    ).SerializeToString(deterministic=True)


def applied_answer(version: int) -> bytes:
    """ActResponse: applied here."""
    return case_service_pb2.ActResponse(applied_version=version).SerializeToString()


def requested_answer(ask_id: str) -> bytes:
    """ActResponse: asked of the owner."""
    return case_service_pb2.ActResponse(requested_ask_id=ask_id).SerializeToString()


def problems_answer(
    code: str, problems: Sequence[tuple[str, str, str, str]], guide_version: str = ""
) -> bytes:
    """ErrorDetail of a request refused by rule. `problems`: (field, code, words in English, in Chinese)."""
    return errors_pb2.ErrorDetail(
        code=code,
        fields=[
            errors_pb2.FieldError(field=field, code=own, message_en=en, message_zh=zh)
            for field, own, en, zh in problems
        ],
        guide_version=guide_version,
    ).SerializeToString(deterministic=True)


def refusal_answer(error: CaseError) -> bytes:
    """ErrorDetail of a command that the machine refused."""
    return problems_answer(str(error.code), [(error.field, str(error.code), error.detail, "")])


def replayed_answer(state: str, detail: str) -> bytes:
    """ReplayDeadResponse: replayed, or parked again and why."""
    return operator_service_pb2.ReplayDeadResponse(state=state, detail=detail).SerializeToString()


def dropped_answer(*, resync: bool) -> bytes:
    """DropDeadResponse."""
    return operator_service_pb2.DropDeadResponse(resync=resync).SerializeToString()
