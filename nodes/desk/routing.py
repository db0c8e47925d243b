"""Whether a case that was handed over belongs here, and where one that was given back belongs now.

Knows the facts of the regions. Must not know cases' tables nor how an answer is sent: competence follows from
what the applicant said and from the guide, never from who sent the case.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from nodes.cases.case import Case
from nodes.cases.commands import HandOver
from nodes.cases.filing import Filing, Kind
from nodes.desk.intake import PLACE, settled
from regions.authorities import authority_of
from regions.catalog import catalogue
from regions.directory import ApplicantFacts, competent
from regions.errors import FieldError
from regions.guidebook import guide

NOT_COMPETENT: Final = "NOT_COMPETENT"
MATTER_UNKNOWN: Final = "MATTER_UNKNOWN"


def refusal_of(region: str) -> Callable[[Case], str]:
    """Why `region` does not take a case that was handed to it, "" when it does: the authority that the
    handover names must be the one that its own facts name for the matter at that authority's place, whatever
    guide version the origin has. Which place it is, the origin or its operator says.
    """

    def refuse(case: Case) -> str:
        filing = case.filing
        plan = catalogue().plan(filing.matter) if filing.kind is Kind.PART else None
        try:
            part = plan.parts[filing.part_index - 1].code if plan is not None else None
            theirs = guide(filing.matter, authority_of(case.authority).area, part)
        except (FieldError, IndexError):
            return MATTER_UNKNOWN
        return "" if (theirs.region, theirs.authority) == (region, case.authority) else NOT_COMPETENT

    return refuse


def route(filing: Filing) -> tuple[str, str] | None:
    """(region, authority) that decides it by the facts as this node has them now; None when they do not say,
    and for a part, whose place was chosen with its lead.
    """
    if filing.kind is Kind.PART:
        return None
    said = {name.removeprefix(PLACE): value for name, value in filing.facts if name.startswith(PLACE)}
    try:
        found = settled(competent(filing.matter, ApplicantFacts.of(said), filing.origin_area), [])
    except FieldError:
        return None
    return (found.region, found.authority.code) if found is not None else None


def given_back(case: Case, region: str) -> bool:
    """Whether the case came back to `region`, because whom it was handed to did not take it."""
    spent = bool(case.spent_handovers) and not case.competent
    return case.open and case.owner == region and spent and not case.awaiting_receipt


def handed_anew(case: Case, handover_id: str) -> HandOver | None:
    """The handover to where a case that was given back belongs by the facts of today; None when they still
    name whom it was handed to: then an operator hands it over or refuses it.
    """
    to = route(case.filing)
    if to is None or to == (case.filing.competent, case.filing.authority):
        return None
    return HandOver(*to, handover_id)
