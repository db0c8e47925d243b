"""Persons and firms that cannot exist, with numbers that pass every check.

Names are put together from things; area codes inside numbers end in 98 or 99, which no county has, so no
number can be anybody's; telephone numbers begin with 100. Knows the check characters of GB 11643 and
GB 32100, worked out here anew.
"""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

_THINGS = ("青瓷", "竹影", "石桥", "云帆", "稻香", "银杏", "松涛", "荷塘", "砚台", "纸鸢", "风铃", "雨巷")
_MARKS = ("壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖", "拾")
_TRADES = ("造纸", "织机", "灯笼", "茶具", "航标", "仪表", "算盘", "雨伞")
# Prefectures all over the country: where a number was first issued says nothing about who is competent.
_ISSUED = ("1101", "3101", "3205", "3301", "3401", "3701", "4201", "4403", "5101", "6101", "2301", "3502")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_USCC_CHARS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def check_11_2(body: str) -> str:
    """The 18th character of an identity number (GB 11643, MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(body, _ID_WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def check_31(body: str) -> str:
    """The 18th character of a firm's code (GB 32100, mod 31)."""
    total = sum(_USCC_CHARS.index(char) * pow(3, index, 31) for index, char in enumerate(body))
    return _USCC_CHARS[(31 - total % 31) % 31]


def upgraded(old: str) -> str:
    """The 18-digit form of a 15-digit number."""
    body = f"{old[:6]}19{old[6:]}"
    return body + check_11_2(body)


@dataclass(frozen=True, slots=True)
class Party:
    """As a filing states it. number: normalised; given: as written; warnings: codes to expect."""

    kind: str
    name: str
    id_type: str
    number: str
    given: str
    phone: str
    warnings: tuple[str, ...] = ()

    def stated(self) -> dict[str, Any]:
        """Its form in a filing."""
        return {
            "kind": self.kind,
            "name": self.name,
            "id_type": self.id_type,
            "id_no": self.given,
            "phone": self.phone,
        }


@dataclass(slots=True)
class Registry:
    """Draws parties, none of them twice."""

    dice: random.Random
    _used: set[str] = field(default_factory=set)

    def person(self, *, old: bool = False, area: str = "", born: date | None = None) -> Party:
        """A person; old: a 15-digit number is given; area: six digits of first issue."""
        while True:
            issued = area or self.dice.choice(_ISSUED) + self.dice.choice(("98", "99"))
            birth = born or date(1962, 1, 1) + timedelta(days=self.dice.randrange(14_000))
            if old:
                given = f"{issued}{birth:%y%m%d}{self.dice.randrange(1, 900):03}"
                number = upgraded(given)
            else:
                body = f"{issued}{birth:%Y%m%d}{self.dice.randrange(1, 900):03}"
                given = number = body + check_11_2(body)
            if number not in self._used:
                break
        self._used.add(number)
        warnings = ["UPGRADED_FROM_15"] if old else []
        if area:
            warnings.append("AREA_RETIRED")
        elif issued[:2] in ("31", "32", "33", "34"):
            warnings.append("AREA_UNKNOWN")
        return Party("person", self._name(), "identity_card", number, given, self._phone(), tuple(warnings))

    def traveller(self) -> Party:
        """A person with a passport."""
        number = f"E{self.dice.randrange(10_000_000, 99_999_999)}"
        return Party("person", self._name(), "passport", number, number, self._phone())

    def firm(self) -> Party:
        """A firm, with a code whose body says that it is made up."""
        while True:
            tail = "".join(self.dice.choice("0123456789ABCDEFGHJKLMN") for _ in range(5))
            body = f"91{self.dice.choice(_ISSUED)}99DEM0{tail}"
            code = body + check_31(body)
            if code not in self._used:
                break
        self._used.add(code)
        thing, mark, trade = (self.dice.choice(words) for words in (_THINGS, _MARKS, _TRADES))
        name = f"{thing}{mark}号{trade}(虚构)有限公司"
        return Party("enterprise", name, "credit_code", code, code, self._phone())

    def _name(self) -> str:
        return f"{self.dice.choice(_THINGS)}{self.dice.choice(_MARKS)}{self.dice.choice(_MARKS)}"

    def _phone(self) -> str:
        return f"100{self.dice.randrange(10**8):08}"
