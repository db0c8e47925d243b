"""The course that one case must take: each act moves the expected state and clocks, and enters the line.

Knows the review, the decision and what comes after. Must not know who is competent (`competence`) nor why a
story goes as it does.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tools.filings.clocks import RED
from tools.filings.intake import Intake

DECIDING = ("decision", "step")
OPINION = "材料齐全，拟同意 / complete, proposed to grant"


@dataclass(slots=True)
class Course(Intake):
    """One case from its filing to its end."""

    # ---- review

    def review(self, at: datetime) -> None:
        """The first step begins."""
        self.did(at, "officer", "start_review")
        self._review_starts(at)

    def _review_starts(self, at: datetime) -> None:
        self.state, self._step = "in_review", 1
        self._step_clock(at)

    def _step_clock(self, at: datetime) -> None:
        if self._step <= len(self.terms.steps):
            self.clocks.start("step", self.terms.steps[self._step - 1], at)

    def finish(self, at: datetime, steps: int = 1) -> None:
        """So many steps end."""
        for _ in range(steps):
            self.did(at, "officer", "finish_step", outcome="pass", opinion=OPINION)
            self.clocks.end(at, "step")
            self._step += 1
            self._step_clock(at)

    def open_special(self, at: datetime, kind: str) -> None:
        """The decision clock stands."""
        self.did(
            at,
            "officer",
            "open_special",
            kind=kind,
            basis="行政许可法第四十五条 / art. 45",
            approver="head-1",
        )
        self.clocks.stop(at, "special", *DECIDING)
        self.clocks.start("procedure", self.terms.procedure, at)
        self._before, self.state = self.state, "special_procedure"

    def end_special(self, at: datetime) -> None:
        """The decision clock runs again."""
        self.did(at, "officer", "end_special", result="done")
        self.clocks.end(at, "procedure")
        self.clocks.resume(at, "special")
        self.state = self._before

    def extend(self, at: datetime) -> None:
        """By the head, once."""
        assert self.terms.extension is not None
        self.did(at, "head", "extend", reason="案情复杂，经负责人批准 / complex, approved by the head")
        self.clocks.grow(self.terms.extension, at)
        self.state = "extended"

    def pass_up(self, at: datetime, to: str) -> None:
        """To a higher body of the same province."""
        self.did(
            at, "officer", "pass_up", to_authority=to, reason="属上级权限 / within the higher body's powers"
        )
        self.clocks.end(at, *DECIDING)
        self.state, self.authority = "passed_up", to

    def take_up(self, at: datetime) -> None:
        """The higher body begins its own review, under a new decision clock."""
        self.did(at, "officer", "take_up", authority=self.authority)
        self.clocks.start("decision", self.terms.decision, at)
        self._review_starts(at)

    def suspend(self, at: datetime) -> None:
        """By court order: every clock stands."""
        self.did(at, "officer", "suspend", reason="court_order", court_order=True)
        self.clocks.stop(at, "court")
        self._before, self.state = self.state, "suspended"

    def resume(self, at: datetime) -> None:
        """By the same role."""
        self.did(at, "officer", "resume")
        self.clocks.resume(at, "court")
        self.state = self._before

    # ---- the decision and after

    def decide(self, at: datetime, granted: bool = True, why: str = "", remedy: str = "") -> None:
        """By an officer, after the last step."""
        decision: dict[str, Any] = {"granted": granted, "reasons": why, "remedy": remedy}
        if granted:
            decision["document"] = f"R-{self.line.request_id}-{self.part}"
        self.did(at, "officer", "decide", decision={k: v for k, v in decision.items() if v or k == "granted"})
        self.decided(at, granted)

    def decided(self, at: datetime, granted: bool) -> None:
        """What follows from a decision, whoever made it: at once delivered where that is electronic."""
        self.clocks.end(at, *DECIDING)
        self.clocks.start("delivery", self.terms.delivery, at)
        self.granted, self.state = granted, "decided"
        if self.waits and granted:
            self.clocks.stop(at, "others", "delivery")
            return
        if self.way == "electronic":
            self.delivered(at)

    def by_rule(self, at: datetime, granted: bool) -> None:
        """The node pre-checks, accepts and decides in one go, by the matter's rule."""
        self.clocks.end(at, "notice")
        self.clocks.start("decision", self.terms.decision, at)
        self._review_starts(at)
        self.rule = self.terms.rule
        self.decided(at, granted)
        self.seen(at)

    def dispatch(self, at: datetime, shipment: str, who: str = "officer") -> None:
        """The result leaves."""
        parcel = {
            "id": shipment,
            "direction": "outward",
            "carrier": "演示速递 / demo courier",
            "waybill": f"DEMO{shipment.upper()}",
            "items": ["result"],
        }
        self.did(at, who, "dispatch", shipment=parcel)
        self.state = "delivering"

    def hand_over(self, at: datetime, who: str = "applicant") -> None:
        """Somebody confirms that the applicant has it."""
        self.did(
            at, who, "confirm_delivery", received_by="agent" if "agent" in self.line.filing else "applicant"
        )
        self.delivered(at)

    def delivered(self, at: datetime) -> None:
        """Closed at once, unless an original is still out."""
        self.clocks.end(at, "delivery")
        self.state = "delivered"
        if not self.originals:
            self.close(at)

    def close(self, at: datetime) -> None:
        """By the node."""
        self.clocks.end(at)
        self.state = "closed"

    def rate(self, at: datetime, target: str, stars: int) -> None:
        """One side; one or two stars start the duty to make contact."""
        self.did(
            at, "applicant", "rate", rating={"target": target, "stars": stars, "indicators": ["efficiency"]}
        )
        self.ratings[target] = stars
        if stars <= 2:
            self.clocks.start("contact", self.terms.contact, at)
        if self.state == "closed":
            self.state = "rated"

    def answer_rating(self, at: datetime, target: str) -> None:
        """The rated side makes contact."""
        who = "window" if target == "origin" else "officer"
        self.did(at, who, "answer_rating", target=target, result="已联系并说明 / called and explained")
        self.clocks.end(at, "contact")

    def withdraw(self, at: datetime, reason: str = "改变计划 / plans changed", refused: str = "") -> None:
        """By the applicant."""
        self.did(at, "applicant", "withdraw", reason=reason, refused=refused)
        if not refused:
            self.clocks.end(at)
            self.state, self.reason = "withdrawn", reason

    def outcome(self) -> dict[str, Any]:
        """What must have come of it."""
        decision = next((c for c in reversed(self.clocks.all) if c.kind == "decision"), None)
        found: dict[str, Any] = {
            "competent": self.body.region,
            "authority": self.authority,
            "state": self.state,
            "granted": self.granted,
            "decision_due": decision.due_at if decision else None,
            "lights": self.clocks.lights(),
            "light": self.clocks.worst(),
        }
        for name in ("rule", "reason", "deemed", "ratings"):
            if value := getattr(self, name):
                found[name] = value
        assert all(c.ended for c in self.clocks.all), "every clock of a story ends"
        return found

    @property
    def overdue(self) -> bool:
        """Whether some light was red."""
        return self.clocks.worst() == RED
