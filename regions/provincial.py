"""What a province sets for itself, and what the federation sets for all.

Knows region_NN.toml (edited by that province's clerk) and federation.toml. Must not know
which limit wins. Everything a province sets is "set by the handling body", never law;
容缺 and deemed withdrawal exist only where a file names the provincial rule.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path

from regions.datafiles import DATA, Record, read_table
from regions.guide import StepCode
from regions.limits import BasisKind, Limit, Unit, YellowKind, YellowRule
from regions.matter import Matter
from regions.region import Atlas


@dataclass(frozen=True, slots=True)
class CitySettings:
    """What a city's own bodies set differently. decisions: working days by matter."""

    close_of_business: time | None
    decisions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RegionSettings:
    """One province's file.

    families, decisions: working days by family and by matter; correction, procedure, lead:
    limits set by the handling body; lack: None without 容缺; deemed_withdrawal: zh and en
    basis of the rule, None without it; contact: None where the federation's rule holds;
    waived, extra: material codes by matter; close_of_business None: 24:00.
    """

    short: str
    revision: str
    close_of_business: time | None
    grace_working_days: int
    correction: Limit
    procedure: Limit
    lead: Limit
    lack: Limit | None
    contact: Limit | None
    deemed_withdrawal: tuple[str, str] | None
    step_share: Mapping[StepCode, int]
    yellow: YellowRule
    yellow_by_matter: Mapping[str, YellowRule]
    families: Mapping[str, int]
    decisions: Mapping[str, int]
    waived: Mapping[str, tuple[str, ...]]
    extra: Mapping[str, tuple[str, ...]]
    cities: Mapping[str, CitySettings]


@dataclass(frozen=True, slots=True)
class FederationLimits:
    """The law for licensing matters (first three), and the federation's rules for the rest."""

    licensing_notice: Limit
    licensing_decision: Limit
    licensing_extension: Limit
    licensing_delivery: Limit
    notice: Limit
    delivery: Limit
    contact: Limit


def set_by_body(days: int) -> Limit:
    """A limit of so many working days, set by the handling body."""
    return Limit(
        days,
        Unit.WORKING_DAY,
        BasisKind.HANDLING_BODY,
        "办理机关设定",
        "set by the handling body",
        official=False,
    )


def load_federation(directory: Path = DATA) -> FederationLimits:
    """Read federation.toml. Raises DataError."""
    top = read_table(directory, "federation.toml")
    top.only("licensing", "federation")
    law, own = top.table("licensing"), top.table("federation")
    law.only("status", "notice", "decision", "extension", "delivery")
    own.only("status", "notice", "delivery", "contact")
    statutory = [
        _limit(law.table(name), BasisKind.STATUTORY, official=True)
        for name in ("notice", "decision", "extension", "delivery")
    ]
    rules = [
        _limit(own.table(name), BasisKind.FEDERATION_RULE, official=False)
        for name in ("notice", "delivery", "contact")
    ]
    return FederationLimits(*statutory, *rules)


def load_region_settings(
    atlas: Atlas, matters: Mapping[str, Matter], terms: Collection[str], directory: Path = DATA
) -> Mapping[str, RegionSettings]:
    """Read region_NN.toml of every region of the map. Raises DataError."""
    found = {}
    for short in atlas.regions:
        settings = _settings(read_table(directory, f"region_{short}.toml"), atlas, matters, terms)
        found[short] = settings
    return found


def _settings(
    top: Record, atlas: Atlas, matters: Mapping[str, Matter], terms: Collection[str]
) -> RegionSettings:
    top.only(
        *("short", "revision", "status", "close_of_business", "grace_working_days", "limits"),
        *("step_share", "yellow", "deemed_withdrawal", "lack", "contact", "materials"),
        *("decision", "city"),
    )
    short = top.text("short")
    if top.file != f"region_{short}.toml":
        raise top.error("short", "is not the region of this file's name")
    if top.text("status") != "proposal":
        raise top.error("status", "must be proposal")
    limits, decision = top.table("limits"), top.table("decision")
    limits.only("correction", "procedure", "lead")
    decision.only("family", "matter")
    materials, yellow = top.table("materials"), top.table("yellow")
    materials.only("waived", "extra")
    yellow.only("kind", "value", "matter")
    deemed = top.table("deemed_withdrawal")
    lack, contact = top.table("lack"), top.table("contact")
    return RegionSettings(
        short=short,
        revision=top.text("revision"),
        close_of_business=_clock(top),
        grace_working_days=top.required_number("grace_working_days"),
        correction=set_by_body(limits.required_number("correction")),
        procedure=set_by_body(limits.required_number("procedure")),
        lead=set_by_body(limits.required_number("lead")),
        lack=_limit(lack, BasisKind.HANDLING_BODY, official=False) if lack.fields else None,
        contact=_limit(contact, BasisKind.STATUTORY, official=True) if contact.fields else None,
        deemed_withdrawal=(deemed.text("basis_zh"), deemed.text("basis_en")) if deemed.fields else None,
        step_share=_shares(top.table("step_share")),
        yellow=_yellow(yellow),
        yellow_by_matter={
            code: _yellow(yellow.table("matter").table(code))
            for code in _enabled(yellow.table("matter"), matters)
        },
        families=_families(decision.table("family"), matters),
        decisions=_decisions(decision.table("matter"), matters),
        waived=_codes(materials.table("waived"), matters, terms),
        extra=_codes(materials.table("extra"), matters, terms),
        cities=_cities(top.table("city"), short, atlas, matters),
    )


def _limit(row: Record, kind: BasisKind, *, official: bool) -> Limit:
    row.only("value", "unit", "basis_zh", "basis_en")
    value, unit = row.required_number("value"), row.choice("unit", Unit)
    return Limit(value, unit, kind, row.text("basis_zh"), row.text("basis_en"), official)


def _clock(row: Record) -> time | None:
    text = row.optional("close_of_business")
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007  # a time of day has no zone
    except ValueError:
        raise row.error("close_of_business", "must be HH:MM, or empty for 24:00") from None


def _shares(row: Record) -> dict[StepCode, int]:
    row.only(*(code.value for code in StepCode))
    shares = {code: row.required_number(code.value) for code in StepCode}
    if max(shares.values()) > 100:
        raise row.error("handling", "no step may have more than 100 percent")
    return shares


def _yellow(row: Record) -> YellowRule:
    kind, value = row.choice("kind", YellowKind), row.required_number("value")
    if kind is YellowKind.SHARE and value > 100:
        raise row.error("value", "is a percentage")
    return YellowRule(kind, value)


def _enabled(row: Record, matters: Mapping[str, Matter]) -> tuple[str, ...]:
    for code in row.fields:
        if code not in matters or not matters[code].enabled:
            raise row.error(code, "is not an enabled matter")
    return tuple(row.fields)


def _families(row: Record, matters: Mapping[str, Matter]) -> dict[str, int]:
    families = sorted({m.where.family for m in matters.values() if m.enabled})
    row.only(*families)
    return {family: row.required_number(family) for family in families}


def _decisions(row: Record, matters: Mapping[str, Matter]) -> dict[str, int]:
    return {code: row.required_number(code) for code in _enabled(row, matters)}


def _codes(row: Record, matters: Mapping[str, Matter], terms: Collection[str]) -> dict[str, tuple[str, ...]]:
    found = {code: row.words(code) for code in _enabled(row, matters)}
    for code, materials in found.items():
        for material in materials:
            if material not in terms:
                raise row.error(code, f"{material} is not in materials.csv")
    return found


def _cities(row: Record, short: str, atlas: Atlas, matters: Mapping[str, Matter]) -> dict[str, CitySettings]:
    found = {}
    for code in row.fields:
        if code not in atlas.cities or atlas.cities[code].region != short:
            raise row.error(code, "is not a city of this region")
        city = row.table(code)
        city.only("close_of_business", "decision")
        found[code] = CitySettings(_clock(city), _decisions(city.table("decision"), matters))
    return found
