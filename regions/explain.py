"""Who decides, how long it takes, what is needed, and why: the answer in words.

Knows how to put structured facts into sentences, in Chinese and English. Must not know
screens: a face prints the sections as it likes. Every limit says on what it rests, and what
is authored by the federation says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from regions.calendar import WorkCalendar, work_calendar
from regions.catalog import ApplicantKind, HandlingMode, Matter, catalogue
from regions.directory import (
    ApplicantFacts,
    Competence,
    Finding,
    NeedsChoice,
    competent,
    competent_parts,
)
from regions.guide import Guide
from regions.guidebook import guide as shipped_guide
from regions.joint import JointPart, JointRule
from regions.limits import Limit
from regions.phrases import limit_words, material_words
from regions.wording import Language, Reason, reason

_MODES = {
    HandlingMode.FULL_ONLINE: ("全程网办", "full online"),
    HandlingMode.COLLECT_ON_BEHALF: ("异地代收代办", "collected on behalf elsewhere"),
    HandlingMode.JOINT: ("多地联办", "joint handling"),
}
_RULES = {
    JointRule.ALL_OR_NONE: (
        "各部分全部准予才一并送达，任一部分不准予则全部不生效。",
        "All parts are granted and delivered together, or none takes effect.",
    ),
    JointRule.BEST_EFFORT: (
        "各部分分别办理、分别送达，互不影响，最后汇总告知。",
        "Each part is decided and delivered by itself; one summary at the end.",
    ),
    JointRule.ORDERED: (
        "各部分依次办理，前一部分有了结果，后一部分才开始计时。",
        "The parts follow each other: the next starts, and its clock, on the result of the one before.",
    ),
}
_TITLES = {
    "matter": ("事项", "The matter"),
    "who": ("由谁决定", "Who decides"),
    "how_long": ("要多久", "How long it takes"),
    "needed": ("需要什么", "What is needed"),
    "notes": ("说明", "To be noted"),
}


@dataclass(frozen=True, slots=True)
class Section:
    """One heading with its sentences. code: matter, who, how_long, needed or notes."""

    code: str
    title_zh: str
    title_en: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole answer.

    finding: who decides, or what has to be asked first; parts: of a joint matter; guides:
    of the matter (key "") and of each part whose authority is known, by part code.
    """

    matter: Matter
    finding: Finding
    parts: tuple[tuple[JointPart, Finding], ...]
    guides: Mapping[str, Guide]
    sections: tuple[Section, ...]

    def lines(self, language: Language) -> tuple[str, ...]:
        """Headings and sentences, in order."""
        said: list[str] = []
        for section in self.sections:
            said.append(section.title_zh if language == "zh" else section.title_en)
            said.extend(item.text(language) for item in section.reasons)
        return tuple(said)


def explain(
    matter: str,
    facts: ApplicantFacts,
    filing: str,
    now: datetime,
    circumstances: frozenset[str] = frozenset(),
    held: frozenset[str] = frozenset(),
    calendar: WorkCalendar | None = None,
) -> Explanation:
    """Explain `matter` for a person with these facts, filed at `filing` at `now` (aware).

    circumstances: codes of conditions.csv that hold; held: material codes that the origin
    already has of this person. Raises FactError and CalendarError.
    """
    days = calendar or work_calendar()
    entry = catalogue().matter(matter)
    finding = competent(matter, facts, filing)
    parts = competent_parts(matter, facts, filing)
    guides = _guides(entry, finding, parts, filing)
    lead = guides.get("")
    notes = _notes(entry, lead)
    sections = (
        _section("matter", _about(entry)),
        _section("who", _who(finding, parts, matter)),
        _section("how_long", _how_long(guides, parts, now, days)),
        _section("needed", _needed(lead, circumstances, held)),
        _section("notes", notes),
    )
    return Explanation(entry, finding, parts, guides, tuple(s for s in sections if s.reasons))


def _section(code: str, reasons: list[Reason]) -> Section:
    return Section(code, *_TITLES[code], tuple(reasons))


def _guides(
    entry: Matter, finding: Finding, parts: tuple[tuple[JointPart, Finding], ...], filing: str
) -> dict[str, Guide]:
    found: dict[str, Guide] = {}
    if entry.mode is HandlingMode.JOINT:
        found[""] = shipped_guide(entry.code, filing)
    elif isinstance(finding, Competence):
        found[""] = shipped_guide(entry.code, finding.authority.area)
    for part, where in parts:
        if isinstance(where, Competence):
            found[part.code] = shipped_guide(entry.code, where.authority.area, part.code)
    return found


def _about(entry: Matter) -> list[Reason]:
    zh, en = _MODES[entry.mode]
    inferred_zh, inferred_en = ("（推定）", " (inferred)") if entry.mode_inferred else ("", "")
    firm = entry.applicant is ApplicantKind.ENTERPRISE
    said = [
        reason(
            "matter",
            f"{entry.code} {entry.name_zh}；{zh}{inferred_zh}；由{'企业' if firm else '个人'}申请。",
            f"{entry.code} {entry.name_en}; mode: {en}{inferred_en}; for {'firms' if firm else 'persons'}.",
        )
    ]
    if entry.printable_source:
        source = entry.printable_source
        said.append(reason("list", f"列入：{source}。", f"On the list: {source}."))
    return said


def _who(finding: Finding, parts: tuple[tuple[JointPart, Finding], ...], matter: str) -> list[Reason]:
    said = list(_found(finding))
    plan = catalogue().plan(matter)
    if plan is None:
        return said
    zh, en = _RULES[plan.rule]
    count = len(plan.parts)
    said.append(reason("joint_rule", f"共{count}个部分。{zh}", f"It has {count} part(s). {en}"))
    for n, (part, where) in enumerate(parts, 1):
        if isinstance(where, Competence):
            body = where.authority
            said.append(
                reason(
                    "joint_part",
                    f"第{n}部分“{part.name_zh}”：{body.name_zh}({body.code})。",
                    f"Part {n}, {part.name_en}: {body.name_en} ({body.code}).",
                )
            )
        else:
            last = _found(where)[-1]
            head_zh, head_en = f"第{n}部分“{part.name_zh}”：", f"Part {n}, {part.name_en}: "
            said.append(reason("joint_part_open", head_zh + last.zh, head_en + last.en))
    return said


def _found(finding: Finding) -> tuple[Reason, ...]:
    if isinstance(finding, NeedsChoice):
        return (reason(f"ask_{finding.field}", finding.question_zh, finding.question_en),)
    return finding.explanation


def _how_long(
    guides: Mapping[str, Guide],
    parts: tuple[tuple[JointPart, Finding], ...],
    now: datetime,
    days: WorkCalendar,
) -> list[Reason]:
    said: list[Reason] = []
    lead = guides.get("")
    if lead is not None:
        said.append(_clock("notice", ("受理或补正告知", "Notice of acceptance or correction"), lead.notice))
        what = ("全案办结", "The joint case as a whole") if lead.joint else ("作出决定", "Decision")
        said.append(_clock("decision", what, lead.decision))
        said.append(_by("decision_by", lead, lead.decision, now, days))
        if lead.extension is not None:
            said.append(_clock("extension", ("经批准可延长", "Extension, if approved"), lead.extension))
        said.append(_clock("delivery", ("送达", "Delivery"), lead.delivery))
    for part, _ in parts:
        guide = guides.get(part.code)
        if guide is not None:
            names = (f"其中“{part.name_zh}”", f"Of which {part.name_en}")
            said.append(_clock("part_decision", names, guide.decision))
    return said


def _clock(code: str, what: tuple[str, str], limit: Limit) -> Reason:
    words = limit_words(limit)
    return reason(code, f"{what[0]}：{words.zh}。", f"{what[1]}: {words.en}.")


def _by(code: str, guide: Guide, limit: Limit, now: datetime, days: WorkCalendar) -> Reason:
    due = days.due(now, limit, guide.close_of_business)
    flag_zh = "；该年放假安排尚未公布，日期为暂定" if due.provisional else ""
    flag_en = "; that year's calendar is not published, the date is provisional" if due.provisional else ""
    hour = guide.close_of_business.strftime("%H:%M") if guide.close_of_business else "24:00"
    return reason(
        code,
        f"如今日受理，最迟{due.day.isoformat()} {hour}{flag_zh}。",
        f"If accepted today, by {due.day.isoformat()} {hour} at the latest{flag_en}.",
    )


def _needed(guide: Guide | None, circumstances: frozenset[str], held: frozenset[str]) -> list[Reason]:
    if guide is None:
        return []
    said = []
    for item in guide.materials:
        if item.condition is not None and not item.applies(circumstances):
            continue
        if item.required and item.is_met_by(held):
            said.append(
                reason(
                    "held_already",
                    f"{item.name_zh}：收件地已存有有效件，经您同意后不再要求提交。",
                    f"{item.name_en}: held already and valid; with your consent it is not asked for again.",
                )
            )
        else:
            said.append(material_words(item))
    return said


def _notes(entry: Matter, guide: Guide | None) -> list[Reason]:
    said: list[Reason] = []
    if guide is None:
        return said
    for zh, en in zip(guide.notes_zh, guide.notes_en, strict=True):
        said.append(reason(f"flow_{entry.where.flow.value}", zh, en))
    if guide.lack_allowed and any(item.lackable for item in guide.materials) and guide.lack:
        words = limit_words(guide.lack)
        said.append(reason("lack", f"容缺材料补交期限：{words.zh}。", f"Supplying a lack: {words.en}."))
    if guide.deemed_withdrawal:
        said.append(
            reason(
                "deemed_withdrawal",
                "逾期不补正的，视为撤回申请（本省规定）。",
                "An overdue correction counts as withdrawn (a rule of this province).",
            )
        )
    said.append(
        reason(
            "guide_version",
            f"依据办理地指南版本{guide.version}。",
            f"By version {guide.version} of the guide of the deciding place.",
        )
    )
    return said
