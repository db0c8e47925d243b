"""One filing as named columns, the same for the flags of `file` and for a line of a file.

Knows which columns there are and what field each fills. Must not know matters: the node checks. Column
names are those of docs/cli.md.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from nodes.cli.exits import Exit
from nodes.cli.failures import Problem, failure
from nodes.cli.filing.materials import Paper, paper
from nodes.cli.words import both
from regions.matter import PlaceKind
from tongban.v1.case_pb2 import DeliveryWish, Party
from tongban.v1.case_service_pb2 import NewFiling, PlaceFacts

REQUIRED: Final = ("matter", "origin_area", "applicant_name", "applicant_id_no")
PARTY: Final = ("kind", "name", "id_type", "id_no", "phone", "address")
COLUMNS: Final = (
    *("matter", "origin_area", "filed_by", "channel"),
    *(f"applicant_{name}" for name in PARTY),
    *(f"agent_{name}" for name in PARTY),
    *("mandate", "consent", "guide_version", "authority", "delivery_way", "delivery_address"),
    *("reuse_held", "materials"),
)
PLACES: Final = tuple(kind.value for kind in PlaceKind if kind is not PlaceKind.FILING)
_OPEN: Final = re.compile(r"fact_\w{1,64}|part_area_[1-9][0-9]?")
_YES, _NO = {"1", "yes", "true", "y", "是"}, {"0", "no", "false", "n", "否", ""}
_ENUMS: Final[Mapping[str, tuple[str, ...]]] = {
    "filed_by": ("applicant", "window"),
    "channel": ("online", "window", "batch"),
    "applicant_kind": ("person", "enterprise"),
    "agent_kind": ("person", "enterprise"),
    "delivery_way": ("electronic", "courier", "pickup"),
}
MAX_TEXT: Final = 4000
_UNSHOWABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""What no node takes in a text: control and direction marks, half characters, and what has no meaning."""


@dataclass(frozen=True, slots=True)
class Form:
    """A filing as read: the message without its materials, the papers, and who files (applicant, window)."""

    filing: NewFiling
    papers: tuple[Paper, ...]
    filed_by: str


def column_problems(names: list[str]) -> list[Problem]:
    """What is wrong with the columns of a file: unknown, twice, or missing ones."""
    found = []
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            found.append(Problem(name, "COLUMN_TWICE", both("wrong.column_twice")))
        if not is_column(name):
            near = get_close_matches(name, [*COLUMNS, *(f"place_{place}" for place in PLACES)], 1, 0.6)
            said = both("wrong.column_near", near=near[0]) if near else both("wrong.column_unknown")
            found.append(Problem(name, "COLUMN_UNKNOWN", said))
    found += [
        Problem(name, "COLUMN_MISSING", both("wrong.column_missing"))
        for name in REQUIRED
        if name not in names
    ]
    return found


def is_column(name: str) -> bool:
    """Whether a filing may have a column of that name."""
    return name in COLUMNS or name.removeprefix("place_") in PLACES or bool(_OPEN.fullmatch(name))


def read(columns: Mapping[str, str], base: Path, *, channel: str) -> Form:
    """Make a filing of named columns. `base`: where paths of materials start. Raises Failure with a problem
    for each column that cannot be used; nothing that needs the catalogue is checked here.
    """
    values = {name: text.strip() for name, text in columns.items()}
    problems = list(_problems(values))
    papers: list[Paper] = []
    if not problems:
        papers = [
            paper(text, base, "materials") for text in values.get("materials", "").split(";") if text.strip()
        ]
    if problems:
        raise failure(Exit.REFUSED, "bad_filing", problems=problems)
    filed_by = values.get("filed_by") or "applicant"
    filing = NewFiling(
        matter=values["matter"],
        guide_version=values.get("guide_version", ""),
        origin_area=values["origin_area"],
        channel=values.get("channel") or ("window" if filed_by == "window" else channel),
        applicant=_party(values, "applicant"),
        agent=_party(values, "agent") if values.get("agent_name") else None,
        mandate=values.get("mandate", ""),
        consent=values.get("consent", ""),
        places=PlaceFacts(**_with_prefix(values, "place_")),
        facts=_with_prefix(values, "fact_"),
        delivery=DeliveryWish(
            way=values.get("delivery_way") or "electronic", address=values.get("delivery_address", "")
        ),
        authority=values.get("authority", ""),
        part_areas={int(name): area for name, area in _with_prefix(values, "part_area_").items()},
        reuse_held=values.get("reuse_held", "").lower() in _YES,
    )
    return Form(filing, tuple(papers), filed_by)


def _problems(values: Mapping[str, str]) -> Iterator[Problem]:
    for name in REQUIRED:
        if not values.get(name):
            yield Problem(name, "MISSING", both("wrong.empty"))
    for name, text in values.items():
        if not is_column(name):
            yield Problem(name, "COLUMN_UNKNOWN", both("wrong.column_unknown"))
        elif any(unicodedata.category(char) in _UNSHOWABLE for char in text):
            yield Problem(name, "CONTROL_CHARACTER", both("wrong.control"))
        elif len(text) > MAX_TEXT:
            yield Problem(name, "TOO_LONG", both("wrong.too_long", limit=MAX_TEXT))
        elif text and name in _ENUMS and text not in _ENUMS[name]:
            known = ", ".join(_ENUMS[name])
            yield Problem(name, "ONE_OF", both("wrong.one_of_known", known=known))
        elif name == "reuse_held" and text.lower() not in _YES | _NO:
            yield Problem(name, "ONE_OF", both("wrong.one_of_known", known="yes, no"))
        elif text and _is_area(name) and not re.fullmatch(r"[0-9]{6}", text, re.ASCII):
            yield Problem(name, "MALFORMED_CODE", both("wrong.area"))
    if values.get("agent_id_no") and not values.get("agent_name"):
        yield Problem("agent_name", "MISSING", both("wrong.empty"))


def _is_area(name: str) -> bool:
    return name == "origin_area" or name.startswith(("place_", "part_area_"))


def _party(values: Mapping[str, str], who: str) -> Party:
    kind = values.get(f"{who}_kind", "")
    id_type = values.get(f"{who}_id_type") or ("credit_code" if kind == "enterprise" else "identity_card")
    return Party(
        kind=kind or ("enterprise" if id_type == "credit_code" else "person"),
        name=values.get(f"{who}_name", ""),
        id_type=id_type,
        id_no=values.get(f"{who}_id_no", ""),
        phone=values.get(f"{who}_phone", ""),
        address=values.get(f"{who}_address", ""),
    )


def _with_prefix(values: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): text for name, text in values.items() if name.startswith(prefix) and text
    }
