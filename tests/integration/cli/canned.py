"""What the double of a node answers: one case in the middle of its life, and what belongs to it."""

from datetime import UTC, date, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from regions.casenumber import case_number
from tongban.v1 import case_pb2 as pb
from tongban.v1 import case_service_pb2 as api
from tongban.v1.errors_pb2 import FieldError
from tongban.v1.event_pb2 import After, CaseEvent, EventCore
from tongban.v1.operator_service_pb2 import DeadLetter, TraceResponse
from tongban.v1.trace_pb2 import Span

DAY = date(2026, 9, 24)
NUMBER = case_number("320500", DAY, 1, 123).text


def at(text: str) -> Timestamp:
    """Shanghai time as a message."""
    stamp = Timestamp()
    stamp.FromDatetime(datetime.fromisoformat(f"{text}+08:00").astimezone(UTC).replace(tzinfo=None))
    return stamp


def limit(value: int, *, official: bool) -> pb.Limit:
    if official:
        return pb.Limit(
            value=value,
            unit=pb.LIMIT_UNIT_DAY,
            basis_kind=pb.LIMIT_BASIS_STATUTORY,
            basis_zh="住房公积金管理条例第二十五条",
            basis_en="Regulation on housing provident funds art. 25",
            official=True,
        )
    return pb.Limit(
        value=value,
        unit=pb.LIMIT_UNIT_WORKING_DAY,
        basis_kind=pb.LIMIT_BASIS_FEDERATION_RULE,
        basis_zh="联邦规则(参照行政许可法第三十二条)",
        basis_en="federation rule after art. 32 of the Administrative Licensing Law",
    )


def case(region: str) -> api.GetResponse:
    """In review in Shanghai, filed in Suzhou; a withdrawal was asked for and a decision clock is yellow."""
    notice = pb.Clock(
        kind=pb.CLOCK_KIND_NOTICE,
        limit=limit(5, official=False),
        started_at=at("2026-09-24T09:12:00"),
        due_at=at("2026-10-09T17:00:00"),
        region="31",
        light=pb.LIGHT_GREEN,
        ended_at=at("2026-09-25T10:00:00"),
    )
    decision = pb.Clock(
        kind=pb.CLOCK_KIND_DECISION,
        limit=limit(3, official=True),
        started_at=at("2026-09-28T00:00:00"),
        due_at=at("2026-10-09T00:00:00"),
        region="31",
        light=pb.LIGHT_YELLOW,
    )
    filing = pb.Filing(
        case_number=NUMBER,
        kind=pb.CASE_KIND_FULL_ONLINE,
        mode=pb.HANDLING_MODE_FULL_ONLINE,
        matter="HF-003",
        origin="32",
        origin_area="320509",
        competent="31",
        authority="fund_centre-310000",
        filed_at=at("2026-09-24T09:12:00"),
    )
    found = pb.Case(
        filing=filing,
        state=pb.CASE_STATE_IN_REVIEW,
        version=6,
        owner="31",
        clocks=[notice, decision],
        authority="fund_centre-310000",
        light=pb.LIGHT_YELLOW,
        custody=[pb.Custody(item="household_booklet", holder="32", since=at("2026-09-24T09:12:00"))],
    )
    ask = api.PendingAsk(
        ask_id="018f-ask", verb="withdraw", submitted_at=at("2026-09-30T11:00:00"), state="pending"
    )
    return api.GetResponse(
        case=found,
        owned=region == "31",
        asks=[ask],
        verbs=["withdraw", "return_original"],
        holder="officer@31",
    )


def filed(number: str, request: api.FileRequest) -> api.FileResponse:
    return api.FileResponse(
        case_number=number,
        receipt=f"R{number[-8:]}",
        competent="31",
        authority="fund_centre-310000",
        version=2,
        notice_due=at("2026-10-09T17:00:00"),
        guide_version="2026-11-22.d3bdfb5f",
        reasons_zh=["您所说的公积金缴存地为上海市(310000)。"],
        reasons_en=["You named Shanghai (310000) as the fund centre of contribution."],
        reused=["id_card"] if request.filing.reuse_held else [],
        warnings=[
            FieldError(
                field="filing.applicant.id_no",
                code="AREA_UNKNOWN",
                message_zh="证件号码中的区划未知",
                message_en="the county in the number is not known",
            )
        ]
        if request.filing.applicant.name == "warned"
        else [],
    )


def page(cursor: str, size: int) -> api.ListResponse:
    """Three cases in pages of `size`."""
    lines = [
        api.CaseLine(
            case_number=case_number("320500", DAY, 1, serial).text,
            matter="HF-003",
            state=pb.CASE_STATE_IN_REVIEW if serial > 1 else pb.CASE_STATE_CLOSED,
            owner="31",
            origin="32",
            competent="31",
            authority="fund_centre-310000",
            light=pb.LIGHT_YELLOW if serial == 2 else pb.LIGHT_GREEN,
            due_at=at("2026-10-09T17:00:00"),
            filed_at=at("2026-09-24T09:12:00"),
        )
        for serial in (3, 2, 1)
    ]
    start = int(cursor or 0)
    after = start + size
    return api.ListResponse(cases=lines[start:after], next_cursor=str(after) if after < len(lines) else "")


def event(version: int, kind: str, state: "pb.CaseState.ValueType", *, by: str = "officer") -> CaseEvent:
    core = EventCore(
        case_number=NUMBER,
        version=version,
        type=kind,
        recorded_at=at("2026-10-08T15:30:00"),
        by=pb.Role.Value(f"ROLE_{by.upper()}"),
        after=After(state=state, owner="31"),
    )
    if kind == "Decided":
        core.decided.decision.granted = True
    return CaseEvent(core=core)


def letter() -> DeadLetter:
    return DeadLetter(
        id="dl-7",
        case_number=NUMBER,
        source="tongban://31",
        topic="tongban.inbox.32",
        partition=3,
        offset=41,
        reason="FORK",
        detail="version 4 is there with another hash",
        parked_at=at("2026-10-08T15:30:00"),
        highest_seen=5,
        state="parked",
    )


def trace(number: str) -> TraceResponse:
    """Filed in 32, sent, received in 31; region 33 did not answer."""
    trace_id, start = bytes(range(16)), 1_790_000_000_000_000_000

    def span(number: int, parent: int, region: str, name: str, kind: str, ms: tuple[int, int]) -> Span:
        return Span(
            trace_id=trace_id,
            span_id=bytes([number] * 8),
            parent_span_id=bytes([parent] * 8) if parent else b"",
            region=region,
            name=name,
            kind=kind,
            start_ns=start + ms[0] * 1_000_000,
            end_ns=start + ms[1] * 1_000_000,
            status="ok",
        )

    spans = [
        span(1, 0, "32", "case", "internal", (0, 1)),
        span(2, 1, "32", "tongban.v1.CaseService/File", "server", (1, 14)),
        span(3, 2, "32", "send tongban.inbox.31", "producer", (15, 18)),
        span(4, 3, "31", "process tongban.inbox.31", "consumer", (22, 30)),
    ]
    return TraceResponse(spans=spans, missing=["33"])
