"""One line of the input: what is filed, what people do afterwards and when, what must come of it.

Knows the form of a line (docs: nodes/demo/data/README.md). Must not know what follows from an act (`course`).
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from tools.filings import days
from tools.filings.days import SHANGHAI

FIRST_DAY = date(2026, 9, 14)
"""Here it begins: the Mid-autumn and National Day holidays lie ahead, and two weekends that are worked."""
SLOTS = (time(9, 30), time(11), time(15))
"""Nobody acts at any other time of a working day."""


def moment(day: int, slot: int = 0) -> datetime:
    """A slot of the n-th working day after the first."""
    return datetime.combine(days.later(FIRST_DAY, day), SLOTS[slot], SHANGHAI)


@dataclass(slots=True)
class Line:
    """A line in the making. node: region whose platform files it; by: applicant or window.

    number: the applicant's, normalised; registers: what the authority's registers say of the applicant.
    """

    request_id: str
    at: datetime
    node: str
    by: str
    filing: dict[str, Any]
    title: tuple[str, str]
    faults: list[str] = field(default_factory=list)
    acts: list[dict[str, Any]] = field(default_factory=list)
    expect: dict[str, Any] = field(default_factory=dict)
    number: str = ""
    registers: dict[str, str] = field(default_factory=dict)
    other: dict[str, Any] = field(default_factory=dict)

    def act(
        self,
        at: datetime,
        who: str,
        do: str,
        *,
        part: int = 0,
        when: str = "",
        authority: str = "",
        refused: str = "",
        beside: bool = False,
        **fields: Any,
    ) -> None:
        """Somebody does something, having found the case in the state `when`.

        refused: the code with which it must be refused; beside: at the same moment as the next act, so that
        either may come first.
        """
        said = {
            "at": at,
            "who": who,
            "do": do,
            "part": part,
            "when": when,
            "authority": authority,
            "refused": refused,
            "beside": beside,
            "with": fields,
        }
        self.acts.append({key: value for key, value in said.items() if value or key in ("at", "do")})

    def told(self) -> dict[str, Any]:
        """The line as it is written."""
        acts = sorted(self.acts, key=lambda act: act["at"])
        found = {
            "request_id": self.request_id,
            "at": self.at,
            "node": self.node,
            "by": self.by,
            "title": {"zh": self.title[0], "en": self.title[1]},
            "faults": self.faults,
            "filing": self.filing,
            **self.other,
            "acts": acts,
            "expect": self.expect,
        }
        plain: dict[str, Any] = _plain(found)
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
