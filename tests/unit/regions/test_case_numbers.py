"""The federation's case number."""

from datetime import date

import pytest
from stdnum.iso7064 import mod_37_36

from regions.casenumber import CASE_NUMBER_LENGTH
from regions.errors import FactError, IdentifierError
from regions.identifiers import case_number, parse_case_number

DAY = date(2026, 9, 30)


def test_it_is_city_day_incarnation_serial_and_check() -> None:
    number = case_number("320500", DAY, 1, 123)
    assert number.text[:25] == "3205002026093000010000123"
    assert len(number.text) == CASE_NUMBER_LENGTH == 26
    assert mod_37_36.is_valid(number.text)
    assert number.region == "32"
    assert str(number) == number.text


def test_it_is_printable_and_can_be_read_over_the_phone() -> None:
    number = case_number("320500", DAY, 1, 123)
    assert number.printable == f"320500-20260930-0001-0000123-{number.text[-1]}"
    assert number.spoken == f"320 500 2026 0930 0001 000 0123 {number.text[-1]}"
    assert number.spoken_zh.startswith("三二零，五零零，二零二六，零九三零，零零零幺，")
    for written in (number.printable, number.spoken, number.text.lower(), f" {number.printable} "):
        assert parse_case_number(written) == number


def test_two_incarnations_and_two_processes_never_give_the_same_number() -> None:
    given = {
        case_number(city, DAY, incarnation, serial).text
        for city in ("320500", "320200")
        for incarnation in (1, 2)
        for serial in range(1, 200)
    }
    assert len(given) == 2 * 2 * 199


@pytest.mark.parametrize(("incarnation", "serial"), [(0, 1), (10_000, 1), (1, 0), (1, 10_000_000)])
def test_a_serial_that_does_not_fit_is_refused(incarnation: int, serial: int) -> None:
    with pytest.raises(IdentifierError) as caught:
        case_number("320500", DAY, incarnation, serial)
    assert caught.value.reason == "out_of_range"


def test_the_city_must_be_one_of_the_41() -> None:
    with pytest.raises(FactError):
        case_number("320509", DAY, 1, 1)


def with_check(body: str) -> str:
    return body + mod_37_36.calc_check_digit(body)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "malformed"),
        ("3205002026093000010000123", "malformed"),
        ("３205002026093000010000123P", "malformed"),
        ("320500/20260930/0001/0000123/P", "malformed"),
        ("32050020260930000100001230", "checksum"),
        (with_check("3205992026093000010000123"), "unknown_city"),
        (with_check("3205002026133000010000123"), "day_invalid"),
        (with_check("3205002026093000000000123"), "out_of_range"),
        (with_check("3205002026093000010000000"), "out_of_range"),
    ],
)
def test_what_does_not_parse_and_why(text: str, reason: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        parse_case_number(text)
    assert (caught.value.field, caught.value.reason) == ("case_no", reason)
