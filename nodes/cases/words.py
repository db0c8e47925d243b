"""The words of the room in Chinese and English: states, roles, kinds, effects. For documents and faces.

Knows names only. A word for every member: a test asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from nodes.cases.case import Role, State
from nodes.cases.effects import Effect as X
from nodes.cases.filing import Kind
from nodes.cases.table import To, When

Words = tuple[str, str]
"""Chinese, English."""

STATES: Mapping[State, Words] = {
    State.DRAFT: ("草稿", "draft"),
    State.FILED: ("已收件", "filed"),
    State.PRE_CHECKED: ("已预审", "pre-checked"),
    State.CORRECTION: ("待补正", "waiting for correction"),
    State.CORRECTED: ("已补正", "corrected"),
    State.ACCEPTED: ("已受理", "accepted"),
    State.ACCEPTED_WITH_LACK: ("容缺受理", "accepted with a lack"),
    State.ACCEPTANCE_REVOKED: ("撤销受理", "acceptance revoked"),
    State.REFUSED: ("不予受理", "not accepted"),
    State.IN_REVIEW: ("审批中", "in review"),
    State.EXTENDED: ("已延期", "in review, extended"),
    State.SPECIAL_PROCEDURE: ("特别程序", "special procedure"),
    State.PASSED_UP: ("已转报", "passed up"),
    State.DECIDED: ("已决定", "decided"),
    State.DELIVERING: ("送达中", "being delivered"),
    State.DELIVERED: ("已送达", "delivered"),
    State.CLOSED: ("已办结", "closed"),
    State.RATED: ("已评价", "rated"),
    State.WITHDRAWN: ("已撤回", "withdrawn"),
    State.SUSPENDED: ("已中止", "suspended"),
}

ROLES: Mapping[Role, Words] = {
    Role.APPLICANT: ("申请人或代办人", "applicant or agent"),
    Role.WINDOW: ("收件地窗口", "window of the origin"),
    Role.OFFICER: ("办理机关承办人", "officer of the authority"),
    Role.HEAD: ("办理机关负责人", "head of the authority"),
    Role.NODE: ("节点", "the node itself"),
    Role.TIMER: ("时限", "timer"),
    Role.OPERATOR: ("运维人员", "operator"),
}

KINDS: Mapping[Kind, Words] = {
    Kind.FULL_ONLINE: ("全程网办", "full online"),
    Kind.COLLECT_ON_BEHALF: ("异地代收代办", "collected on behalf"),
    Kind.LEAD: ("多地联办主件", "lead of a joint case"),
    Kind.PART: ("多地联办分件", "part of a joint case"),
}

TARGETS: Mapping[To, Words] = {
    To.STAYS: ("不变", "stays"),
    To.BACK: ("回到原状态", "back to where it came from"),
    To.BEFORE: ("回到时限生效之前", "where it stood before the timer"),
}

CONDITIONS: Mapping[When, Words] = {
    When.ALWAYS: ("", ""),
    When.ALL_SUPPLIED: ("全部补齐", "all supplied"),
    When.STILL_LACKING: ("仍有欠缺", "still lacking"),
    When.JOINED: ("其他分件均准予", "the others were granted"),
    When.LAPSED: ("其他分件未全部准予", "the others were not all granted"),
    When.PARTS_OUT: ("有分件未答复", "a part has not answered"),
    When.NO_PART_OUT: ("无未答复的分件", "no part is out"),
}

EFFECTS: Mapping[X, Words] = {
    X.NOTICE_STARTS: ("告知时限自收件日起算", "notice runs from the day of receipt"),
    X.NOTICE_ENDS: ("告知时限结束", "notice ends"),
    X.CORRECTION_STARTS: ("补正时限起算", "correction starts"),
    X.CORRECTION_ENDS: ("补正时限结束", "correction ends"),
    X.CORRECTION_RED: ("补正亮红灯", "red on the correction"),
    X.DECISION_STARTS: ("审批时限自次一工作日起算", "decision starts, next working day"),
    X.DECISION_FROM_RECEIPT: ("审批时限自收件日起算", "decision counted from receipt"),
    X.DECISION_ENDS: ("审批与环节时限结束", "decision and step end"),
    X.DECISION_STOPS: ("审批与环节时限中止", "decision and step stand"),
    X.DECISION_RESUMES: ("审批与环节时限恢复", "decision and step resume"),
    X.LACK_STARTS: ("容缺时限起算", "lack starts"),
    X.LACK_ENDS: ("补齐则容缺时限结束", "lack ends when all is in"),
    X.STEP_STARTS: ("首环节时限起算", "first step starts"),
    X.STEP_MOVES_ON: ("下一环节时限起算", "next step starts"),
    X.PROCEDURE_STARTS: ("特别程序时限起算", "procedure starts"),
    X.PROCEDURE_ENDS: ("特别程序时限结束", "procedure ends"),
    X.PROCEDURE_RED: ("特别程序亮红灯", "red on the procedure"),
    X.LIMIT_GROWS: ("审批时限延长", "limit grows"),
    X.DELIVERY_STARTS: (
        "送达时限起算(全有或全无的分件先中止)",
        "delivery starts (stands where others are awaited)",
    ),
    X.DELIVERY_RESUMES: ("送达时限恢复", "delivery resumes"),
    X.DELIVERY_ENDS: ("送达时限结束", "delivery ends"),
    X.CONTACT_STARTS: ("一二星则联系时限起算", "contact starts on 1-2 stars"),
    X.CONTACT_ENDS: ("联系时限结束", "contact ends"),
    X.COURT_STOPS: ("司法文书则全部中止", "a court order stops all"),
    X.COURT_RESUMES: ("因司法文书中止者恢复", "what a court stopped resumes"),
    X.MOVED: ("机关时限随件移转", "the authority's clocks go along"),
    X.RESTORED: ("视同时限未生效", "as if the timer had not fired"),
    X.RECOMPUTED: ("按新日历重算", "counted anew"),
    X.LIGHT: ("亮灯", "light"),
    X.ALL_END: ("全部结束(联系时限除外)", "all end (but contact)"),
}
