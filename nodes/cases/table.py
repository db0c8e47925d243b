"""The one table: (state, command, role), with the kind of case as guard -> event, next state, clock effect.

Everything that is not a row here is refused. The table is data: the machine looks rows up, docs/states.md is
drawn from them. Must not know how an effect is worked out or what else a command must say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from nodes.cases import commands as c
from nodes.cases import events as e
from nodes.cases.case import Role, State
from nodes.cases.effects import Effect as X
from nodes.cases.filing import Kind


class To(StrEnum):
    """Next states that depend on the case."""

    STAYS = "stays"
    BACK = "back"  # where the overlay came from
    BEFORE = "before"  # where it stood before the timer; from accepted_with_lack to accepted


class When(StrEnum):
    """What chooses between rows of the same key."""

    ALWAYS = "always"
    ALL_SUPPLIED = "all_supplied"  # no lack is left
    STILL_LACKING = "still_lacking"
    JOINED = "joined"
    LAPSED = "lapsed"
    PARTS_OUT = "parts_out"  # of a lead: a part was filed and has not answered
    NO_PART_OUT = "no_part_out"


A, W, O, H = Role.APPLICANT, Role.WINDOW, Role.OFFICER, Role.HEAD  # noqa: E741  # the table's own letters
S, T, P = Role.NODE, Role.TIMER, Role.OPERATOR
F, C, L, U = Kind.FULL_ONLINE, Kind.COLLECT_ON_BEHALF, Kind.LEAD, Kind.PART
ALL = (F, C, L, U)


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `by`: the roles, all in the same `kinds`. `only`: what else must hold, in words (zh, en)."""

    states: tuple[State, ...]
    command: type[c.Command]
    by: tuple[Role, ...]
    event: type[e.Body]
    to: State | To
    clock: tuple[X, ...] = ()
    kinds: tuple[Kind, ...] = ALL
    when: When = When.ALWAYS
    only: tuple[str, str] = ("", "")


D = State
REVIEW = (D.IN_REVIEW, D.EXTENDED)
WAITING = (D.FILED, D.PRE_CHECKED, D.CORRECTED)
LACKING = (D.ACCEPTED_WITH_LACK, *REVIEW, D.SPECIAL_PROCEDURE, D.PASSED_UP)
UNDECIDED = (
    *(D.FILED, D.PRE_CHECKED, D.CORRECTION, D.CORRECTED, D.ACCEPTED, D.ACCEPTED_WITH_LACK),
    *(*REVIEW, D.SPECIAL_PROCEDURE, D.PASSED_UP),
)
UNFINISHED = (*UNDECIDED, D.DECIDED, D.DELIVERING, D.DELIVERED)
FINISHED = (D.REFUSED, D.ACCEPTANCE_REVOKED, D.WITHDRAWN, D.CLOSED, D.RATED)
RATABLE = (D.DELIVERED, D.CLOSED, D.RATED, D.REFUSED, D.ACCEPTANCE_REVOKED)
ON_THE_WAY = (*WAITING, D.CORRECTION, D.ACCEPTED, D.SUSPENDED)
HELD = (*UNFINISHED, D.SUSPENDED)
ANY = (*HELD, *FINISHED)

_REJECTED = ("移送被退回之后", "after a rejected handover")
_OPEN_LACK = ("有未补的容缺材料", "with an open lack")
_OVERDUE = ("补正已逾期", "the correction is overdue")
_PENDING = ("移送未签收", "while the handover is not received")
_PER_SIDE = ("每方一次", "once per side")
_IN_TIME = ("期限内已收件", "the origin's receipt was in time")
_TELL = (X.NOTICE_ENDS, X.CORRECTION_STARTS)
_DEEM = (X.NOTICE_ENDS, X.DECISION_FROM_RECEIPT)
_TAKE = (X.NOTICE_ENDS, X.DECISION_STARTS)
_END = (X.ALL_END,)

# fmt: off
TABLE: tuple[Row, ...] = (
    # intake
    Row((D.DRAFT,), c.File, (A,), e.Filed, D.FILED, (X.NOTICE_STARTS,), (F, C, L)),
    Row((D.DRAFT,), c.File, (W,), e.Filed, D.FILED, (X.NOTICE_STARTS,), (C, L)),
    Row((D.DRAFT,), c.File, (S,), e.Filed, D.FILED, (X.NOTICE_STARTS,), (U,)),
    Row((D.FILED,), c.PreCheck, (O, S), e.PreChecked, D.PRE_CHECKED, (), (F, U)),
    Row((D.FILED,), c.PreCheck, (W,), e.PreChecked, D.PRE_CHECKED, (), (C, L)),
    Row((D.CORRECTED,), c.PreCheck, (W,), e.PreChecked, D.PRE_CHECKED, (), (C,),
        only=("窗口自行补正、尚未移送", "the window's own correction, not yet handed over")),
    Row((D.FILED,), c.RequestCorrection, (O,), e.CorrectionRequested, D.CORRECTION, _TELL, (F, L, U)),
    Row((D.FILED,), c.RequestCorrection, (W,), e.CorrectionRequested, D.CORRECTION, _TELL, (C, L)),
    Row((D.PRE_CHECKED, D.CORRECTED), c.RequestCorrection, (O,), e.CorrectionRequested, D.CORRECTION, _TELL),
    Row((D.CORRECTION,), c.Correct, (A, W), e.Corrected, D.CORRECTED, (X.CORRECTION_ENDS, X.NOTICE_STARTS)),
    Row((D.CORRECTION, D.SUSPENDED), c.CorrectionOverdue, (T,), e.CorrectionOverdue, To.STAYS,
        (X.CORRECTION_RED,)),
    Row((D.CORRECTION,), c.Withdraw, (T,), e.Withdrawn, D.WITHDRAWN, _END,
        only=("逾期且当地有视为撤回之规定", "overdue, where the province has that rule")),
    Row((D.PRE_CHECKED, D.CORRECTED), c.Accept, (O, S), e.Accepted, D.ACCEPTED, _TAKE),
    Row((D.PRE_CHECKED, D.CORRECTED), c.AcceptWithLack, (O,), e.AcceptedWithLack, D.ACCEPTED_WITH_LACK,
        (*_TAKE, X.LACK_STARTS)),
    Row(WAITING, c.NoticeOverdue, (T,), e.AcceptanceDeemed, D.ACCEPTED, _DEEM),
    Row((D.SUSPENDED,), c.NoticeOverdue, (T,), e.AcceptanceDeemed, To.STAYS, _DEEM,
        only=("恢复后为已受理", "resumes as accepted")),
    Row((D.FILED,), c.Refuse, (O,), e.Refused, D.REFUSED, _END, (F, U)),
    Row((D.PRE_CHECKED, D.CORRECTED), c.Refuse, (O,), e.Refused, D.REFUSED, _END),
    Row((D.CORRECTION,), c.Refuse, (O,), e.Refused, D.REFUSED, _END, only=_OVERDUE),
    Row(WAITING, c.Refuse, (S, P), e.Refused, D.REFUSED, _END, (F, C, U), only=_REJECTED),
    Row((D.ACCEPTED_WITH_LACK,), c.SupplyLack, (A, W), e.LackSupplied, D.ACCEPTED, (X.LACK_ENDS,),
        when=When.ALL_SUPPLIED),
    Row((D.ACCEPTED_WITH_LACK,), c.SupplyLack, (A, W), e.LackSupplied, To.STAYS, when=When.STILL_LACKING),
    Row(LACKING[1:], c.SupplyLack, (A, W), e.LackSupplied, To.STAYS, (X.LACK_ENDS,), only=_OPEN_LACK),
    Row(LACKING, c.LackOverdue, (T,), e.AcceptanceRevoked, D.ACCEPTANCE_REVOKED, _END, only=_OPEN_LACK),
    Row((D.ACCEPTED_WITH_LACK, *REVIEW), c.Revoke, (O,), e.AcceptanceRevoked, D.ACCEPTANCE_REVOKED, _END,
        only=("容缺材料逾期未补", "the lack is overdue")),
    # review
    Row((D.ACCEPTED, D.ACCEPTED_WITH_LACK), c.StartReview, (O, S), e.ReviewStarted, D.IN_REVIEW,
        (X.STEP_STARTS,)),
    Row(REVIEW, c.FinishStep, (O,), e.StepFinished, To.STAYS, (X.STEP_MOVES_ON,), (F, C, U)),
    Row(REVIEW, c.OpenSpecial, (O,), e.SpecialOpened, D.SPECIAL_PROCEDURE,
        (X.DECISION_STOPS, X.PROCEDURE_STARTS), only=("注明批准人", "approver named")),
    Row((D.SPECIAL_PROCEDURE,), c.EndSpecial, (O,), e.SpecialEnded, To.BACK,
        (X.PROCEDURE_ENDS, X.DECISION_RESUMES)),
    Row((D.SPECIAL_PROCEDURE, D.SUSPENDED), c.ProcedureOverdue, (T,), e.ProcedureOverdue, To.STAYS,
        (X.PROCEDURE_RED,)),
    Row((D.IN_REVIEW,), c.Extend, (H,), e.Extended, D.EXTENDED, (X.LIMIT_GROWS,), only=("一次", "once")),
    Row(REVIEW, c.PassUp, (O,), e.PassedUp, D.PASSED_UP, (X.DECISION_ENDS,)),
    Row((D.PASSED_UP,), c.TakeUp, (O,), e.TakenUp, D.IN_REVIEW, (X.DECISION_STARTS, X.STEP_STARTS),
        only=("上级机关", "of the higher body")),
    Row(REVIEW, c.Decide, (O, S), e.Decided, D.DECIDED, (X.DECISION_ENDS, X.DELIVERY_STARTS),
        only=("无未补的容缺材料", "without open lack")),
    Row((D.DECIDED,), c.Join, (S,), e.Joined, To.STAYS, (X.DELIVERY_RESUMES,), (U,), When.JOINED),
    Row((D.DECIDED,), c.Join, (S,), e.Lapsed, D.CLOSED, _END, (U,), When.LAPSED),
    # delivery and after
    Row((D.DECIDED,), c.Dispatch, (O, W), e.Dispatched, D.DELIVERING),
    Row((D.DELIVERING,), c.Dispatch, (O, W), e.Dispatched, To.STAYS,
        only=("前一件已报失", "the one before was lost")),
    Row((D.DECIDED, D.DELIVERING), c.ConfirmDelivery, (S, O, W, A), e.Delivered, D.DELIVERED,
        (X.DELIVERY_ENDS,)),
    Row(ANY, c.ReportLost, (O, W), e.DeliveryFailed, To.STAYS,
        only=("在途的寄件", "a consignment on its way")),
    Row((D.DELIVERED,), c.Close, (S,), e.Closed, D.CLOSED, _END,
        only=("原件已归还", "once the applicant's originals are back")),
    Row((D.DELIVERED, D.REFUSED, D.ACCEPTANCE_REVOKED, D.RATED), c.Rate, (A,), e.Rated, To.STAYS,
        (X.CONTACT_STARTS,), only=_PER_SIDE),
    Row((D.CLOSED,), c.Rate, (A,), e.Rated, D.RATED, (X.CONTACT_STARTS,), only=_PER_SIDE),
    Row(RATABLE, c.AnswerRating, (O, W), e.RatingAnswered, To.STAYS, (X.CONTACT_ENDS,)),
    # papers
    Row(HELD, c.TakeCustody, (O, W), e.CustodyTaken, To.STAYS),
    Row(ANY, c.ReturnOriginal, (O, W), e.OriginalReturned, To.STAYS),
    Row(ANY, c.Ship, (O, W), e.Shipped, To.STAYS),
    Row(ANY, c.ShipmentArrived, (O, W), e.ShipmentReceived, To.STAYS),
    # leaving and standing still
    Row(UNDECIDED, c.Withdraw, (A, W), e.Withdrawn, D.WITHDRAWN, _END, (F, C, U)),
    Row((D.SUSPENDED,), c.Withdraw, (A, W), e.Withdrawn, D.WITHDRAWN, _END, (F, C, U),
        only=("未决定且非司法中止", "before the decision, not under a court order")),
    Row(UNDECIDED, c.Withdraw, (A, W, S), e.Withdrawn, D.WITHDRAWN, _END, (L,), When.NO_PART_OUT),
    Row(UNDECIDED, c.Withdraw, (A, W), e.WithdrawalAsked, To.STAYS, (), (L,), When.PARTS_OUT),
    Row(UNDECIDED, c.Withdraw, (S,), e.Withdrawn, D.WITHDRAWN, _END, (U,),
        only=("随主件", "with the lead")),
    Row(UNFINISHED, c.Suspend, (P,), e.Suspended, D.SUSPENDED, (X.COURT_STOPS,)),
    Row(UNFINISHED, c.Suspend, (O,), e.Suspended, D.SUSPENDED, (X.COURT_STOPS,),
        only=("依司法文书", "by court order")),
    Row((D.SUSPENDED,), c.Resume, (P, O), e.Resumed, To.BACK, (X.COURT_RESUMES,),
        only=("与中止同一角色", "the same role")),
    Row((D.WITHDRAWN,), c.Reinstate, (S,), e.Reinstated, D.CORRECTED, (X.RESTORED,), only=_IN_TIME),
    Row((D.ACCEPTANCE_REVOKED,), c.Reinstate, (S,), e.Reinstated, To.BEFORE, (X.RESTORED,), only=_IN_TIME),
    Row(ANY, c.ChangeLight, (T,), e.LightChanged, To.STAYS, (X.LIGHT,), only=("每灯一次", "once each")),
    Row(ANY, c.RecomputeDeadlines, (S,), e.DeadlineRecomputed, To.STAYS, (X.RECOMPUTED,)),
    # ownership
    Row((*WAITING, D.ACCEPTED), c.HandOver, (S, P), e.HandedOver, To.STAYS, (X.MOVED,), (F, C, U),
        only=_REJECTED),
    Row((D.CORRECTION,), c.HandOver, (S, P), e.HandedOver, To.STAYS, (X.MOVED,), (F, C, U), only=_OVERDUE),
    Row(ON_THE_WAY, c.Receive, (S,), e.Received, To.STAYS, (), (F, C, U), only=_PENDING),
    Row(ON_THE_WAY, c.RejectHandover, (S,), e.HandoverRejected, To.STAYS, (X.MOVED,), (F, C, U),
        only=_PENDING),
    # the lead of a joint case
    Row(REVIEW, c.FilePart, (S,), e.PartFiled, To.STAYS, (), (L,)),
    Row(ANY, c.FoldPart, (S,), e.PartFolded, To.STAYS, (), (L,)),
    Row(REVIEW, c.DetachPart, (P,), e.PartDetached, To.STAYS, (), (L,)),
)
# fmt: on

Key = tuple[State, type[c.Command], Role, Kind]


def _index(rows: Iterable[Row]) -> Mapping[Key, tuple[Row, ...]]:
    found: dict[Key, tuple[Row, ...]] = {}
    for row in rows:
        for state in row.states:
            for role in row.by:
                for kind in row.kinds:
                    key = (state, row.command, role, kind)
                    found[key] = (*found.get(key, ()), row)
    return found


INDEX: Mapping[Key, tuple[Row, ...]] = _index(TABLE)


def verb(command: type[c.Command]) -> str:
    """The verb of a command as docs, faces and asks write it: RequestCorrection -> request_correction."""
    name = command.__name__
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
