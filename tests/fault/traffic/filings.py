"""What is filed, as the wire says it: a matter a kind of journey, in the places of the journey.

Knows codes of matters and areas. Nobody in here is a real person.
"""

from __future__ import annotations

from typing import Final

from tests.fault.traffic.plan import Journey
from tongban.v1.case_pb2 import DeliveryWish, Material, Party
from tongban.v1.case_service_pb2 import NewFiling, PlaceFacts

FILED_IN: Final = {"31": "310115", "32": "320100", "33": "330100", "34": "340100"}
FUND_OF: Final = {"31": "310000", "32": "320100", "33": "330100", "34": "340100"}
HOUSEHOLD: Final = {"31": "310115", "32": "320102", "33": "330106", "34": "340104"}
APPLICANT: Final = Party(kind="person", name="测试甲", id_type="identity_card", id_no="11010519491231002X")


def filing_of(journey: Journey) -> NewFiling:
    """The filing with which the journey begins."""
    there = journey.competent
    new = NewFiling(
        matter="HF-003",
        origin_area=FILED_IN[journey.origin],
        channel="online",
        applicant=APPLICANT,
        consent="consent-1",
        places=PlaceFacts(fund_centre=FUND_OF[there]),
    )
    if journey.kind == "collected":
        new.matter, new.channel = "DP-001", "window"
        new.places.CopyFrom(PlaceFacts(household=HOUSEHOLD[there]))
        new.delivery.CopyFrom(DeliveryWish(way="pickup"))
    elif journey.kind == "joint":
        new.matter = "TV-008"
        new.places.CopyFrom(PlaceFacts(transfer_out=FUND_OF[there], transfer_in=FUND_OF[journey.other]))
    elif journey.kind in {"lacking", "unsupplied"}:
        new.matter = "SS-015"
        new.places.CopyFrom(PlaceFacts(household=HOUSEHOLD[there]))
        new.materials.append(material("id_card", "a"))
    elif journey.kind in {"corrected", "uncorrected"}:
        new.materials.append(material("application_form", "a"))
    elif journey.kind == "race":
        new.delivery.CopyFrom(DeliveryWish(way="pickup"))
    elif journey.kind == "refused":
        new.matter = "XX-000"
    return new


def material(code: str, fill: str) -> Material:
    """A file that is named, and never sent."""
    return Material(code=code, sha256=fill.encode() * 32, size=10, media_type="application/pdf")
