"""The grounds of competence in words.

Knows how to say why an authority decides, or does not: which fact, which kind of place,
which level, which authority. Must not know how they were found (`directory`).
"""

from dataclasses import dataclass

from regions.authorities import ONE_STOP, Authority
from regions.joint import JointPart
from regions.matter import HandlingMode, Matter, PlaceKind, Provenance
from regions.placekinds import place_terms
from regions.region import Level, Place
from regions.wording import Reason, reason


@dataclass(frozen=True, slots=True)
class Ground:
    """What is decided where: a matter, or a part of it."""

    matter: Matter
    part: JointPart | None
    department: str
    kind: PlaceKind
    level: Level


def outside(where: Ground, province_zh: str) -> Reason:
    """Why nobody here is competent: the deciding place lies in another province."""
    term = place_terms()[where.kind]
    return reason(
        "outside_federation",
        f"“{where.matter.name_zh}”由{term.name_zh}的机构决定，{province_zh}不在本联邦之内，请向当地机构提出。",
        f"{where.matter.name_en} is decided at {term.name_en}; {province_zh} is not part of this"
        " federation: please turn to the authority there.",
    )


def explain_ground(
    where: Ground, household: str | None, place: Place, filed_at: Place, body: Authority
) -> tuple[Reason, ...]:
    """Why `body` decides: the fact, the rule, the level, the sides, the authority."""
    if where.department == ONE_STOP:
        return _fact(where, place), _led(where, body)
    told = [_fact(where, place), _rule(where), _level(where, place, body)]
    elsewhere = household if where.kind is not PlaceKind.HOUSEHOLD else None
    if elsewhere and elsewhere[:4] != body.area[:4]:
        told.append(
            reason(
                "household_does_not_decide",
                f"户籍地({elsewhere})不决定由谁办理；身份证号码的前六位也不作为依据。",
                f"The household place ({elsewhere}) does not decide; nor do the first six digits of"
                " an identity number.",
            )
        )
    told.append(_side(where, filed_at, body))
    told.append(
        reason(
            "authority",
            f"因此由{body.name_zh}({body.code})决定；机构名称按部门和地区推定。",
            f"So {body.name_en} ({body.code}) decides; the name is derived from kind and area.",
        )
    )
    return tuple(told)


def _fact(where: Ground, place: Place) -> Reason:
    term = place_terms()[where.kind]
    if where.kind is PlaceKind.FILING:
        return reason(
            "fact_filing",
            f"办件在{place.name_zh}({place.code})提交。",
            f"The case is filed at {place.name_en} ({place.code}).",
        )
    return reason(
        f"fact_{where.kind.value}",
        f"您说明的{term.name_zh}是{place.name_zh}({place.code})。",
        f"You named {place.name_en} ({place.code}) as {term.name_en}.",
    )


def _rule(where: Ground) -> Reason:
    term = place_terms()[where.kind]
    what_zh, what_en = where.matter.name_zh, where.matter.name_en
    if where.part is not None:
        what_zh, what_en = f"{what_zh}·{where.part.name_zh}", f"{what_en}: {where.part.name_en}"
    derived = where.matter.where.provenance is Provenance.DERIVED
    status_zh, status_en = ("按来源推定", "derived") if derived else ("本联邦拟定", "our proposal")
    return reason(
        "place_kind",
        f"“{what_zh}”由{term.name_zh}的机构决定({status_zh}，非官方文本)。",
        f"{what_en} is decided at {term.name_en} ({status_en}, not official text).",
    )


def _led(where: Ground, body: Authority) -> Reason:
    return reason(
        "led_at_filing",
        f"“{where.matter.name_zh}”由收件地的{body.name_zh}({body.code})牵头，各部分由各自的机构决定。",
        f"{where.matter.name_en} is led by {body.name_en} ({body.code}) where it is filed; each part is"
        " decided by its own body.",
    )


def _level(where: Ground, place: Place, body: Authority) -> Reason:
    names = {
        Level.PROVINCE: ("省级", "province"),
        Level.CITY: ("市级", "city"),
        Level.COUNTY: ("县级", "county"),
    }
    zh, en = names[where.level]
    if place.code != body.area:
        return reason(
            "level_rolled_up",
            f"本事项由{zh}机构办理，{place.code}归{body.area}。",
            f"It is a matter of the {en} level: {place.code} belongs to {body.area}.",
        )
    return reason("level", f"本事项由{zh}机构办理。", f"It is a matter of the {en} level.")


def _side(where: Ground, filed_at: Place, body: Authority) -> Reason:
    if filed_at.region == body.region:
        return reason(
            "same_region",
            f"收件地{filed_at.name_zh}与办理地同在一省(市)，不经跨省流转。",
            f"{filed_at.name_en}, where it is filed, lies in the same region: nothing crosses a border.",
        )
    if where.matter.mode is HandlingMode.COLLECT_ON_BEHALF:
        return reason(
            "window_collects",
            f"{filed_at.name_zh}的窗口只收件、核对形式和身份，不作决定。",
            f"The window at {filed_at.name_en} takes in and checks form and identity; it does not decide.",
        )
    if where.matter.mode is HandlingMode.JOINT:
        return reason(
            "joint_side",
            f"{filed_at.name_zh}牵头受理，本部分由办理地机构各自决定。",
            f"{filed_at.name_en} leads; this part is decided by the body of its own place.",
        )
    return reason(
        "filed_straight",
        f"通过{filed_at.name_zh}的平台直接向办理地申请，无须到场。",
        f"It goes from the platform of {filed_at.name_en} straight to the deciding place; nobody travels.",
    )


def explain_wrong(body: Authority, mine: Authority) -> tuple[Reason, Reason]:
    """Why `body`, named by the applicant, is not competent, and that `mine` is."""
    if body.department != mine.department:
        what = reason(
            "other_department",
            f"{body.name_zh}不主管本事项。",
            f"{body.name_en} is not in charge of this matter.",
        )
    elif body.region != mine.region:
        what = reason(
            "other_region",
            f"{body.name_zh}在另一省(市)，对本事项没有管辖权。",
            f"{body.name_en} lies in another region and has no competence here.",
        )
    elif body.level is not mine.level:
        what = reason(
            "other_level",
            f"{body.name_zh}不是办理本事项的一级。",
            f"{body.name_en} is not of the level that decides this matter.",
        )
    else:
        what = reason(
            "other_area", f"{body.name_zh}管辖的是另一地区。", f"{body.name_en} is in charge of another area."
        )
    go = reason(
        "go_instead",
        f"请改向{mine.name_zh}({mine.code})提出。",
        f"Please turn to {mine.name_en} ({mine.code}) instead.",
    )
    return what, go
