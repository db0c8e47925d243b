"""Identity numbers, firm codes and other documents."""

from datetime import date

import pytest
from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

from regions.errors import IdentifierError
from regions.identifiers import (
    DocumentKind,
    IdentityWarning,
    Sex,
    document,
    parse_identity,
    parse_uscc,
)

TODAY = date(2026, 11, 22)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def checked(body: str) -> str:
    """The 17 digits with their check character, by the table of GB 11643."""
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


def reason_of(text: str, today: date = TODAY) -> str:
    with pytest.raises(IdentifierError) as caught:
        parse_identity(text, today, "applicant.id_no")
    assert caught.value.field == "applicant.id_no"
    return caught.value.reason


def test_the_vector_of_the_standard() -> None:
    found = parse_identity("11010519491231002X", TODAY)
    assert found.normalised == "11010519491231002X"
    assert (found.area, found.birth, found.sex) == ("110105", date(1949, 12, 31), Sex.FEMALE)
    assert found.warnings == ()


def test_fifteen_and_eighteen_digits_are_the_same_person() -> None:
    old = parse_identity("110105491231002", TODAY)
    new = parse_identity("11010519491231002x", TODAY)
    assert old.normalised == new.normalised == "11010519491231002X"
    assert old.given == "110105491231002"
    assert old.warnings == (IdentityWarning.UPGRADED,)


def test_a_retired_area_is_accepted_and_a_future_birth_is_not() -> None:
    found = parse_identity(checked("33010419910101001"), TODAY)
    assert found.warnings == (IdentityWarning.AREA_RETIRED,)
    assert reason_of(checked("33010420990101001")) == "birth_in_future"


def test_born_today_is_not_in_the_future() -> None:
    assert parse_identity(checked("32050920261122001"), TODAY).birth == TODAY
    assert reason_of(checked("32050920261123001")) == "birth_in_future"


def test_an_unknown_county_is_a_warning_and_an_unknown_province_is_refused() -> None:
    assert parse_identity(checked("32059919900101001"), TODAY).warnings == (IdentityWarning.AREA_UNKNOWN,)
    assert reason_of(checked("66010119900101001")) == "province_unknown"
    assert reason_of(checked("99010119900101001")) == "province_unknown"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "malformed"),
        ("1101051949123100", "malformed"),
        ("11010519491231002XX", "malformed"),
        ("1101051949123X002X", "malformed"),
        ("١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", "malformed"),
        ("11010519491231002\x00", "malformed"),
        ("110105194912310020", "checksum"),
        (checked("11010519491331002"), "birth_invalid"),
        (checked("11010519500229002"), "birth_invalid"),
        (checked("11010518991231002"), "birth_too_early"),
        ("110105491231996", "century_unknown"),
    ],
)
def test_what_is_refused_and_why(text: str, reason: str) -> None:
    assert reason_of(text) == reason


def test_full_width_digits_and_blanks_around_are_read() -> None:
    assert parse_identity(" １１０１０５１９４９１２３１００２ｘ ", TODAY).normalised == "11010519491231002X"


def test_no_number_appears_in_a_repr_or_an_error() -> None:
    assert "19491231" not in repr(parse_identity("11010519491231002X", TODAY))
    with pytest.raises(IdentifierError) as caught:
        parse_identity("110105194912310020", TODAY)
    assert "1949" not in str(caught.value)


# Where stdnum.cn.ric is known to be wrong (it is an independent check, never the gate).
STDNUM_REFUSES = {
    "retired Yuhang city": checked("33018419910101001"),
    "Yuhang district with an earlier birth": checked("33011019910101001"),
    "retired Chaohu": checked("34140019800101001"),
    "Chongming district with an earlier birth": checked("31015120000101001"),
}
STDNUM_ACCEPTS = {"birth in 2099": checked("32050020990101001")}


@pytest.mark.parametrize("name", STDNUM_REFUSES)
def test_known_disagreement_stdnum_refuses_a_plausible_number(name: str) -> None:
    number = STDNUM_REFUSES[name]
    assert not ric.is_valid(number)
    assert parse_identity(number, TODAY).normalised == number


def test_known_disagreement_stdnum_accepts_a_future_birth() -> None:
    assert ric.is_valid(STDNUM_ACCEPTS["birth in 2099"])
    assert reason_of(STDNUM_ACCEPTS["birth in 2099"]) == "birth_in_future"


def test_known_disagreement_stdnum_breaks_on_an_unknown_area() -> None:
    with pytest.raises(KeyError):
        ric.is_valid("31999919900101001X")
    found = parse_identity("31999919900101001X", TODAY)
    assert found.warnings == (IdentityWarning.AREA_UNKNOWN,)


@pytest.mark.parametrize("code", ["91310000775785552L", "11100000000013338W", "11650000010183859F"])
def test_firm_codes_of_the_sources(code: str) -> None:
    found = parse_uscc(code.lower())
    assert found.code == code
    assert found.area == code[2:8]
    assert uscc.is_valid(code)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("91310000775785552K", "checksum"),
        ("9131000077578555", "malformed"),
        ("91310000I75785552L", "malformed"),
        ("９1310000775785552Z", "malformed"),
    ],
)
def test_a_bad_firm_code_is_refused(code: str, reason: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        parse_uscc(code, "applicant.uscc")
    assert (caught.value.field, caught.value.reason) == ("applicant.uscc", reason)
    with pytest.raises(ValidationError):
        uscc.validate(code)


@pytest.mark.parametrize(
    ("kind", "number", "normalised"),
    [
        ("identity_card", "110105491231002", "11010519491231002X"),
        ("credit_code", "91310000775785552l", "91310000775785552L"),
        ("passport", "e12345678", "E12345678"),
        ("hk_macao_permit", "C12345678", "C12345678"),
        ("taiwan_permit", "L12345678", "L12345678"),
        ("hk_macao_resident_permit", "H12345678", "H12345678"),
        ("taiwan_resident_permit", "12345678", "12345678"),
        ("foreign_permanent_resident", "USA110079123456", "USA110079123456"),
    ],
)
def test_documents_are_checked_by_kind(kind: str, number: str, normalised: str) -> None:
    found = document(kind, number, TODAY)
    assert (found.kind, found.normalised, found.given) == (DocumentKind(kind), normalised, number)


@pytest.mark.parametrize(
    ("kind", "number", "reason"),
    [
        ("library_card", "123", "kind_unknown"),
        ("passport", "E1234", "malformed"),
        ("passport", "E12345678'; DROP", "malformed"),
        ("taiwan_permit", "L1234567", "malformed"),
        ("identity_card", "110105194912310020", "checksum"),
    ],
)
def test_a_bad_document_names_the_field_and_the_reason(kind: str, number: str, reason: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        document(kind, number, TODAY, "agent.id_no")
    assert (caught.value.field, caught.value.reason) == ("agent.id_no", reason)
