"""A broken file is named at start, with the key and the reason."""

import shutil
from pathlib import Path

import pytest

from regions.check import verify_data
from regions.datafiles import DATA
from regions.errors import DataError

FAULTS = [
    ("cities.json", '"code": "320100"', '"code": "990100"', "990100.code", "no region"),
    ("cities.json", '"slug": "nanjing"', '"slug": "wuxi"', "slug", "share a slug"),
    ("cities.json", '"name_en": "Nanjing"', '"name_en": ""', "320100.name_en", "missing or empty"),
    ("districts.json", '"city_code": "310000"', '"city_code": "310009"', "310101.city_code", "cities.json"),
    ("districts.json", '"310104"', '"310101"', "row 2.code", "twice"),
    ("provinces.json", "[", "{", "line", "not valid JSON"),
    ("matters.json", '"applicant": "person"', '"applicant": "ghost"', "HF-001.applicant", "one of"),
    ("matters.json", '"unit": "day"', '"unit": "fortnight"', "HF-006.stage_limits[0].unit", "one of"),
    ("matters.json", '"limit": 3', '"limit": 0', "limit", "at least 1"),
    ("matters.json", '"缴存地中心决定"', '"缴存地中心拖延"', "figure", "no such published figure"),
    ("placement.csv", "HF-001,fund_centre", "HF-001,fund_center", "HF-001.department", "departments.csv"),
    (
        "placement.csv",
        "city,query,no,record_extract",
        "town,query,no,record_extract",
        "HF-001.level",
        "one of",
    ),
    ("placement.csv", "record_extract", "always_grant", "HF-001.rule", "not a known rule"),
    ("placement.csv", "HF-002,", "HF-009,", "HF-002.code", "no row in placement.csv"),
    ("placement.csv", "none,derived", "none,source", "HF-001.status", "no source gives placements"),
    ("placement.csv", "HF-001,fund_centre,", "HF-001,fund_centre,x,", "line", "cells"),
    (
        "joint.toml",
        'principal = "decide"',
        'principal = "pay"',
        "plan.HF-006.principal",
        "not one of the parts",
    ),
    (
        "joint.toml",
        '[plan.HF-006]\nrule = "ordered"',
        '[plan.HF-006]\nrule = "first"',
        "plan.HF-006.rule",
        "one of",
    ),
    ("joint.toml", 'needs = ["purchase"]', 'needs = ["decide"]', "parts[1].needs", "come earlier"),
    ("joint.toml", "[plan.HF-014]", "[plan.HF-015]", "HF-014", "no plan"),
    ("joint.toml", 'matter = "HE-002"', 'matter = "PS-005"', "parts[0].matter", "one deciding authority"),
    ("joint.toml", 'department = "culture"', 'department = "opera"', "SS-025.culture", "departments.csv"),
    ("joint.toml", "[plan.HF-006]", "[plan.HF-006", "(file)", "not valid TOML"),
    ("published_limits.csv", "HF-003,statutory_calendar_days", "# HF-003,", "matter=HF-003", "has no row"),
    (
        "published_limits.csv",
        "HF-006,stage,缴存地中心决定,decision,decide",
        "HF-006,stage,缴存地中心决定,decision,pay",
        "part",
        "joint plan",
    ),
    ("published_limits.csv", ",30,,promised,no,", ",30,,promised,yes,", "official", "split"),
    ("materials.csv", "id_card,居民身份证", "id_kard,居民身份证", "code", "not in materials.csv"),
    ("matter_materials.csv", "HF-002,id_card,身份证件", "HF-002,id_card,驾驶证", "source_zh", "no such text"),
    (
        "matter_materials.csv",
        "HF-002,id_card,身份证件,e_id social_card passport,,yes,no,no,derived",
        "HF-002,id_card,身份证件,,,yes,no,no,source",
        "status",
        "no source names",
    ),
    ("matter_materials.csv", ",spouse_joins,", ",spouse_sings,", "condition", "conditions.csv"),
    ("region_33.toml", 'short = "33"', 'short = "32"', "short", "this file's name"),
    ("region_33.toml", "correction = 15", "correction = 0", "limits.correction", "at least 1"),
    ("region_33.toml", "query = 1", "kwery = 1", "decision.family.kwery", "not a known field"),
    ("region_31.toml", '"17:00"', '"5 pm"', "close_of_business", "HH:MM"),
    ("region_31.toml", "PS-001 = 1\n", "PS-999 = 1\n", "PS-999", "not an enabled matter"),
    (
        "region_31.toml",
        'PS-001 = ["household_booklet"]',
        'PS-001 = ["booklet"]',
        "waived.PS-001",
        "materials.csv",
    ),
    (
        "region_31.toml",
        'PS-001 = ["household_booklet"]',
        'HF-005 = ["id_card"]',
        "materials.waived.HF-005",
        "no material",
    ),
    ("region_32.toml", "[city.320500]", "[city.330100]", "city.330100", "not a city of this region"),
    ("region_34.toml", "revision", "# revision", "revision", "missing"),
    ("federation.toml", "value = 20", "value = true", "licensing.decision.value", "whole number"),
    ("documents.csv", '"[A-Z0-9]{6,12}"', "[A-Z0-9", "passport.pattern", "regular expression"),
    ("places.csv", "birth,出生地", "# birth,出生地", "kind", "birth"),
    ("departments.csv", "{area}住房公积金管理中心", "住房公积金管理中心", "fund_centre.name_zh", "{area}"),
    ("calendar.toml", '"05-02"', '"05-32"', "fixed_holidays", "MM-DD"),
]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA, tmp_path / "data"))


@pytest.mark.parametrize(("file", "old", "new", "key", "reason"), FAULTS)
def test_a_fault_is_named(directory: Path, file: str, old: str, new: str, key: str, reason: str) -> None:
    path = directory / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(DataError) as caught:
        verify_data(directory)
    said = caught.value
    assert key in said.key
    assert reason in said.reason
    assert str(said) == f"{said.file}: {said.key}: {said.reason}"
    names_the_file = said.file == file or file in {"matters.json", "materials.csv", "placement.csv"}
    assert names_the_file


@pytest.mark.parametrize("file", sorted(path.name for path in DATA.iterdir()))
def test_a_missing_file_is_named(directory: Path, file: str) -> None:
    (directory / file).unlink()
    with pytest.raises(DataError) as caught:
        verify_data(directory)
    assert (caught.value.file, caught.value.reason) == (file, "is missing")


@pytest.mark.parametrize("file", sorted(path.name for path in DATA.iterdir()))
def test_a_file_in_another_encoding_is_named(directory: Path, file: str) -> None:
    (directory / file).write_bytes("收件地".encode("gbk"))
    with pytest.raises(DataError) as caught:
        verify_data(directory)
    assert (caught.value.file, caught.value.reason) == (file, "is not UTF-8 text")


@pytest.mark.parametrize("file", sorted(path.name for path in DATA.glob("*.csv")))
def test_an_empty_table_is_named(directory: Path, file: str) -> None:
    (directory / file).write_text("# nothing\n", "utf-8")
    with pytest.raises(DataError) as caught:
        verify_data(directory)
    assert (caught.value.file, caught.value.reason) == (file, "has no header line")


def test_what_is_shipped_is_whole() -> None:
    assert len(verify_data().catalogue.enabled()) == 126
