"""The legal steps of a case, by hand from the protocol: which event may follow, by whom, and where to.

Knows no code of the nodes. A line: states before | event | who, as role@kinds | state after.
Roles: A applicant, W window, O officer, H head, S the node, T timer, P operator. Kinds: F full online,
C collected on behalf, L lead, U part; none named: all four. After: a state, `stays`, `back` (where the
overlay came from) or `undone` (where the case stood before its timer).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from tongban.v1.case_pb2 import CaseKind, CaseState, Role

GROUPS: Final[Mapping[str, str]] = {
    "waiting": "filed pre_checked corrected",
    "reviewing": "in_review extended",
    "lacking": "accepted_with_lack in_review extended special_procedure passed_up",
    "undecided": "filed pre_checked correction corrected accepted accepted_with_lack in_review extended"
    " special_procedure passed_up",
    "unfinished": "undecided decided delivering delivered",
    "finished": "refused acceptance_revoked withdrawn closed rated",
    "any": "unfinished suspended finished",
}

TABLE: Final = """
draft                     | Filed                | A@FCL W@CL S@U      | filed
filed                     | PreChecked           | O@FU S@FU W@CL      | pre_checked
corrected                 | PreChecked           | W@C                 | pre_checked
waiting                   | CorrectionRequested  | O W@CL              | correction
correction                | Corrected            | A W                 | corrected
correction suspended      | CorrectionOverdue    | T                   | stays
correction                | Withdrawn            | T                   | withdrawn
pre_checked corrected     | Accepted             | O S                 | accepted
pre_checked corrected     | AcceptedWithLack     | O                   | accepted_with_lack
waiting                   | AcceptanceDeemed     | T                   | accepted
suspended                 | AcceptanceDeemed     | T                   | stays
filed                     | Refused              | O@FU S@FU P@FU      | refused
pre_checked corrected     | Refused              | O S@FCU P@FCU       | refused
correction                | Refused              | O                   | refused
accepted_with_lack        | LackSupplied         | A W                 | accepted
lacking                   | LackSupplied         | A W                 | stays
lacking                   | AcceptanceRevoked    | T                   | acceptance_revoked
accepted_with_lack reviewing | AcceptanceRevoked | O                   | acceptance_revoked
accepted accepted_with_lack | ReviewStarted      | O S                 | in_review
reviewing                 | StepFinished         | O@FCU               | stays
reviewing                 | SpecialOpened        | O                   | special_procedure
special_procedure         | SpecialEnded         | O                   | back
special_procedure suspended | ProcedureOverdue   | T                   | stays
in_review                 | Extended             | H                   | extended
reviewing                 | PassedUp             | O                   | passed_up
passed_up                 | TakenUp              | O                   | in_review
reviewing                 | Decided              | O S                 | decided
decided                   | Joined               | S@U                 | stays
decided                   | Lapsed               | S@U                 | closed
decided                   | Dispatched           | O W                 | delivering
delivering                | Dispatched           | O W                 | stays
decided delivering        | Delivered            | S O W A             | delivered
any                       | DeliveryFailed       | O W                 | stays
delivered                 | Closed               | S                   | closed
delivered refused acceptance_revoked rated | Rated | A                 | stays
closed                    | Rated                | A                   | rated
delivered closed rated refused acceptance_revoked | RatingAnswered | O W | stays
unfinished suspended      | CustodyTaken         | O W                 | stays
any                       | OriginalReturned     | O W                 | stays
any                       | Shipped              | O W                 | stays
any                       | ShipmentReceived     | O W                 | stays
undecided                 | Withdrawn            | A W S@LU            | withdrawn
suspended                 | Withdrawn            | A@FCU W@FCU         | withdrawn
undecided                 | WithdrawalAsked      | A@L W@L             | stays
unfinished                | Suspended            | P O                 | suspended
suspended                 | Resumed              | P O                 | back
withdrawn                 | Reinstated           | S                   | corrected
acceptance_revoked        | Reinstated           | S                   | undone
any                       | LightChanged         | T                   | stays
any                       | DeadlineRecomputed   | S                   | stays
waiting correction accepted suspended | HandedOver | S@FCU P@FCU | stays
waiting correction accepted suspended | Received | S@FCU               | stays
waiting correction accepted suspended | HandoverRejected | S@FCU       | stays
reviewing                 | PartFiled            | S@L                 | stays
any                       | PartFolded           | S@L                 | stays
reviewing                 | PartDetached         | P@L                 | stays
"""

ROLES: Final = {
    "A": Role.ROLE_APPLICANT,
    "W": Role.ROLE_WINDOW,
    "O": Role.ROLE_OFFICER,
    "H": Role.ROLE_HEAD,
    "S": Role.ROLE_NODE,
    "T": Role.ROLE_TIMER,
    "P": Role.ROLE_OPERATOR,
}
KINDS: Final = {
    "F": CaseKind.CASE_KIND_FULL_ONLINE,
    "C": CaseKind.CASE_KIND_COLLECT_ON_BEHALF,
    "L": CaseKind.CASE_KIND_LEAD,
    "U": CaseKind.CASE_KIND_PART,
}
OVERLAYS: Final = {"SpecialEnded": "procedure", "Resumed": "suspension"}
Step = tuple[str, str, "Role.ValueType", "CaseKind.ValueType"]


def state_name(state: CaseState.ValueType) -> str:
    """The state as the table writes it."""
    return CaseState.Name(state).removeprefix("CASE_STATE_").lower()


def _states(text: str) -> Iterator[str]:
    for word in text.split():
        if word in GROUPS:
            yield from _states(GROUPS[word])
        else:
            yield word


def _read() -> Iterator[tuple[Step, str]]:
    for line in TABLE.strip().splitlines():
        before, event, who, after = (part.strip() for part in line.split("|"))
        for state in _states(before):
            for said in who.split():
                role, _, kinds = said.partition("@")
                for kind in kinds or "FCLU":
                    yield (state, event, ROLES[role], KINDS[kind]), after


def _index() -> Mapping[Step, frozenset[str]]:
    found: dict[Step, frozenset[str]] = {}
    for step, after in _read():
        found[step] = found.get(step, frozenset()) | {after}
    return found


LEGAL: Final = _index()
"""(state before, event, role, kind of case) -> where it may lead."""
UNDECIDED: Final = frozenset(_states("undecided"))
WAITING: Final = frozenset(_states("waiting"))
