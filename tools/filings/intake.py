"""From the filing to the acceptance: what each act leads to, as the transition table says it in words.

Knows the state and the clocks that must follow; every act enters the line. Must not know the review
(`course`). This is the author's knowledge of the rules, not a copy of the machine.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tools.filings.clocks import Clocks
from tools.filings.competence import Body
from tools.filings.limits import Terms
from tools.filings.line import Line


@dataclass(slots=True)
class Intake:
    """One case, or the `part` of a joint one (0: the case itself, or the lead).

    kind: F, C, L or U of the table.
    """

    line: Line
    terms: Terms
    body: Body
    kind: str
    part: int = 0
    way: str = "electronic"
    state: str = "filed"
    granted: bool | None = None
    rule: str = ""
    reason: str = ""
    deemed: str = ""
    waits: bool = False
    originals: list[str] = field(default_factory=list)
    ratings: dict[str, int] = field(default_factory=dict)
    answered_list: bool = False
    authority: str = ""
    clocks: Clocks = field(init=False)
    _step: int = 0
    _before: str = ""

    def __post_init__(self) -> None:
        self.clocks = Clocks(self.terms)
        self.authority = self.body.authority

    def filed(self, at: datetime) -> None:
        """Received: the notice clock runs."""
        self.clocks.start("notice", self.terms.notice, at)

    def did(self, at: datetime, who: str, do: str, **more: Any) -> None:
        """An act of somebody who finds the case as it is now."""
        self.line.act(at, who, do, part=self.part, when=self.state, **more)

    def seen(self, at: datetime, state: str = "") -> None:
        """Nothing goes on before the case is in its state, or in the one given."""
        self.line.act(at, "", "await", part=self.part, when=state or self.state)

    # ---- intake

    def pre_check(self, at: datetime) -> None:
        """By the window where papers are taken in, else by an officer."""
        self.did(
            at, "window" if self.kind in "CL" else "officer", "pre_check", note="形式审查通过 / form complete"
        )
        self.state = "pre_checked"

    def list_defects(self, at: datetime, *codes: str, since: str = "first", who: str = "officer") -> None:
        """One correction list."""
        defects = [
            {"code": c, "reason": "缺少或不清晰 / missing or unreadable", "knowable_since": since}
            for c in codes
        ]
        self.did(at, who, "request_correction", defects=defects)
        self.clocks.end(at, "notice")
        self.clocks.start("correction", self.terms.correction, at)
        self.state = "correction"

    def correct(self, at: datetime, *codes: str, **values: str) -> None:
        """Every item of the list comes in."""
        papers = [{"code": code} for code in codes]
        self.did(at, "applicant", "correct", materials=papers, **({"values": values} if values else {}))
        self.clocks.end(at, "correction")
        self.clocks.start("notice", self.terms.notice, at)
        self.state, self.answered_list = "corrected", True

    def let_correction_lapse(self) -> datetime:
        """Nobody answers: red, and withdrawn after the grace where the province says so. Returns when."""
        clock = self.clocks.running("correction")
        assert clock is not None
        if not self.terms.deemed_withdrawal:
            return clock.due_at
        at = clock.adverse_at
        self.clocks.end(at)
        self.state, self.reason, self.deemed = "withdrawn", "correction_overdue", "withdrawal"
        return at

    def accept(self, at: datetime, *lacks: str) -> None:
        """Accepted, with a lack where some are named."""
        if lacks:
            self.did(at, "officer", "accept_with_lack", lacks=list(lacks))
        else:
            self.did(at, "officer", "accept")
        self.clocks.end(at, "notice")
        self.clocks.start("decision", self.terms.decision, at)
        if lacks:
            assert self.terms.lack is not None
            self.clocks.start("lack", self.terms.lack, at)
        self.state = "accepted_with_lack" if lacks else "accepted"

    def let_notice_pass(self) -> datetime:
        """Nobody says anything: accepted from the day of receipt. Returns when."""
        clock = self.clocks.running("notice")
        assert clock is not None
        at = clock.due_at
        self.clocks.end(at, "notice")
        self.clocks.start("decision", self.terms.decision, clock.begun)
        self.state, self.deemed = "accepted", "acceptance"
        return at

    def supply(self, at: datetime, *codes: str) -> None:
        """What lacked comes in."""
        self.did(at, "applicant", "supply_lack", materials=[{"code": code} for code in codes])
        self.clocks.end(at, "lack")
        if self.state == "accepted_with_lack":
            self.state = "accepted"

    def let_lack_lapse(self) -> datetime:
        """It does not come in: the acceptance is revoked after the grace. Returns when."""
        clock = self.clocks.running("lack")
        assert clock is not None
        at = clock.adverse_at
        self.clocks.end(at)
        self.state, self.reason, self.deemed = "acceptance_revoked", "lack_overdue", "revocation"
        return at

    def refuse(self, at: datetime, reason: str, text: str, elsewhere: str = "") -> None:
        """Not accepted."""
        self.did(at, "officer", "refuse", reason=reason, text=text, elsewhere=elsewhere)
        self.clocks.end(at)
        self.state, self.reason = "refused", reason
