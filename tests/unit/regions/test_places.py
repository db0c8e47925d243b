"""The map: four regions, 41 cities, 329 county-level units, keyed by code."""

from collections import Counter

import pytest

from regions.errors import FactError
from regions.region import Level, atlas, place, region


def test_the_federation_has_four_regions_41_cities_and_329_counties() -> None:
    known = atlas()
    assert sorted(known.regions) == ["31", "32", "33", "34"]
    assert len(known.cities) == 41
    assert len(known.counties) == 329
    per_region = Counter(city.region for city in known.cities.values())
    assert per_region == {"31": 1, "32": 13, "33": 11, "34": 16}


def test_a_region_is_found_by_short_and_by_long_code() -> None:
    assert region("32") is region("320000")
    assert region("32").name_en == "Jiangsu"


@pytest.mark.parametrize("code", ["35", "320100", "", "3", "3200000"])
def test_an_unknown_region_is_refused(code: str) -> None:
    with pytest.raises(FactError) as caught:
        region(code)
    assert (caught.value.field, caught.value.reason) == ("region", "unknown_region")


def test_cities_of_the_same_pinyin_stay_apart() -> None:
    known = atlas()
    assert known.cities["320500"].name_zh == "苏州市"
    assert known.cities["341300"].name_zh == "宿州市"
    slugs = [city.slug for city in known.cities.values()]
    assert len(set(slugs)) == len(slugs)


def test_a_county_rolls_up_to_city_and_province() -> None:
    wujiang = place("320509")
    assert wujiang.name_zh == "江苏省苏州市吴江区"
    assert [wujiang.at(level) for level in (Level.PROVINCE, Level.CITY, Level.COUNTY)] == [
        "320000",
        "320500",
        "320509",
    ]


def test_shanghai_is_a_region_and_a_city_at_once() -> None:
    assert place("310000").at(Level.CITY) == "310000"
    assert place("310000").at(Level.PROVINCE) == "310000"
    assert place("310115").city == "310000"
    assert place("310115").name_zh == "上海市浦东新区"


def test_a_province_code_names_no_city() -> None:
    assert place("340000").at(Level.CITY) is None
    assert place("340000").at(Level.COUNTY) is None


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("330104", "retired_code"),
        ("341400", "retired_code"),
        ("320599", "unknown_code"),
        ("110105", "outside_federation"),
        ("990000", "unknown_code"),
        ("32050", "malformed_code"),
        ("３２０５００", "malformed_code"),
        ("32050a", "malformed_code"),
    ],
)
def test_a_code_that_names_no_place_is_refused_with_its_reason(code: str, reason: str) -> None:
    with pytest.raises(FactError) as caught:
        place(code, "household")
    assert (caught.value.field, caught.value.reason) == ("household", reason)
