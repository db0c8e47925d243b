"""Who may act in a role: the origin's window, an officer of the authority that decides now, the node.

Knows regions and authorities of the actor against those of the case. That the actor is who he says is the
faces' business, not known here.
"""

from __future__ import annotations

from nodes.cases import commands as c
from nodes.cases.case import Role
from nodes.cases.errors import CaseError, Code
from nodes.cases.filing import Kind
from nodes.cases.moment import Moment

_OF_THE_AUTHORITY = (c.PreCheck, c.Accept, c.StartReview, c.Decide)


def check_actor(m: Moment) -> None:
    """Raises WRONG_REGION, WRONG_AUTHORITY, or NOT_OWNER where the case is not with the authority yet."""
    role = m.actor.role
    if role is Role.WINDOW:
        _region(m, m.case.filing.origin)
    elif role in {Role.OFFICER, Role.HEAD}:
        _with_the_authority(m)
        _region(m, m.region)
        if m.actor.authority != m.case.authority:
            raise CaseError(Code.WRONG_AUTHORITY, "actor.authority", "decides nothing in this case")
    elif role is Role.NODE:
        _node(m)
    elif role in {Role.TIMER, Role.OPERATOR}:
        _region(m, m.region)


def _node(m: Moment) -> None:
    filing = m.case.filing
    if isinstance(m.command, c.Join) or (isinstance(m.command, c.Withdraw) and filing.kind is Kind.PART):
        _region(m, filing.lead_region)
    elif isinstance(m.command, c.Reinstate):
        _region(m, filing.origin, m.region)
    else:
        _region(m, m.region)
        if isinstance(m.command, _OF_THE_AUTHORITY):
            _with_the_authority(m)


def _with_the_authority(m: Moment) -> None:
    if m.case.competent != m.region:
        raise CaseError(Code.NOT_OWNER, "", "the case is not with the competent region")


def _region(m: Moment, *regions: str) -> None:
    if m.actor.region not in regions:
        raise CaseError(Code.WRONG_REGION, "actor.region")
