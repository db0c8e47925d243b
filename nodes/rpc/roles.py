"""Who may call what: one table, everything that is not in it is denied.

Knows RPC x role, and which roles see what is private in a case. Until callers are identified, an actor is
what the call says it is; the table holds all the same. Must not know what a verb needs (the transition
table does).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from nodes.cases.case import Actor, Case, Role
from nodes.codec.errors import DecodeError
from nodes.codec.values import ACTOR
from nodes.rpc.faults import Fault, Wrong, fault_of, missing
from tongban.v1 import case_pb2

APPLICANT, WINDOW, OFFICER, HEAD, OPERATOR = (
    Role.APPLICANT, Role.WINDOW, Role.OFFICER, Role.HEAD, Role.OPERATOR,
)  # fmt: skip
_PEOPLE: Final = frozenset({APPLICANT, WINDOW, OFFICER, HEAD, OPERATOR})

ANYBODY: Final = frozenset({"anybody"})
"""Calls without an actor that are open: the catalogue is public."""
PEERS: Final = frozenset({"peer"})
"""Calls by another region's node; it names its region, and must be a party of the case."""

ROLES: Final[Mapping[str, frozenset[Role] | frozenset[str]]] = MappingProxyType(
    {
        "CaseService/File": frozenset({APPLICANT, WINDOW}),
        "CaseService/FileMany": frozenset({APPLICANT, WINDOW}),
        "CaseService/Act": _PEOPLE,
        "CaseService/Get": _PEOPLE,
        "CaseService/List": _PEOPLE,
        "CaseService/History": _PEOPLE,
        "CaseService/Watch": _PEOPLE,
        "CaseService/Upload": frozenset({APPLICANT, WINDOW, OFFICER}),
        "CaseService/Download": frozenset({APPLICANT, WINDOW, OFFICER, HEAD}),
        "CatalogueService/List": ANYBODY,
        "CatalogueService/Explain": ANYBODY,
        "OperatorService/ListDead": frozenset({OPERATOR}),
        "OperatorService/ShowDead": frozenset({OPERATOR}),
        "OperatorService/ReplayDead": frozenset({OPERATOR}),
        "OperatorService/DropDead": frozenset({OPERATOR}),
        "OperatorService/Lanes": frozenset({OPERATOR}),
        "OperatorService/Health": frozenset({OPERATOR}),
        "OperatorService/Trace": frozenset({OPERATOR}),
        "PeerService/FetchMaterial": PEERS,
        "PeerService/GetTraceSlice": PEERS,
        "PeerService/Ping": PEERS,
    }
)
"""RPC -> roles. The node itself and its timers never come in by a face."""


def admit(call: str, message: case_pb2.Actor | None, region: str) -> Actor:
    """The actor of a call to the node of `region`. Raises Fault: ROLE_NOT_PERMITTED, ACTOR_REGION, MISSING,
    MALFORMED.

    An operator may leave the region out: who looks after a node need not know its region to ask for its
    health.
    """
    if message is None:
        raise missing("actor")
    said = message
    if not said.region and said.role == case_pb2.ROLE_OPERATOR:
        said = case_pb2.Actor()
        said.CopyFrom(message)
        said.region = region
    try:
        actor = ACTOR.take(said)
    except DecodeError as error:
        raise fault_of(error.under("actor")) from None
    if actor.role not in ROLES.get(call, frozenset()):
        raise Fault("ROLE_NOT_PERMITTED", [Wrong("actor.role", "ROLE_NOT_PERMITTED")])
    if actor.region != region:
        raise Fault("ACTOR_REGION", [Wrong("actor.region", "ACTOR_REGION")])
    return actor


def admit_peer(call: str, caller: str, region: str) -> str:
    """The region of a peer that calls. Raises Fault: ROLE_NOT_PERMITTED, MALFORMED."""
    if ROLES.get(call) is not PEERS:
        raise Fault("ROLE_NOT_PERMITTED", [Wrong("region", "ROLE_NOT_PERMITTED")])
    if not (len(caller) == 2 and caller.isascii() and caller.isdigit()) or caller == region:
        raise Fault("MALFORMED", [Wrong("region", "MALFORMED", "is not another region")])
    return caller


def is_party(case: Case, region: str) -> bool:
    """Whether a region has a part in the case, or once had: only then its node is told of it."""
    mine = {party.region for party in case.parties} | {part.region for part in case.parts}
    return region in mine | {case.owner, case.filing.origin, case.filing.competent, case.filing.lead_region}


def may_see_private(actor: Actor) -> bool:
    """Whether there can be a case whose private fields are shown to the actor: not for an operator."""
    return actor.role in (Role.APPLICANT, Role.WINDOW, Role.OFFICER, Role.HEAD)


def sees_private(actor: Actor, case: Case) -> bool:
    """Whether the private fields of this case are shown to the actor.

    The applicant; the window where the papers were received; officers and the head of the authority that
    decides now or was filed with. An operator sees where a case stands, never whose it is.
    """
    if actor.role is Role.APPLICANT:
        return True
    if actor.role is Role.WINDOW:
        return actor.region == case.filing.origin
    if actor.role in (Role.OFFICER, Role.HEAD):
        deciding = {case.authority, case.filing.authority} - {""}
        return actor.region == case.owner and actor.authority in deciding
    return False
