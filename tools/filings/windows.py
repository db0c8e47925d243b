"""Stories of paper: originals in custody at a window, sent on and back; and materials already held.

Knows consignments and custody. Must not know clocks: papers never move one.
"""

from typing import Any

from tools.filings import facts, limits
from tools.filings.line import Line, moment
from tools.filings.ordinary import ended, reviewed
from tools.filings.scene import Scene

CARRIER = "演示物流 / demo logistics"


def _parcel(name: str, direction: str, items: list[str]) -> dict[str, Any]:
    return {
        "id": name,
        "direction": direction,
        "carrier": CARRIER,
        "waybill": f"DEMO{name.upper()}",
        "items": items,
    }


def originals(scene: Scene, matter: str, day: int, *, posted: bool) -> Line:
    """The window takes an original in, and sends it on where `posted`; the case closes once it is back."""
    names = (
        ("窗口代收原件并寄送", "the window keeps an original and sends it on")
        if posted
        else ("窗口保管原件", "the window keeps an original")
    )
    line, course = scene.open(matter, day, names, "originals")
    origin, region = line.filing["origin_area"], course.body.region
    item = next(r["code"] for r in limits.required(matter, region) if r["original"] == "yes")
    course.did(
        moment(day, 1),
        "window",
        "take_custody",
        custody={"item": item, "holder": origin[:2], "place": f"window-{origin}"},
    )
    course.originals.append(item)
    course.pre_check(moment(day, 1))
    if posted:
        course.did(moment(day, 2), "window", "ship", shipment=_parcel("in-1", "inward", [item]))
        course.did(moment(day + 2, 0), "officer", "shipment_arrived", shipment_id="in-1")
        held = {"item": item, "holder": region, "place": course.body.authority}
        course.did(moment(day + 2, 0), "officer", "take_custody", custody=held)
    start = day + 2
    course.accept(moment(start, 2))
    reviewed(course, start, start + 1)
    assert course.state == "delivered", "an original is out"
    course.seen(moment(start + 1, 1))
    if posted:
        course.did(moment(start + 2, 0), "officer", "ship", shipment=_parcel("back-1", "archive", [item]))
        course.did(moment(start + 3, 0), "window", "shipment_arrived", shipment_id="back-1")
    back = moment(start + 3, 1)
    course.did(back, "window", "return_original", item=item)
    course.originals.clear()
    course.close(back)
    course.seen(back)
    return ended(line, course)


def held(scene: Scene, day: int, first: str, second: str) -> Line:
    """What the origin holds for this person from an earlier case is not asked for again."""
    origin = scene.county(scene.dice.choice(facts.cities()))
    who = scene.people.person()
    before, course = scene.open(first, day, ("先办一件", "an earlier case"), origin=origin, who=who)
    course.pre_check(moment(day, 1))
    course.accept(moment(day, 2))
    reviewed(course, day, day + 1)
    course.seen(moment(day + 1, 1))
    ended(before, course)
    names = ("已存材料免于重复提交", "what is already held is not asked for again")
    line, course = scene.open(
        second, day + 2, names, "already_held", origin=origin, who=who, without=("id_card",), reuse_held=True
    )
    line.expect["reused"] = ["id_card"]
    course.pre_check(moment(day + 2, 1))
    course.accept(moment(day + 2, 2))
    reviewed(course, day + 2, day + 3)
    course.seen(moment(day + 3, 1))
    return ended(line, course)
