"""The catalogue: which matters there are.

Knows how matters.json (facts, as published) and placement.csv (authored) make a matter.
Must not know guides, authorities or cases. Matters whose names are verified or attested
are enabled; recalled ones are loaded and stay off.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from regions.datafiles import DATA, Record, read_records
from regions.errors import FactError
from regions.joint import JointPlan, load_plans
from regions.limits import Unit
from regions.matter import (
    ApplicantKind,
    DecidesAt,
    Flow,
    HandlingMode,
    Matter,
    PlaceKind,
    Placement,
    Provenance,
    StageLimit,
)
from regions.region import Level

__all__ = [
    "ApplicantKind",
    "Catalogue",
    "DecidesAt",
    "Flow",
    "HandlingMode",
    "Matter",
    "PlaceKind",
    "Placement",
    "Provenance",
    "StageLimit",
    "catalogue",
    "load_catalogue",
]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All matters by code, disabled ones too, and the plans of the joint ones."""

    matters: Mapping[str, Matter]
    plans: Mapping[str, JointPlan]

    def known(self, code: str) -> Matter:
        """A matter, enabled or not; FactError(matter, unknown_matter)."""
        found = self.matters.get(code)
        if found is None:
            raise FactError("matter", "unknown_matter")
        return found

    def matter(self, code: str) -> Matter:
        """An enabled matter; FactError(matter, unknown_matter or matter_disabled)."""
        found = self.known(code)
        if not found.enabled:
            raise FactError("matter", "matter_disabled")
        return found

    def enabled(self) -> tuple[Matter, ...]:
        """The matters that can be filed, in the order of the file."""
        return tuple(m for m in self.matters.values() if m.enabled)

    def plan(self, code: str) -> JointPlan | None:
        """The plan of a joint matter, None for any other."""
        return self.plans.get(code)


def load_catalogue(directory: Path = DATA) -> Catalogue:
    """Read matters.json, placement.csv and joint.toml. Raises DataError."""
    placements = {
        row.key: (row, _placement(row)) for row in read_records(directory, "placement.csv", key="code")
    }
    matters: dict[str, Matter] = {}
    for row in read_records(directory, "matters.json", key="code"):
        placed = placements.pop(row.key, None)
        matter = _matter(row, placed[1] if placed else None)
        if matter.enabled and placed is None:
            raise row.error("code", "is enabled but has no row in placement.csv")
        matters[matter.code] = matter
    for row, _ in placements.values():
        raise row.error("code", "is not a matter of matters.json")
    return Catalogue(MappingProxyType(matters), MappingProxyType(load_plans(matters, directory)))


def _placement(row: Record) -> Placement:
    row.only(
        *("code", "department", "place", "level", "family"),
        *("licensing", "rule", "flow", "status"),
    )
    status = row.choice("status", Provenance)
    if status is Provenance.SOURCE:
        raise row.error("status", "no source gives placements: derived or proposal")
    return Placement(
        row.text("department"),
        row.choice("place", PlaceKind),
        row.choice("level", Level),
        row.text("family"),
        row.flag("licensing"),
        row.optional("rule"),
        row.choice("flow", Flow),
        status,
    )


def _matter(row: Record, placement: Placement | None) -> Matter:
    verification = row.text("name_verification")
    if verification not in ("verified", "attested", "recalled"):
        raise row.error("name_verification", "must be verified, attested or recalled")
    enabled = verification != "recalled"
    return Matter(
        row.text("code"),
        row.text("name_zh"),
        row.text("name_en"),
        row.text("department_zh"),
        row.text("department_en"),
        row.text("domain"),
        row.choice("applicant", ApplicantKind),
        row.choice("handling_mode", HandlingMode),
        row.text("handling_mode_basis") != "source",
        row.choice("decides_at", DecidesAt),
        enabled,
        verification,
        row.text("list_membership"),
        row.optional("source"),
        row.optional("scenario_zh"),
        row.optional("result_document"),
        row.words("materials"),
        row.optional("materials_basis") != "source",
        row.number("promised_working_days"),
        row.number("statutory_working_days"),
        row.number("statutory_calendar_days"),
        tuple(_stage(stage) for stage in row.records("stage_limits")),
        row.words("bundle_of"),
        placement if enabled else None,
    )


def _stage(row: Record) -> StageLimit:
    row.only("stage", "limit", "unit", "source")
    return StageLimit(
        row.text("stage"),
        row.required_number("limit"),
        row.choice("unit", Unit),
        row.text("source"),
    )


@cache
def catalogue() -> Catalogue:
    """The shipped catalogue, loaded once."""
    return load_catalogue()
