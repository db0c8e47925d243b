"""What every servicer looks up first: who calls, and the case that is named.

Knows the form of a case number and that a case may not be here. Must not know services.
"""

from __future__ import annotations

from typing import Any, Final

from nodes.cases.case import Actor
from nodes.desk.reader import CaseView
from nodes.rpc.faults import Fault, Wrong, malformed, missing
from nodes.rpc.ports import Looks
from nodes.rpc.roles import admit

MAX_NUMBER: Final = 64


def actor_of(call: str, request: Any, region: str) -> Actor:
    """The actor that a request names, if this call is his to make. Raises Fault, see `roles.admit`."""
    return admit(call, request.actor if request.HasField("actor") else None, region)


def checked_number(number: str) -> str:
    """A case number that can be looked up. Raises Fault: MISSING, MALFORMED."""
    if not number:
        raise missing("case_number")
    if len(number) > MAX_NUMBER or not (number.isascii() and number.isprintable()):
        raise malformed("case_number", "is not a case number")
    return number


async def find_case(looks: Looks, number: str) -> CaseView:
    """The case. Raises Fault: MISSING, MALFORMED, NO_SUCH_CASE."""
    view = await looks.get(checked_number(number))
    if view is None:
        raise Fault("NO_SUCH_CASE", [Wrong("case_number", "NO_SUCH_CASE")])
    return view
