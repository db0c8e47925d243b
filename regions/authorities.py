"""Authorities: the bodies that decide, named by department and area.

Knows kinds of departments and how a name is derived from kind and area. Must not know which
of them is competent (`directory`). There is no register of authorities at hand: names are
derived and marked so, and no credit code is invented for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from regions.datafiles import DATA, read_records
from regions.errors import FactError
from regions.region import Atlas, Level, atlas

ONE_STOP = "one_stop"


@dataclass(frozen=True, slots=True)
class Authority:
    """The body that decides. code: department kind and area code ("police-320509")."""

    code: str
    department: str
    name_zh: str
    name_en: str
    region: str
    area: str
    level: Level
    name_derived: bool = True


@dataclass(frozen=True, slots=True)
class Department:
    """A kind of authority. The names hold {area}."""

    kind: str
    name_zh: str
    name_en: str


def load_departments(directory: Path = DATA) -> Mapping[str, Department]:
    """Read departments.csv. Raises DataError."""
    found = {}
    for row in read_records(directory, "departments.csv", key="kind"):
        row.only("kind", "name_zh", "name_en")
        for field in ("name_zh", "name_en"):
            if "{area}" not in row.text(field):
                raise row.error(field, "must hold {area}")
        found[row.key] = Department(row.key, row.text("name_zh"), row.text("name_en"))
    return found


@cache
def departments() -> Mapping[str, Department]:
    """The shipped kinds, loaded once."""
    return load_departments()


def authority(department: str, area: str, places: Atlas | None = None) -> Authority:
    """The authority of that kind at that area.

    Raises FactError: authority unknown_department, or the reasons of `Atlas.place`.
    """
    kind = departments().get(department)
    if kind is None:
        raise FactError("authority", "unknown_department")
    known = places or atlas()
    place = known.place(area, "authority")
    region = known.region(place.region)
    # A county of a municipality keeps the municipality's name: 上海市浦东新区.
    short = place.city is not None and place.city != region.code
    zh = place.name_zh.removeprefix(region.name_zh) if short else place.name_zh
    return Authority(
        f"{department}-{area}",
        department,
        kind.name_zh.format(area=zh),
        kind.name_en.format(area=place.name_en),
        place.region,
        area,
        place.level,
    )


def authority_of(code: str) -> Authority:
    """The authority of a code such as "police-320509".

    Raises FactError(authority, malformed_code, unknown_department or a reason of the area).
    """
    department, dash, area = code.rpartition("-")
    if not dash:
        raise FactError("authority", "malformed_code")
    return authority(department, area)


def lead_authority(filing: str) -> Authority:
    """Who leads a joint case: the service centre of the filing city, whatever the parts are."""
    place = atlas().place(filing, "filing")
    city = place.at(Level.CITY)
    if city is None:
        raise FactError("filing", "not_precise_enough")
    return authority(ONE_STOP, city)
