"""Why a command is refused: one class, a closed list of codes, the field that is wrong.

The docstring of a code is its message; faces translate by code. Nothing here echoes personal data.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """Stable, part of the contract between regions."""

    NOT_IN_TABLE = "NOT_IN_TABLE"  # this role may not do this in this state
    NOT_OWNER = "NOT_OWNER"  # this region does not own the case
    NOT_RECEIVED = "NOT_RECEIVED"  # the new owner has not yet said that the handover arrived
    WRONG_REGION = "WRONG_REGION"  # the actor acts in a region that has no such part in this case
    ALREADY_FILED = "ALREADY_FILED"
    NO_SUCH_CASE = "NO_SUCH_CASE"
    # the notice day has passed: the case counts as accepted from the day of receipt
    NOTICE_LATE = "NOTICE_LATE"
    SECOND_LIST = "SECOND_LIST"  # the item could have been named in the first list (told once)
    EMPTY_LIST = "EMPTY_LIST"
    NOT_ON_GUIDE = "NOT_ON_GUIDE"  # the item is not on the competent place's guide
    ITEM_MISSING = "ITEM_MISSING"  # a listed item was not answered
    NOT_LACKABLE = "NOT_LACKABLE"
    LACK_OPEN = "LACK_OPEN"
    LACK_NOT_ALLOWED = "LACK_NOT_ALLOWED"
    REASON_MISSING = "REASON_MISSING"
    REMEDY_MISSING = "REMEDY_MISSING"
    APPROVER_MISSING = "APPROVER_MISSING"
    ALREADY_EXTENDED = "ALREADY_EXTENDED"
    NO_EXTENSION = "NO_EXTENSION"
    STEPS_OPEN = "STEPS_OPEN"
    WRONG_AUTHORITY = "WRONG_AUTHORITY"
    ALREADY_RATED = "ALREADY_RATED"
    BAD_VALUE = "BAD_VALUE"
    NOT_UNDERSTOOD = "NOT_UNDERSTOOD"  # the region that was asked does not have this kind of question yet
    ORIGINALS_OUT = "ORIGINALS_OUT"  # the applicant's originals are not back yet
    NOT_HELD = "NOT_HELD"
    PARTS_PENDING = "PARTS_PENDING"
    PART_DECIDED = "PART_DECIDED"  # a lead cannot be withdrawn once a part is decided
    NO_SUCH_PART = "NO_SUCH_PART"
    NOT_JOINED = "NOT_JOINED"  # a decided part waits for the others
    HANDOVER_SPENT = "HANDOVER_SPENT"
    MANDATE_MISSING = "MANDATE_MISSING"
    TOO_LATE = "TOO_LATE"
    NOT_DUE = "NOT_DUE"
    NOTHING_TO_DO = "NOTHING_TO_DO"


class CaseError(Exception):
    """A command was refused by rule.

    `field` is a dotted path into the command, "" for the command as a whole.
    """

    def __init__(self, code: Code, field: str = "", detail: str = "") -> None:
        super().__init__(f"{code}{f' at {field}' if field else ''}{f': {detail}' if detail else ''}")
        self.code = code
        self.field = field
        self.detail = detail
