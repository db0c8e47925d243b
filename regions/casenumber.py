"""The federation's case number: one number that every side prints.

Knows its shape and check character. Must not know how serials are drawn: the caller says
which incarnation of its database it is and which serial that database has just given.

    320500 20260930 0001 0000123 K      26 characters
    city   day      incarnation, serial, check (ISO 7064 MOD 37,36)

The region is the filing city's; the day is the day of filing. A database that was restored
from a backup counts under a new incarnation, so no number is given twice; processes that
share a database draw from its one counter, others take an incarnation of their own.
"""

import re
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from stdnum.iso7064 import mod_37_36
from typing_extensions import override

from regions.errors import FactError, IdentifierError
from regions.region import atlas

INCARNATION_DIGITS = 4
SERIAL_DIGITS = 7
CASE_NUMBER_LENGTH = 6 + 8 + INCARNATION_DIGITS + SERIAL_DIGITS + 1
_DIGITS_ZH = str.maketrans("0123456789", "零幺二三四五六七八九")


@dataclass(frozen=True, slots=True, order=True)
class CaseNumber:
    """A case number. text: the 26 characters that are stored and sent; city: area code of
    the filing city; region: the short code of its region.
    """

    text: str
    city: str
    day: date
    incarnation: int
    serial: int

    @override
    def __str__(self) -> str:
        return self.text

    @property
    def region(self) -> str:
        """Short code of the region where the case was filed."""
        return self.city[:2]

    @property
    def groups(self) -> tuple[str, ...]:
        """City, day, incarnation, serial, check character."""
        t = self.text
        return (t[:6], t[6:14], t[14:18], t[18:25], t[25:])

    @property
    def printable(self) -> str:
        """As it stands on paper: 320500-20260930-0001-0000123-K. Parses back."""
        return "-".join(self.groups)

    @property
    def spoken(self) -> str:
        """For reading over the phone: groups of at most four, joined by spaces. Parses back."""
        t = self.text
        cuts = (0, 3, 6, 10, 14, 18, 21, 25, 26)
        return " ".join(t[i:j] for i, j in pairwise(cuts))

    @property
    def spoken_zh(self) -> str:
        """The same in Chinese telephone digits (1 is 幺)."""
        return "，".join(self.spoken.translate(_DIGITS_ZH).split())


def case_number(city: str, day: date, incarnation: int, serial: int) -> CaseNumber:
    """Compose a number.

    city: area code of one of the 41 cities; incarnation: 1 to 9999; serial: 1 to 9999999,
    never twice for the same incarnation and day. Raises IdentifierError(field, out_of_range)
    and FactError(city, unknown_city).
    """
    if city not in atlas().cities:
        raise FactError("city", "unknown_city")
    if not 1 <= incarnation < 10**INCARNATION_DIGITS:
        raise IdentifierError("incarnation", "out_of_range")
    if not 1 <= serial < 10**SERIAL_DIGITS:
        raise IdentifierError("serial", "out_of_range")
    body = f"{city}{day.year:04}{day:%m%d}{incarnation:0{INCARNATION_DIGITS}}{serial:0{SERIAL_DIGITS}}"
    return CaseNumber(body + mod_37_36.calc_check_digit(body), city, day, incarnation, serial)


def parse_case_number(text: str, field: str = "case_no") -> CaseNumber:
    """Read a number back; spaces, hyphens and a lower-case check character are accepted.

    Raises IdentifierError(field, reason): malformed, checksum, unknown_city, day_invalid,
    out_of_range (incarnation or serial is zero).
    """
    compact = re.sub(r"[ \-]", "", text.strip()).upper()
    if not re.fullmatch(r"[0-9]{25}[0-9A-Z]", compact, re.ASCII):
        raise IdentifierError(field, "malformed")
    if not mod_37_36.is_valid(compact):
        raise IdentifierError(field, "checksum")
    city, digits = compact[:6], compact[6:14]
    if city not in atlas().cities:
        raise IdentifierError(field, "unknown_city")
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise IdentifierError(field, "day_invalid") from None
    incarnation, serial = int(compact[14:18]), int(compact[18:25])
    if not incarnation or not serial:
        raise IdentifierError(field, "out_of_range")
    return CaseNumber(compact, city, day, incarnation, serial)
