"""A naive model of one case, written from the protocol and not from the code: words, sets, days counted.

It imports nothing of ours. Roles: A applicant, W window, O officer, H head, S node, T timer, P operator, J
the node of the lead's region. Kinds: F full online, C collected on behalf, U a part under all_or_none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache

import chinese_calendar

ORIGIN, COMPETENT = "32", "31"
LIMITS = {
    "notice": 5,
    "correction": 15,
    "lack": 5,
    "decision": 20,
    "procedure": 10,
    "delivery": 10,
    "step1": 10,
    "step2": 5,
    "step3": 5,
}
EXTENSION = 10

BEFORE_ACCEPTANCE = {"filed", "pre_checked", "corrected"}
REVIEWING = {"in_review", "extended"}
UNDECIDED = (
    BEFORE_ACCEPTANCE
    | REVIEWING
    | {
        *("correction", "accepted", "accepted_with_lack", "special_procedure", "passed_up"),
    }
)
UNFINISHED = UNDECIDED | {"decided", "delivering", "delivered"}
LACKING = {"accepted_with_lack", "in_review", "extended", "special_procedure", "passed_up"}
RATABLE = {"delivered", "closed", "rated", "refused", "acceptance_revoked"}


@cache
def working(day: date) -> bool:
    return bool(chinese_calendar.is_workday(day))


def end_of(day: date, zone: datetime) -> datetime:
    """The first moment after that day."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), zone.tzinfo)


@dataclass
class Watch:
    """A limit that is counted at the end of every working day on whose morning it ran."""

    begun: datetime
    days: int
    stood: list[list[datetime | None]] = field(default_factory=list)
    seen: str = "green"  # the worst light so far

    def look(self, now: datetime) -> None:
        """Red once it is over, yellow in the last fifth; what was seen stays seen."""
        if self.standing() or self.seen == "red":
            return
        last = self.last_day()
        if end_of(last, now) <= now:
            self.seen = "red"
            return
        left = -(-self.days // 5)
        day = last
        while left > 1:
            day -= timedelta(days=1)
            left -= working(day)
        if max(day, self.begun.date() + timedelta(days=1)) <= now.date():
            self.seen = "yellow"

    def standing(self) -> bool:
        return bool(self.stood) and self.stood[-1][1] is None

    def last_day(self) -> date:
        """Only for one that runs."""
        day, left = self.begun.date(), self.days
        while left:
            day += timedelta(days=1)
            stopped = any(p and r and p.date() < day <= r.date() for p, r in self.stood)
            left -= working(day) and not stopped
        for p, r in self.stood:  # one that stood on its last day has that of its return
            if p and r and p.date() == day:
                day = r.date()
        return day


def next_working(day: date) -> date:
    day += timedelta(days=1)
    while not working(day):
        day += timedelta(days=1)
    return day


@dataclass
class Model:
    """What anybody who has read the protocol would write on a sheet of paper."""

    kind: str
    filed: datetime
    state: str = "filed"
    owner: str = ORIGIN
    epoch: int = 1
    on_the_way: bool = False
    with_authority: bool = False
    rejected: bool = False
    watches: dict[str, Watch] = field(default_factory=dict)
    told: int = 0
    came_later: bool = False
    lack: bool = False
    step: int = 0
    was_extended: bool = False
    red_correction: bool = False
    under: str = ""  # the state beneath a suspension
    court: bool = False
    suspended_by: str = ""
    resumed: datetime | None = None
    special_from: str = ""
    undo: tuple[str, str, datetime] | None = None  # what a timer did, where it stood, when
    ended_by_timer: dict[str, Watch] = field(default_factory=dict)
    granted: bool = False
    waits: bool = False
    authority: str = "low"
    original_out: bool = False
    lost: bool = False
    on_road: bool = False
    rated: set[str] = field(default_factory=set)
    chased: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.start("notice", self.filed)
        if self.kind in "FU":
            self.hand_over()

    # ---- clocks and timers

    def start(self, name: str, at: datetime) -> None:
        self.watches[name] = Watch(at, LIMITS[name])

    def stop(self, *names: str) -> None:
        for name in names:
            self.watches.pop(name, None)

    def stop_all(self) -> None:
        self.watches.clear()

    def phase(self) -> str:
        return self.under if self.state == "suspended" else self.state

    def due(self, name: str) -> datetime:
        return end_of(self.watches[name].last_day(), self.filed)

    def hurts(self, name: str) -> datetime:
        last = self.watches[name].last_day()
        if self.resumed is not None and self.resumed > self.due(name):
            last = self.resumed.date()
        return end_of(next_working(last), self.filed)

    def tick(self, now: datetime) -> None:
        """Whatever time alone has brought about until now, in its order."""
        while not self.on_the_way:
            due = sorted(self.coming())
            if not due or due[0][0] > now:
                for watch in self.watches.values():
                    watch.look(now)
                return
            at, _, what = due[0]
            getattr(self, what)(at)

    def coming(self) -> list[tuple[datetime, int, str]]:
        found = []
        running = {name for name, watch in self.watches.items() if not watch.standing()}
        if "notice" in running and self.phase() in BEFORE_ACCEPTANCE:
            found.append((self.due("notice"), 2, "deem_accepted"))
        if "correction" in running and self.phase() == "correction" and not self.red_correction:
            found.append((self.due("correction"), 1, "turn_red"))
        if self.state == "correction" and "correction" in running:
            found.append((self.hurts("correction"), 2, "deem_withdrawn"))
        if self.state in LACKING and self.lack and "lack" in running:
            found.append((self.hurts("lack"), 2, "revoke_by_timer"))
        return found

    def deem_accepted(self, at: datetime) -> None:
        receipt = self.watches["notice"].begun
        self.stop("notice")
        self.start("decision", receipt)
        if self.state == "suspended":
            self.under = "accepted"
        else:
            self.state = "accepted"
        if self.kind == "C" and not self.with_authority and not self.rejected:
            self.hand_over()

    def turn_red(self, at: datetime) -> None:
        self.red_correction = True

    def deem_withdrawn(self, at: datetime) -> None:
        self.undo = ("withdrawal", self.state, at)
        self.ended_by_timer = dict(self.watches)
        self.stop_all()
        self.state = "withdrawn"

    def revoke_by_timer(self, at: datetime) -> None:
        self.undo = ("revocation", self.state, at)
        self.ended_by_timer = dict(self.watches)
        self.stop_all()
        self.state = "acceptance_revoked"

    # ---- ownership

    def hand_over(self) -> None:
        self.owner, self.epoch = COMPETENT, self.epoch + 1
        self.on_the_way = self.with_authority = True

    # ---- what may be done

    def may(
        self, verb: str, role: str, now: datetime, word: str = "", submitted: datetime | None = None,
        body: str = "low",
    ) -> bool:  # fmt: skip
        """`word`: what is special about this command; `body`: for whom an officer or a head acts."""
        if self.on_the_way:
            return verb in {"receive", "reject_handover"} and role == "S"
        if role in "OH" and not (self.with_authority and body == self.authority):
            return False
        rule = getattr(self, f"may_{verb}")
        return bool(rule(role, word, now, submitted))

    def may_receive(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return False

    may_reject_handover = may_receive

    def may_hand_over(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        if role not in "SP" or self.with_authority:
            return False
        if self.state == "correction":
            return self.red_correction
        return self.rejected and self.state in BEFORE_ACCEPTANCE | {"accepted"}

    def may_pre_check(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        if self.kind == "C":
            return role == "W" and self.state in {"filed", "corrected"} and not self.with_authority
        return role in "OS" and self.state == "filed" and self.with_authority

    def may_request_correction(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        if self.kind == "C" and self.state == "filed":
            right = role == "W"
        else:
            right = role == "O" and self.state in BEFORE_ACCEPTANCE
        if word == "first" and self.told:
            return False
        if word == "received" and self.told and not self.came_later:
            return False
        return right

    def may_correct(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        if role not in "AW":
            return False
        return self.state == "correction" or self.rescues("withdrawal", submitted)

    def rescues(self, what: str, submitted: datetime | None) -> bool:
        """The origin had it in time; it only came late."""
        return (
            self.undo is not None
            and self.undo[0] == what
            and submitted is not None
            and submitted < self.undo[2]
        )

    def may_accept(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return role in "OS" and self.state in {"pre_checked", "corrected"} and self.with_authority

    def may_accept_with_lack(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return role == "O" and self.state in {"pre_checked", "corrected"}

    def may_refuse(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        if role in "SP":
            return self.rejected and not self.with_authority and self.state in BEFORE_ACCEPTANCE
        if role != "O":
            return False
        if self.state == "correction":
            return self.red_correction
        return self.state in {"pre_checked", "corrected"} or (self.state == "filed" and self.kind != "C")

    def may_supply_lack(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        if role not in "AW":
            return False
        return (self.lack and self.state in LACKING) or self.rescues("revocation", submitted)

    def may_revoke(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        if role != "O" or not self.lack or self.state not in {"accepted_with_lack", "in_review", "extended"}:
            return False
        return not self.watches["lack"].standing() and self.due("lack") <= now

    def may_start_review(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return role in "OS" and self.state in {"accepted", "accepted_with_lack"} and self.with_authority

    def may_finish_step(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return role == "O" and self.state in REVIEWING and self.step <= 3

    def may_open_special(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return role == "O" and self.state in REVIEWING

    def may_end_special(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return role == "O" and self.state == "special_procedure"

    def may_extend(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return role == "H" and self.state == "in_review" and not self.was_extended

    def may_pass_up(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return role == "O" and self.state in REVIEWING and self.authority == "low"

    def may_take_up(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return role == "O" and self.state == "passed_up"

    def may_decide(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return role == "O" and self.state in REVIEWING and self.step > 3 and not self.lack

    def may_join(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return role == "J" and self.kind == "U" and self.state == "decided" and self.waits

    def may_dispatch(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        if role not in "OW" or self.waits:
            return False
        return self.state == "decided" or (self.state == "delivering" and not self.on_road)

    def may_confirm_delivery(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return role in "SOWA" and self.state in {"decided", "delivering"} and not self.waits

    def may_report_lost(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return role in "OW" and self.on_road

    def may_take_custody(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return role in "OW" and self.state in UNFINISHED | {"suspended"}

    def may_return_original(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return role in "OW" and self.original_out

    def may_close(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return role == "S" and self.state == "delivered" and not self.original_out

    def may_rate(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return role == "A" and self.state in RATABLE and word not in self.rated

    def may_answer_rating(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        side = {"W": "origin", "O": "competent"}.get(role)
        return side is not None and self.state in RATABLE and side in self.chased

    def may_withdraw(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        if role == "J":
            return self.kind == "U" and self.state in UNDECIDED
        if role not in "AW":
            return False
        if self.state == "suspended":
            return not self.court and self.under in UNDECIDED
        return self.state in UNDECIDED

    def may_suspend(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return self.state in UNFINISHED and (role == "P" or (role == "O" and word == "court"))

    def may_resume(self, role: str, word: str, now: datetime, submitted: datetime | None) -> bool:
        return self.state == "suspended" and role == self.suspended_by
