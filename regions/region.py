"""The federation's map: four regions, 41 cities, 329 county-level units.

Knows area codes (GB/T 2260) and their names. Must not know matters or authorities.
Cities are keyed by code: two are called Suzhou (苏州, 宿州) and two Taizhou (泰州, 台州).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType

from regions.datafiles import DATA, Record, read_records
from regions.errors import DataError, FactError


class Level(StrEnum):
    """Level of a place or of an authority."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"


@dataclass(frozen=True, slots=True)
class Region:
    """A province of the federation. `short` ("32") is its id everywhere; `code` is 320000."""

    code: str
    short: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class City:
    """One of the 41. `code` is the key (Shanghai: 310000); `region` the region's short code."""

    code: str
    prefecture_code: str
    name_zh: str
    name_en: str
    slug: str
    region: str


@dataclass(frozen=True, slots=True)
class County:
    """A county-level unit; `city` is the city's code, `region` the region's short code."""

    code: str
    name_zh: str
    city: str
    region: str


@dataclass(frozen=True, slots=True)
class Place:
    """An area code resolved. `city`, `county` are codes, None above that level.

    `level` is the most precise level that the code names; Shanghai's 310000 is a
    region and a city at once and counts as a city.
    """

    code: str
    level: Level
    name_zh: str
    name_en: str
    region: str
    city: str | None
    county: str | None

    def at(self, level: Level) -> str | None:
        """The code of this place at `level`, or None when the code is not precise enough."""
        if level is Level.PROVINCE:
            return f"{self.region}0000"
        return self.city if level is Level.CITY else self.county


@dataclass(frozen=True, slots=True)
class Atlas:
    """All places, by code. Build with `load_atlas`; the shipped one is `atlas()`."""

    regions: Mapping[str, Region]
    cities: Mapping[str, City]
    counties: Mapping[str, County]
    provinces: Mapping[str, str]
    retired: Mapping[str, str]

    def region(self, short_or_code: str) -> Region:
        """The region of "32" or "320000"; FactError(region, unknown_region) otherwise."""
        found = self.regions.get(short_or_code[:2])
        if found is None or short_or_code not in (found.short, found.code):
            raise FactError("region", "unknown_region")
        return found

    def place(self, code: str, field: str = "place") -> Place:
        """Resolve an area code.

        Raises FactError(field, reason): malformed_code, outside_federation, retired_code,
        unknown_code.
        """
        if len(code) != 6 or not (code.isascii() and code.isdigit()):
            raise FactError(field, "malformed_code")
        county = self.counties.get(code)
        city = self.cities.get(county.city if county else code)
        region = self.regions.get(code[:2])
        if region is None:
            known = code[:2] in self.provinces
            raise FactError(field, "outside_federation" if known else "unknown_code")
        if city is None and code != region.code:
            raise FactError(field, "retired_code" if code in self.retired else "unknown_code")
        zh, en = region.name_zh, region.name_en
        if city is not None and city.code != region.code:
            zh, en = zh + city.name_zh, city.name_en
        if county is None:
            level = Level.CITY if city else Level.PROVINCE
            return Place(code, level, zh, en, region.short, city.code if city else None, None)
        assert city is not None  # counties are checked against cities when loaded
        zh, en = zh + county.name_zh, f"{county.name_zh}, {en}"
        return Place(code, Level.COUNTY, zh, en, region.short, city.code, county.code)

    def counties_of(self, city: str) -> tuple[County, ...]:
        """The county-level units of a city, in order of code."""
        return tuple(c for c in self.counties.values() if c.city == city)

    def cities_of(self, short: str) -> tuple[City, ...]:
        """The cities of a region, in order of code."""
        return tuple(c for c in self.cities.values() if c.region == short)


def load_atlas(directory: Path = DATA) -> Atlas:
    """Read provinces.json, cities.json, districts.json, retired_areas.csv; DataError if broken."""
    provinces, regions = _provinces(read_records(directory, "provinces.json", key="code"))
    cities = _cities(read_records(directory, "cities.json", key="code"), regions)
    counties = _counties(read_records(directory, "districts.json", key="code"), cities)
    _check_prefectures(cities)
    retired = {
        row.text("code"): row.text("name_zh")
        for row in read_records(directory, "retired_areas.csv", key="code")
    }
    frozen = MappingProxyType
    return Atlas(frozen(regions), frozen(cities), frozen(counties), frozen(provinces), frozen(retired))


def _provinces(rows: tuple[Record, ...]) -> tuple[dict[str, str], dict[str, Region]]:
    names = {r.text("short_code"): r.text("name_zh") for r in rows if r.flag("in_gbt2260")}
    regions = {}
    for row in rows:
        if row.flag("yangtze_delta"):
            short = row.text("short_code")
            if row.text("code") != f"{short}0000":
                raise row.error("code", "must be the short code followed by 0000")
            regions[short] = Region(row.text("code"), short, row.text("name_zh"), row.text("name_en"))
    return names, regions


def _cities(rows: tuple[Record, ...], regions: Mapping[str, Region]) -> dict[str, City]:
    cities: dict[str, City] = {}
    for row in rows:
        code = row.text("code")
        if code[:2] not in regions:
            raise row.error("code", "lies in no region of the federation")
        cities[code] = City(
            code,
            row.text("prefecture_code"),
            row.text("name_zh"),
            row.text("name_en"),
            row.text("slug"),
            code[:2],
        )
    return cities


def _counties(rows: tuple[Record, ...], cities: Mapping[str, City]) -> dict[str, County]:
    counties: dict[str, County] = {}
    for row in rows:
        city = row.text("city_code")
        if city not in cities:
            raise row.error("city_code", "is not one of cities.json")
        counties[row.text("code")] = County(row.text("code"), row.text("name_zh"), city, city[:2])
    return counties


def _check_prefectures(cities: Mapping[str, City]) -> None:
    seen = {city.slug for city in cities.values()}
    if len(seen) != len(cities):
        raise DataError("cities.json", "slug", "two cities share a slug")


@cache
def atlas() -> Atlas:
    """The shipped map, loaded once."""
    return load_atlas()


def region(short_or_code: str) -> Region:
    """The region of "32" or "320000". FactError(region, unknown_region) otherwise."""
    return atlas().region(short_or_code)


def place(code: str, field: str = "place") -> Place:
    """The place of an area code; see `Atlas.place` for the reasons of FactError."""
    return atlas().place(code, field)
