"""The facts that the generator works from: the data files of regions/data, read anew.

Knows file formats and names of columns. Must not know what follows from a fact (`competence`, `limits`).
Imports nothing of the service.
"""

import csv
import json
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[2] / "regions" / "data"
REGIONS = ("31", "32", "33", "34")

Row = Mapping[str, Any]


def _json(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((DATA / name).read_text("utf-8"))
    return rows


def _csv(name: str) -> list[dict[str, str]]:
    lines = (DATA / name).read_text("utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / name).read_text("utf-8"))


@cache
def matters() -> dict[str, dict[str, Any]]:
    """Every matter whose name was read in a source, by code."""
    return {m["code"]: m for m in _json("matters.json") if m["name_verification"] != "recalled"}


@cache
def disabled() -> tuple[str, ...]:
    """Codes of matters that are only recalled: loaded, but off."""
    return tuple(m["code"] for m in _json("matters.json") if m["name_verification"] == "recalled")


@cache
def placements() -> dict[str, dict[str, str]]:
    """department, place, level, family, licensing, rule of each matter."""
    return {row["code"]: row for row in _csv("placement.csv")}


@cache
def plans() -> dict[str, dict[str, Any]]:
    """Joint plans by matter: rule, principal, parts; each part with department, place and level."""
    found: dict[str, dict[str, Any]] = {}
    for code, plan in _toml("joint.toml")["plan"].items():
        parts = []
        for part in plan["parts"]:
            own = placements()[part["matter"]] if "matter" in part else part
            at = {name: own[name] for name in ("department", "place", "level")}
            parts.append({"needs": [], "supplied": [], **part, **at, "side": "matter" not in part})
        found[code] = {**plan, "parts": parts}
    return found


@cache
def published() -> dict[str, list[dict[str, str]]]:
    """Rows of published_limits.csv by matter."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in _csv("published_limits.csv"):
        found.setdefault(row["matter"], []).append(row)
    return found


@cache
def settings(region: str) -> dict[str, Any]:
    """What a province set for itself."""
    return _toml(f"region_{region}.toml")


@cache
def federation() -> dict[str, Any]:
    """What holds everywhere."""
    return _toml("federation.toml")


@cache
def materials() -> dict[str, list[dict[str, str]]]:
    """Rows of matter_materials.csv by matter, in order."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in _csv("matter_materials.csv"):
        found.setdefault(row["matter"], []).append(row)
    return found


@cache
def cities() -> tuple[str, ...]:
    """Codes of the 41 cities, in order."""
    return tuple(row["code"] for row in _json("cities.json"))


@cache
def counties() -> dict[str, tuple[str, ...]]:
    """Codes of county-level units by city."""
    found: dict[str, list[str]] = {}
    for row in _json("districts.json"):
        found.setdefault(row["city_code"], []).append(row["code"])
    return {city: tuple(codes) for city, codes in found.items()}


@cache
def city_of() -> dict[str, str]:
    """County code -> city code; a city stands for itself."""
    own = {city: city for city in cities()}
    return own | {county: city for city, codes in counties().items() for county in codes}
