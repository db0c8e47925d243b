"""All facts, read and put together once: what a node does before it answers anybody.

Knows how to find every broken entry at start, with file, key and reason. Must not know
settings or nodes.
"""

from pathlib import Path

from regions.authorities import load_departments
from regions.calendar import load_calendar
from regions.catalog import Catalogue
from regions.datafiles import DATA
from regions.errors import DataError
from regions.guidebook import Guidebook, guidebook, load_guidebook
from regions.identifiers import load_document_shapes
from regions.matter import HandlingMode
from regions.placekinds import load_place_terms
from regions.rules import rules


def verify_data(directory: Path = DATA) -> Guidebook:
    """Load every file and build every matter's guides in every region.

    Returns what was loaded: of the shipped facts, what everybody has. Raises DataError for the first fault.
    """
    book = guidebook() if directory == DATA else load_guidebook(directory)
    load_calendar(directory)
    load_document_shapes(directory)
    load_place_terms(directory)
    _check_departments(book.catalogue, directory)
    _check_rules(book.catalogue)
    for short in book.atlas.regions:
        county = next(county for county in book.atlas.counties.values() if county.region == short)
        for matter in book.catalogue.enabled():
            _check_guides(book, matter.code, county.code)
    return book


def _check_departments(catalogue: Catalogue, directory: Path) -> None:
    kinds = load_departments(directory)
    for matter in catalogue.enabled():
        if matter.where.department not in kinds:
            raise DataError("placement.csv", f"{matter.code}.department", "is not in departments.csv")
    for plan in catalogue.plans.values():
        for part in plan.parts:
            if part.department not in kinds:
                key = f"plan.{plan.matter}.{part.code}.department"
                raise DataError("joint.toml", key, "is not in departments.csv")


def _check_rules(catalogue: Catalogue) -> None:
    for matter in catalogue.enabled():
        named = matter.where.rule
        if named is None:
            continue
        if named not in rules():
            raise DataError("placement.csv", f"{matter.code}.rule", f"{named} is not a known rule")
        if matter.mode is HandlingMode.JOINT:
            raise DataError("placement.csv", f"{matter.code}.rule", "a joint matter is decided by its parts")


def _check_guides(book: Guidebook, code: str, county: str) -> None:
    plan = book.catalogue.plan(code)
    guides = [book.build(code, county)]
    guides += [book.build(code, county, part.code) for part in plan.parts] if plan else []
    for guide in guides:
        if not guide.materials:
            reason = f"no material is left in region {guide.region}"
            raise DataError(f"region_{guide.region}.toml", f"materials.waived.{code}", reason)
