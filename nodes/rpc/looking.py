"""What every servicer looks up first: who calls, and the case that is named.

Knows the form of a case number and that a case may not be here. Must not know services.
"""

from __future__ import annotations

import re
from typing import Any, Final

from google.protobuf.message import Message

from nodes.cases.case import Actor
from nodes.desk.reader import CaseView
from nodes.rpc.faults import Fault, Wrong, malformed, missing
from nodes.rpc.ports import Looks
from nodes.rpc.roles import admit

MAX_NUMBER: Final = 64
_NAME: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
MAX_REQUEST_BYTES: Final = 256 * 1024
"""A filing or a verb: what becomes of it must fit into a message of the bus, beside the rest of its case."""


def actor_of(call: str, request: Any, region: str) -> Actor:
    """The actor that a request names, if this call is his to make. Raises Fault, see `roles.admit`."""
    return admit(call, request.actor if request.HasField("actor") else None, region)


def checked_size(request: Any) -> None:
    """Raises Fault: TOO_LARGE, for a filing or a verb that no message could carry to another region."""
    if (size := request.ByteSize()) > MAX_REQUEST_BYTES:
        said = f"has {size} bytes, at most {MAX_REQUEST_BYTES} are taken"
        largest = max(request.ListFields(), key=lambda held: _size(held[1]))[0].name
        raise Fault("TOO_LARGE", [Wrong(largest, "TOO_LARGE", said)])


def _size(value: Any) -> int:
    return int(value.ByteSize()) if isinstance(value, Message) else len(str(value))


def checked_name(name: str, field: str) -> None:
    """A client or a request id. Raises Fault: MISSING, MALFORMED."""
    if not name:
        raise missing(field)
    if not _NAME.fullmatch(name):
        raise malformed(field, "does not have the form of this field")


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
