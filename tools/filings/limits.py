"""Which limits hold for a matter at a place, worked out anew.

Written from the rules of limits: the strictest that applies; stages are never summed; no published figure:
what the body set. Must not know the service's guidebook.
"""

from dataclasses import dataclass
from datetime import time
from typing import Any

from tools.filings import facts
from tools.filings.days import Limit

_ORDER = ("calendar_day", "day", "working_day")
_STAGE_UNITS = {"working_day": "working_day", "day": "day", "calendar_day": "calendar_day"}
STEPS = ("handling", "review", "approval")


@dataclass(frozen=True, slots=True)
class Terms:
    """Limits and rules of one matter (or part) at one authority. last_units, share: of the yellow light."""

    notice: Limit
    decision: Limit
    extension: Limit | None
    procedure: Limit
    correction: Limit
    lack: Limit | None
    delivery: Limit
    contact: Limit
    steps: tuple[Limit, ...]
    last_units: int
    share: int
    close: time | None
    deemed_withdrawal: bool
    grace: int
    rule: str

    def yellow_units(self, limit: Limit) -> int:
        """How many days before the end the yellow light burns."""
        wanted = self.last_units or -(-limit.value * self.share // 100)
        return max(1, min(wanted, limit.value))


def terms(matter: str, area: str, part: str = "") -> Terms:
    """Of `matter`, or of its joint `part`, at the authority of `area`."""
    joint = matter in facts.plans()
    piece = next((p for p in facts.plans()[matter]["parts"] if p["code"] == part), None) if part else None
    side = piece is not None and piece["side"]
    subject = piece["matter"] if piece is not None and not side else matter
    region = area[:2]
    own, placement = facts.settings(region), facts.placements()[subject]
    city = own.get("city", {}).get(facts.city_of().get(area, ""), {})
    licensing = placement["licensing"] == "yes"
    basis = facts.federation()["licensing" if licensing else "federation"]
    leads = joint and piece is None
    if leads:
        decision = Limit(own["limits"]["lead"], "working_day")
    else:
        decision = _decision(subject, region, part if side else "", city, own, placement)
    extension = _strictest(_figures(subject, "extension", part if side else "", region))
    if extension is None and licensing:
        extension = _of(facts.federation()["licensing"]["extension"])
    yellow = own["yellow"].get("matter", {}).get(subject, own["yellow"])
    return Terms(
        notice=_of(basis["notice"]),
        decision=decision,
        extension=extension,
        procedure=Limit(own["limits"]["procedure"], "working_day"),
        correction=Limit(own["limits"]["correction"], "working_day"),
        lack=_of(own["lack"]) if "lack" in own else None,
        delivery=_delivery(subject, part if side else "", region, basis),
        contact=_of(own["contact"] if "contact" in own else facts.federation()["federation"]["contact"]),
        steps=() if leads else _steps(subject, part if side else "", region, decision, own),
        last_units=yellow["value"] if yellow["kind"] == "last_units" else 0,
        share=yellow["value"] if yellow["kind"] == "share" else 0,
        close=_close(city.get("close_of_business", own["close_of_business"])),
        deemed_withdrawal="deemed_withdrawal" in own,
        grace=own["grace_working_days"],
        rule="" if side or leads else placement["rule"],
    )


def _of(row: dict[str, Any]) -> Limit:
    return Limit(row["value"], row["unit"])


def _close(text: str) -> time | None:
    return time.fromisoformat(text) if text else None


def _strictest(found: list[Limit]) -> Limit | None:
    def key(limit: Limit) -> tuple[float, int]:
        nominal = limit.value * 1.4 if limit.unit == "working_day" else float(limit.value)
        return nominal, _ORDER.index(limit.unit)

    return min(found, key=key, default=None)


def _figures(matter: str, use: str, part: str, region: str) -> list[Limit]:
    """What was published for that use and part, where it holds."""
    found = []
    for row in facts.published().get(matter, []):
        here = not row["regions"] or region in row["regions"].split()
        if row["use"] == use and row["part"] == part and here:
            value, unit = _figure(matter, row)
            found.append(Limit(int(row["value"] or value), row["unit"] or unit))
    return found


def _figure(matter: str, row: dict[str, str]) -> tuple[int, str]:
    known, figure = facts.matters()[matter], row["figure"]
    if figure == "derived":
        return 0, "working_day"
    if figure == "stage":
        stage = next(s for s in known["stage_limits"] if s["stage"] == row["stage_zh"])
        return stage["limit"], _STAGE_UNITS[stage["unit"]]
    return known[figure], "calendar_day" if figure == "statutory_calendar_days" else "working_day"


def _decision(
    matter: str, region: str, side: str, city: dict[str, Any], own: dict[str, Any], placement: dict[str, str]
) -> Limit:
    found = _figures(matter, "decision", side, region)
    if placement["licensing"] == "yes":
        found.append(_of(facts.federation()["licensing"]["decision"]))
    if not side:
        set_here = city.get("decision", {}).get(matter) or own["decision"]["matter"].get(matter)
        if set_here:
            found.append(Limit(set_here, "working_day"))
    return _strictest(found) or Limit(own["decision"]["family"][placement["family"]], "working_day")


def _delivery(matter: str, side: str, region: str, basis: dict[str, Any]) -> Limit:
    usual = _of(basis["delivery"])
    return _strictest([*_figures(matter, "delivery", side, region), usual]) or usual


def _steps(matter: str, side: str, region: str, decision: Limit, own: dict[str, Any]) -> tuple[Limit, ...]:
    found = []
    for step in STEPS:
        limit = _strictest(_figures(matter, step, side, region)) if step != "review" else None
        share = -(-decision.value * own["step_share"][step] // 100)
        found.append(limit or Limit(max(1, share), decision.unit))
    return tuple(found)


def required(matter: str, region: str) -> tuple[dict[str, str], ...]:
    """Rows of the material list of one matter as the province has it: required, without condition."""
    changes = facts.settings(region).get("materials", {})
    waived = changes.get("waived", {}).get(matter, [])
    rows = [r for r in facts.materials().get(matter, []) if r["code"] not in waived]
    known = {row["code"] for row in rows}
    blank = {"alternatives": "", "condition": "", "required": "yes", "lackable": "no", "original": "no"}
    rows += [
        {"code": code, **blank} for code in changes.get("extra", {}).get(matter, []) if code not in known
    ]
    return tuple(r for r in rows if r["required"] == "yes" and not r["condition"])


def wanted(matter: str, region: str) -> tuple[dict[str, str], ...]:
    """The same for a joint matter: its own list, and what its parts ask for that no result brings."""
    rows = list(required(matter, region))
    for part in facts.plans().get(matter, {"parts": []})["parts"]:
        if part["side"]:
            continue
        for row in facts.materials().get(part["matter"], []):
            meets = {row["code"], *row["alternatives"].split()}
            held = {r["code"] for r in facts.materials().get(matter, [])} | {r["code"] for r in rows}
            if row["required"] == "yes" and not meets & {*part["supplied"]} and not meets & held:
                rows.append(row)
    return tuple(row for row in rows if not row["condition"])
