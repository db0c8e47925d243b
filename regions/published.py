"""What each published figure means for a clock.

Knows how the figures of matters.json are mapped (published_limits.csv, authored) to a use, a
part of a joint matter, a start and an end, and regions, or to no clock at all. Must not
choose between limits: `guidebook` takes the strictest. Stages are never summed; a total of
two sides is split there by a row, or starts no clock.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from regions.datafiles import DATA, Record, read_records
from regions.joint import JointPlan
from regions.limits import BasisKind, Limit, Unit
from regions.matter import Matter

_TOTALS = ("promised_working_days", "statutory_working_days", "statutory_calendar_days")
_KNOWN = (
    *("matter", "figure", "stage_zh", "use", "part", "start", "end", "regions", "value", "unit"),
    *("basis", "official", "basis_zh", "basis_en", "note"),
)


class Use(StrEnum):
    """Which clock a published figure drives; none: it starts no clock."""

    DECISION = "decision"
    EXTENSION = "extension"
    DELIVERY = "delivery"
    HANDLING = "handling"
    APPROVAL = "approval"
    PUSH = "push"
    INFORM = "inform"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class PublishedLimit:
    """One mapped figure.

    part: of the joint plan, None for the matter itself; start, end: the events between which
    it runs; regions: short codes, empty for all; limit: None exactly where use is NONE, and
    note then says why.
    """

    matter: str
    figure: str
    stage_zh: str
    use: Use
    part: str | None
    start: str
    end: str
    regions: tuple[str, ...]
    limit: Limit | None
    note: str

    def applies(self, part: str | None, region: str) -> bool:
        """Whether it runs for that part in that region (short code)."""
        return self.part == part and (not self.regions or region in self.regions)


def load_published(
    matters: Mapping[str, Matter], plans: Mapping[str, JointPlan], directory: Path = DATA
) -> Mapping[str, tuple[PublishedLimit, ...]]:
    """The mapped figures of each enabled matter. Raises DataError.

    Every figure of an enabled matter must have a row, and every row a figure.
    """
    found: dict[str, list[PublishedLimit]] = {}
    rows = read_records(directory, "published_limits.csv")
    for row in rows:
        row.only(*_KNOWN)
        code = row.text("matter")
        matter = matters.get(code)
        if matter is None or not matter.enabled:
            raise row.error("matter", f"{code} is not an enabled matter")
        found.setdefault(code, []).append(_mapped(row, matter, plans.get(code)))
    for matter in matters.values():
        if matter.enabled:
            mapped = {(p.figure, p.stage_zh) for p in found.get(matter.code, ())}
            for figure, stage, value, _ in _figures(matter):
                if (figure, stage) not in mapped:
                    reason = f"the published figure {figure} {stage} ({value}) has no row"
                    raise rows[0].error(f"matter={matter.code}", reason)
    return {code: tuple(limits) for code, limits in found.items()}


def _figures(matter: Matter) -> Iterator[tuple[str, str, int, Unit]]:
    for figure in _TOTALS:
        value = getattr(matter, figure)
        if value is not None:
            calendar = figure == "statutory_calendar_days"
            yield figure, "", value, Unit.CALENDAR_DAY if calendar else Unit.WORKING_DAY
    for stage in matter.stages:
        yield "stage", stage.stage_zh, stage.value, stage.unit


def _mapped(row: Record, matter: Matter, plan: JointPlan | None) -> PublishedLimit:
    figure, stage = row.text("figure"), row.optional("stage_zh") or ""
    use, part = row.choice("use", Use), row.optional("part")
    value, unit = row.number("value"), row.optional("unit") and row.choice("unit", Unit)
    if figure != "derived":
        known = {(f, s): (v, u) for f, s, v, u in _figures(matter)}
        if (figure, stage) not in known:
            raise row.error("figure", f"{matter.code} has no such published figure")
        published, published_unit = known[figure, stage]
        changed = value not in (None, published)
        value, unit = value or published, unit or published_unit
        if changed and row.flag("official"):
            raise row.error("official", "a figure that was split is not the published one")
    elif row.flag("official"):
        raise row.error("official", "a derived figure is not a published one")
    if part is not None and (plan is None or plan.part(part) is None):
        raise row.error("part", "is not a part of the joint plan")
    if plan is not None and part is None and use is not Use.NONE:
        raise row.error("part", "a limit of a joint matter belongs to one of its parts")
    if use is Use.NONE:
        note = row.text("note")
        return PublishedLimit(matter.code, figure, stage, use, part, "", "", (), None, note)
    if value is None or not unit:
        raise row.error("value", "a derived figure needs value and unit")
    kind = row.choice("basis", BasisKind)
    limit = Limit(value, unit, kind, row.text("basis_zh"), row.text("basis_en"), row.flag("official"))
    ends = (row.text("start"), row.text("end"))
    note = row.optional("note") or ""
    return PublishedLimit(matter.code, figure, stage, use, part, *ends, row.words("regions"), limit, note)
