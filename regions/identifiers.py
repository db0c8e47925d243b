"""Numbers of persons, firms and cases: parse, normalise, check.

Knows GB 11643 identity numbers (15 and 18 digits), GB 32100 firm codes, the shapes of
other documents and the federation's case number (`casenumber`). Must not know competence:
an area code inside an identity number says where it was first issued, never where a person
is registered. Nothing here echoes a number: errors and reprs carry none.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

from stdnum.cn import uscc
from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.iso7064 import mod_11_2

from regions.casenumber import CaseNumber, case_number, parse_case_number
from regions.datafiles import DATA, read_records
from regions.errors import IdentifierError
from regions.region import atlas

__all__ = [
    "CaseNumber",
    "CreditCode",
    "Document",
    "DocumentKind",
    "IdentityNumber",
    "IdentityWarning",
    "Sex",
    "case_number",
    "document",
    "document_shapes",
    "load_document_shapes",
    "parse_case_number",
    "parse_identity",
    "parse_uscc",
]

# Full-width forms come from Chinese keyboards; no other look-alike digit is taken.
_NARROW = str.maketrans("０１２３４５６７８９Ｘｘ", "0123456789Xx")
_OLDEST_BIRTH = date(1900, 1, 1)
_CENTENARIANS = range(996, 1000)


class Sex(StrEnum):
    """As the order code of an identity number gives it."""

    MALE = "male"
    FEMALE = "female"


class IdentityWarning(StrEnum):
    """Something worth a second look that does not make the number invalid."""

    UPGRADED = "upgraded_from_15"
    AREA_RETIRED = "area_retired"
    AREA_UNKNOWN = "area_unknown"


@dataclass(frozen=True, slots=True)
class IdentityNumber:
    """A resident's identity number.

    normalised: 18 characters, the key by which a person is matched; given: the text as it
    was given, kept as an alias; area: 6 digits of first issue; birth, sex: from the number.
    """

    normalised: str = field(repr=False)
    given: str = field(repr=False)
    area: str = field(repr=False)
    birth: date = field(repr=False)
    sex: Sex
    warnings: tuple[IdentityWarning, ...]


def parse_identity(text: str, today: date, field: str = "id_no") -> IdentityNumber:
    """Parse an 18-digit number, or a 15-digit one and upgrade it (GB 11643).

    Raises IdentifierError(field, reason): malformed (length or characters),
    province_unknown, birth_invalid, birth_in_future, birth_too_early (before 1900),
    century_unknown (15 digits with order 996-999: a person must look), checksum.
    An unknown county is a warning only, and only in the regions whose counties are known
    here; retired area codes are accepted.
    """
    number = text.strip().translate(_NARROW).upper()
    if not re.fullmatch(r"[0-9]{15}|[0-9]{17}[0-9X]", number, re.ASCII):
        raise IdentifierError(field, "malformed")
    warnings: list[IdentityWarning] = []
    if len(number) == 15:
        if int(number[12:]) in _CENTENARIANS:
            raise IdentifierError(field, "century_unknown")
        body = f"{number[:6]}19{number[6:]}"
        number = body + mod_11_2.calc_check_digit(body)
        warnings.append(IdentityWarning.UPGRADED)
    warnings.extend(_area_warnings(number[:6], field))
    birth = _birth(number[6:14], today, field)
    if not mod_11_2.is_valid(number):
        raise IdentifierError(field, "checksum")
    sex = Sex.MALE if int(number[16]) % 2 else Sex.FEMALE
    return IdentityNumber(number, text, number[:6], birth, sex, tuple(warnings))


def _area_warnings(area: str, field: str) -> list[IdentityWarning]:
    known = atlas()
    if area[:2] not in known.provinces:
        raise IdentifierError(field, "province_unknown")
    if area in known.retired:
        return [IdentityWarning.AREA_RETIRED]
    if area[:2] in known.regions and area not in known.counties:
        return [IdentityWarning.AREA_UNKNOWN]
    return []


def _birth(digits: str, today: date, field: str) -> date:
    try:
        birth = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise IdentifierError(field, "birth_invalid") from None
    if birth > today:
        raise IdentifierError(field, "birth_in_future")
    if birth < _OLDEST_BIRTH:
        raise IdentifierError(field, "birth_too_early")
    return birth


@dataclass(frozen=True, slots=True)
class CreditCode:
    """A unified social credit code (GB 32100). code: 18 characters; area: 6 digits of the
    place of registration, as written in it; organisation: its 9-character body code.
    """

    code: str
    authority: str
    category: str
    area: str
    organisation: str


def parse_uscc(text: str, field: str = "uscc") -> CreditCode:
    """Parse a firm's code. IdentifierError(field, reason): malformed, checksum."""
    code = text.strip().translate(_NARROW).upper()
    if not re.fullmatch(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}", code, re.ASCII):
        raise IdentifierError(field, "malformed")
    try:
        uscc.validate(code)
    except InvalidChecksum:
        raise IdentifierError(field, "checksum") from None
    except ValidationError:
        raise IdentifierError(field, "malformed") from None
    return CreditCode(code, code[0], code[1], code[2:8], code[8:17])


class DocumentKind(StrEnum):
    """What proves who a party is."""

    IDENTITY_CARD = "identity_card"
    CREDIT_CODE = "credit_code"
    PASSPORT = "passport"
    HK_MACAO_PERMIT = "hk_macao_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    HK_MACAO_RESIDENT_PERMIT = "hk_macao_resident_permit"
    TAIWAN_RESIDENT_PERMIT = "taiwan_resident_permit"
    FOREIGN_PERMANENT_RESIDENT = "foreign_permanent_resident"


@dataclass(frozen=True, slots=True)
class Document:
    """A checked document number. normalised: the form by which a party is matched."""

    kind: DocumentKind
    normalised: str = field(repr=False)
    given: str = field(repr=False)


def document(kind: str, number: str, today: date, field: str = "id_no") -> Document:
    """Check `number` as a document of `kind`.

    Identity cards and firm codes go through their parsers; others by shape and length.
    Raises IdentifierError(field, reason): kind_unknown, malformed, or the parsers' reasons.
    """
    try:
        known = DocumentKind(kind)
    except ValueError:
        raise IdentifierError(field, "kind_unknown") from None
    if known is DocumentKind.IDENTITY_CARD:
        return Document(known, parse_identity(number, today, field).normalised, number)
    if known is DocumentKind.CREDIT_CODE:
        return Document(known, parse_uscc(number, field).code, number)
    text = number.strip().translate(_NARROW).upper()
    if not document_shapes()[known].fullmatch(text):
        raise IdentifierError(field, "malformed")
    return Document(known, text, number)


def load_document_shapes(directory: Path = DATA) -> Mapping[DocumentKind, re.Pattern[str]]:
    """The shapes of documents.csv. Raises DataError."""
    shapes: dict[DocumentKind, re.Pattern[str]] = {}
    rows = read_records(directory, "documents.csv", key="kind")
    for row in rows:
        try:
            shapes[row.choice("kind", DocumentKind)] = re.compile(row.text("pattern"), re.ASCII)
        except re.error as error:
            raise row.error("pattern", f"is not a regular expression: {error}") from None
    for kind in DocumentKind:
        by_parser = kind in (DocumentKind.IDENTITY_CARD, DocumentKind.CREDIT_CODE)
        if kind not in shapes and not by_parser:
            raise rows[0].error("kind", f"the file has no row for {kind.value}")
    return shapes


@cache
def document_shapes() -> Mapping[DocumentKind, re.Pattern[str]]:
    """The shipped shapes, loaded once."""
    return load_document_shapes()
