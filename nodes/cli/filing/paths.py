"""Which column of a file, and which flag of `file`, fills a field of the contract.

Knows dotted paths as refusals name them. Must not know what is wrong with a field.
"""

from types import MappingProxyType
from typing import Final

from nodes.cli.filing.form import is_column

FLAGS: Final = MappingProxyType(
    {
        "matter": "--matter",
        "origin_area": "--origin",
        "applicant_name": "--name",
        "applicant_id_no": "--id",
        "applicant_id_type": "--id-type",
        "applicant_kind": "--kind",
        "applicant_phone": "--phone",
        "applicant_address": "--address",
        "agent_name": "--agent",
        "agent_id_no": "--agent-id",
        "agent_id_type": "--agent-id-type",
        "agent_phone": "--agent-phone",
        "mandate": "--mandate",
        "consent": "--consent",
        "guide_version": "--guide",
        "authority": "--believed",
        "delivery_way": "--deliver",
        "delivery_address": "--deliver-to",
        "reuse_held": "--reuse",
        "filed_by": "--window",
        "channel": "--window",
        "materials": "--material",
    }
)
"""Flags by column, those with a name in them left out."""


def column_of(field: str) -> str:
    """The column of a field: filing.applicant.id_no -> applicant_id_no; "" where there is none."""
    match field.removeprefix("filing.").split("."):
        case [("applicant" | "agent" | "delivery") as who, name]:
            found = f"{who}_{name}"
        case [("applicant" | "agent") as who]:
            found = f"{who}_name"
        case ["places", name]:
            found = f"place_{name}"
        case ["facts", name]:
            found = f"fact_{name}"
        case ["part_areas", name]:
            found = f"part_area_{name}"
        case ["materials", *_]:
            found = "materials"
        case [name]:
            found = name
        case _:
            found = ""
    return found if is_column(found) else ""


def flag_of(field: str) -> str:
    """The flag that fills a field or a column, spelled out: filing.places.insured -> "--place insured=AREA";
    "" where there is none.
    """
    column = column_of(field)
    for prefix, flag, value in (
        ("place_", "--place", "AREA"),
        ("part_area_", "--part-area", "AREA"),
        ("fact_", "--fact", "VALUE"),
    ):
        if column.startswith(prefix):
            return f"{flag} {column.removeprefix(prefix)}={value}"
    return FLAGS.get(column, "")
