"""Filings that are refused at the counter, and requests that are sent twice.

Knows which field is wrong and with which code it must be named: the codes are the contract of File.
"""

from dataclasses import replace
from datetime import date
from typing import Any

from tools.filings import competence, facts
from tools.filings.line import Line, moment
from tools.filings.people import Party
from tools.filings.scene import Scene

WRONG_MATTER = "MATTER_UNKNOWN"


def refused(
    scene: Scene, matter: str, day: int, zh: str, en: str, fault: str, *wrong: tuple[str, str], **how: Any
) -> Line:
    """A filing that does not stand. wrong: (field, code) of all that must be named."""
    line, _ = scene.open(matter, day, (zh, en), fault, standing=False, **how)
    code = wrong[0][1] if len(wrong) == 1 else "FILING_REFUSED"
    line.expect = _refusal(code, wrong)
    return line


def _refusal(code: str, wrong: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    fields = [{"field": f"filing.{name}" if name else "", "code": what} for name, what in wrong]
    return {"outcome": "refused", "refusal": {"code": code, "fields": fields}}


def numbers(scene: Scene) -> None:
    """Numbers that fail a check."""
    firm = scene.people.firm()
    broken = firm.given[:-1] + ("1" if firm.given[-1] != "1" else "2")
    person = scene.people.person()
    last = "X" if person.given[-1] != "X" else "0"
    unborn = scene.people.person().given[:6] + "20990101" + "1234"
    where = "applicant.id_no"
    for day, matter in ((1, "MR-002"), (4, "TX-004")):
        refused(
            scene,
            matter,
            day,
            "统一社会信用代码校验不符",
            "a firm with a bad code",
            "bad_firm_code",
            (where, "CHECKSUM"),
            who=replace(firm, given=broken),
        )
    refused(
        scene,
        "MR-013",
        2,
        "统一社会信用代码有非法字母",
        "a firm's code with a letter it cannot have",
        "bad_firm_code",
        (where, "MALFORMED"),
        who=replace(firm, given="I" + firm.given[1:]),
    )
    refused(
        scene,
        "SS-006",
        1,
        "身份证号码校验位不符",
        "an identity number fails its check",
        "bad_number",
        (where, "CHECKSUM"),
        who=replace(person, given=person.given[:-1] + last),
    )
    refused(
        scene,
        "SS-006",
        3,
        "出生日期在未来",
        "born in the future",
        "bad_number",
        (where, "BIRTH_IN_FUTURE"),
        who=replace(person, given=unborn),
    )
    refused(
        scene,
        "HI-008",
        2,
        "身份证号码位数不对",
        "an identity number of sixteen digits",
        "bad_number",
        (where, "MALFORMED"),
        who=replace(person, given=person.given[:16]),
    )


def authorities(scene: Scene) -> None:
    """The applicant names a body that is not competent, or does not say the place on which it depends."""
    for day, matter, other in (
        (0, "HF-008", "fund_centre"),
        (3, "SS-009", "social_insurance"),
        (6, "LB-005", "employment"),
        (8, "MR-003", "market_regulation"),
    ):
        origin = scene.county(scene.dice.choice(facts.cities()))
        places = scene.places(matter, origin)
        right = competence.decides(matter, origin, places)
        mine = origin if facts.placements()[matter]["level"] == "county" else facts.city_of()[origin]
        assert right.area != mine, "the origin's own body is the wrong one"
        refused(
            scene,
            matter,
            day,
            "指错办理机关",
            "the wrong authority is named",
            "wrong_authority",
            ("authority", "WRONG_AUTHORITY"),
            origin=origin,
            places=places,
            authority=f"{other}-{mine}",
        )
    refused(
        scene,
        "HI-001",
        2,
        "未说明参保地",
        "the insured place is not said",
        "place_open",
        ("places.insured", "NEEDS_CHOICE"),
        places={"household": "320505"},
    )
    refused(
        scene,
        "PS-001",
        5,
        "户籍地只说明到市",
        "the household place is not precise enough",
        "place_open",
        ("places.household", "NEEDS_CHOICE"),
        places={"household": "320500"},
    )
    refused(
        scene,
        "SS-012",
        4,
        "参保地在联邦之外",
        "the insured place lies outside the federation",
        "outside",
        ("places.insured", "OUTSIDE_FEDERATION"),
        places={"insured": "110101"},
    )
    refused(
        scene,
        "SS-011",
        7,
        "参保地代码已停用",
        "a retired area code as a place",
        "outside",
        ("places.insured", "RETIRED_CODE"),
        places={"insured": "330104"},
    )


def forms(scene: Scene) -> None:
    """Something about the filing itself."""
    refused(
        scene,
        "DP-002",
        1,
        "窗口事项网上提交",
        "filed online although it is for the window",
        "wrong_channel",
        ("channel", "WINDOW_ONLY"),
        channel="online",
    )
    refused(
        scene,
        "MR-002",
        5,
        "个人申请企业事项",
        "a person files a firm's matter",
        "wrong_applicant",
        ("applicant.kind", "NOT_FOR_THIS_APPLICANT"),
        who=scene.people.person(),
    )
    refused(
        scene,
        "HE-001",
        3,
        "代办人没有委托书",
        "an agent without a mandate",
        "no_mandate",
        ("mandate", "MISSING"),
        agent=True,
        mandate="",
    )
    refused(
        scene,
        "TP-001",
        6,
        "未签同意书",
        "the consent is not signed",
        "no_consent",
        ("consent", "MISSING"),
        consent="",
    )
    refused(
        scene,
        "TP-002",
        2,
        "既无同意书，也未写明姓名",
        "neither consent nor name",
        "no_consent",
        ("applicant.name", "MISSING"),
        ("consent", "MISSING"),
        who=replace(scene.people.person(), name=""),
        consent="",
    )
    refused(
        scene,
        "SS-019",
        4,
        "交来指南之外的材料",
        "a material that the guide does not ask for",
        "strange_material",
        ("materials.0.code", "NOT_ON_GUIDE"),
        materials=[{"code": "purchase_contract"}],
    )
    refused(
        scene,
        "SS-021",
        5,
        "按旧版指南提交",
        "filed by an old guide",
        "old_guide",
        ("guide_version", "GUIDE_CHANGED"),
        guide_version="2020-01-01.00000000",
    )
    refused(
        scene,
        "SS-022",
        8,
        "快递送达而无地址",
        "courier without an address",
        "no_address",
        ("delivery.address", "MISSING"),
        delivery={"way": "courier"},
    )
    line = refused(
        scene,
        "SS-023",
        9,
        "尚未启用的事项",
        "a matter that is not enabled",
        "disabled_matter",
        ("matter", "MATTER_DISABLED"),
    )
    line.filing["matter"] = facts.disabled()[0]
    line.expect["refusal"]["code"] = WRONG_MATTER


def repeated(scene: Scene, of: Line) -> None:
    """The same request again on the next day, and the same request id with another body."""
    at = moment(days_after(of) + 1)
    again = replace(
        of,
        at=at,
        faults=["duplicate_request"],
        acts=[],
        other={"again": "same"},
        title=("同一请求重发，答复不变", "the same request again: the same answer"),
    )
    again.expect = {"outcome": "same_answer"}
    other = {**of.filing, "consent": "consent-of-another-form"}
    clash = replace(
        of,
        at=at,
        filing=other,
        faults=["duplicate_request"],
        acts=[],
        other={"again": "other"},
        title=("同一请求号，内容不同", "the same request id with another body"),
    )
    clash.expect = {
        "outcome": "refused",
        "refusal": {
            "code": "REQUEST_ID_REUSED",
            "fields": [{"field": "request_id", "code": "REQUEST_ID_REUSED"}],
        },
    }
    scene.lines += [again, clash]


def days_after(line: Line) -> int:
    """How many working days after the first it was filed."""
    day = 0
    while moment(day).date() < line.at.date():
        day += 1
    return day


def unusual(scene: Scene) -> list[Party]:
    """Parties that are unusual and yet stand: old numbers, retired areas (of people long dead), passports."""
    people = scene.people
    old = [people.person(old=True) for _ in range(8)]
    areas = ("310230", "330103", "330104", "330184", "320611", "341400")
    retired = [people.person(area=area, born=date(1901 + n, 3, 1)) for n, area in enumerate(areas)]
    return [*old, *retired, people.traveller(), people.traveller()]
