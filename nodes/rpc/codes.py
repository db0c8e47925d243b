"""The one table of errors: stable code -> gRPC status, words, and what to do next. Pure.

Knows every code that a call may be refused with, whichever room it comes from. Must not know exceptions
(faults). A code that is not here is told as FAILED_PRECONDITION with the words that came with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from grpc import StatusCode


@dataclass(frozen=True, slots=True)
class Row:
    """zh, en: what is wrong; do_zh, do_en: what to do next, "" where nothing helps."""

    status: StatusCode
    zh: str
    en: str
    do_zh: str = ""
    do_en: str = ""


BAD = StatusCode.INVALID_ARGUMENT
RULE = StatusCode.FAILED_PRECONDITION
NONE = StatusCode.NOT_FOUND
DENIED = StatusCode.PERMISSION_DENIED
FULL = StatusCode.RESOURCE_EXHAUSTED
AWAY = StatusCode.UNAVAILABLE

_LOOK: Final = ("先查询办件的当前状态。", "look at the case as it is now")
_LATER: Final = ("请稍后重试，用同一个请求号。", "come again later, with the same request id")
_OWNER: Final = ("请向主办地提出。", "ask the region that owns the case")

_CALL: Final = {
    "MALFORMED": Row(BAD, "格式不对。", "is malformed", "按字段说明改正后重发。", "correct the field and send it again"),
    "MISSING": Row(BAD, "缺少必填内容。", "is missing", "补上后重发。", "add it and send it again"),
    "CURSOR": Row(BAD, "翻页标记无效。", "is no cursor of this list", "从第一页开始。", "begin at the first page"),
    "TOKEN": Row(BAD, "续传标记无效。", "is no resume token", "用空标记重新开始。", "begin anew with an empty token"),
    "ROLE_NOT_PERMITTED": Row(DENIED, "该身份不能调用此项。", "this role may not make this call"),
    "ACTOR_REGION": Row(
        DENIED, "操作人不属于本地区。", "the actor does not act in this region", "请通过所在地区的节点办理。",
        "call the node of the actor's region",
    ),
    "NOT_YOURS": Row(DENIED, "与该办件无关，不能查看。", "this actor has no part in the case"),
    "FILTER_NEEDED": Row(
        DENIED, "申请人只能查询指明的办件。", "an applicant sees named cases only", "请给出办件编号。",
        "name the case numbers",
    ),
    "REQUEST_ID_REUSED": Row(
        StatusCode.ALREADY_EXISTS, "该请求号已用于另一请求。", "this request id was used with another body",
        "换一个请求号。", "take a new request id",
    ),
    "VERSION_CONFLICT": Row(StatusCode.ABORTED, "办件已有变化。", "the case has changed meanwhile", *_LOOK),
    "OVERLOADED": Row(FULL, "节点过忙。", "the node is overloaded", *_LATER),
    "UNAVAILABLE": Row(AWAY, "节点暂时不能办理。", "the node cannot do it now", *_LATER),
    "DRAINING": Row(AWAY, "节点正在停机。", "the node is stopping", "稍后重新连接。", "connect again later"),
    "SLOW_READER": Row(
        FULL, "接收太慢，已断开。", "the reader was too slow and was dropped", "用最后的续传标记继续。",
        "go on with the last resume token",
    ),
    "INTERNAL": Row(
        StatusCode.INTERNAL, "节点内部错误。", "something went wrong in the node", "请联系节点管理员。",
        "ask the node's operator",
    ),
    "NO_SUCH_LETTER": Row(NONE, "没有这条搁置的消息。", "there is no such parked message"),
    "PEER_UNREACHABLE": Row(AWAY, "对方地区的节点联系不上。", "the other region's node cannot be reached", *_LATER),
}  # fmt: skip

_MATERIAL: Final = {
    "MATERIAL_TOO_LARGE": Row(BAD, "文件过大。", "is too large", "压缩或拆分后重传。", "make it smaller"),
    "MATERIAL_TYPE": Row(BAD, "不接受此类文件。", "is not a type that is taken", "换成 PDF、OFD 或图片。",
                         "send PDF, OFD or a picture"),
    "MATERIAL_SIZE": Row(BAD, "大小与所报不符。", "is not the size that was announced", "重新上传。", "send it again"),
    "MATERIAL_DIGEST": Row(BAD, "内容与摘要不符。", "is not what its digest names", "重新上传。", "send it again"),
    "MATERIAL_OFFSET": Row(StatusCode.OUT_OF_RANGE, "起始位置超出文件。", "does not lie within the content"),
    "MATERIAL_NOT_STORED": Row(NONE, "本节点没有该文件内容。", "the content is not in this node",
                               "先上传该文件。", "upload it first"),
    "MATERIAL_STORE": Row(AWAY, "文件存储不可用。", "the store of materials fails", *_LATER),
    "MATERIAL_NOT_OF_CASE": Row(NONE, "该办件没有这份材料。", "the case has no such material"),
}  # fmt: skip

_FILING: Final = {
    "FILING_REFUSED": Row(BAD, "申请有多处须改正。", "several fields of the filing are wrong", "按各字段提示改正。",
                          "correct every field named"),
    "MATTER_UNKNOWN": Row(NONE, "没有这个事项，或未开通。", "there is no such matter, or it is off", "查看事项目录。",
                          "look into the catalogue"),
    "GUIDE_CHANGED": Row(RULE, "办事指南已更新。", "the guide has changed", "按新指南重新提交。",
                         "read the new guide and file again"),
    "NEEDS_CHOICE": Row(BAD, "须先由申请人选择。", "the applicant must choose first", "填写所问的地点。",
                        "state the place that is asked for"),
    "OUTSIDE_FEDERATION": Row(BAD, "办理地不在沪苏浙皖之内。", "the deciding place lies outside the federation",
                              "请向当地部门办理。", "go to the authority of that place"),
    "WRONG_AUTHORITY": Row(BAD, "不是主管部门。", "that authority is not competent", "改投所指部门。",
                           "file with the authority that is named"),
    "NOT_ON_GUIDE": Row(BAD, "该材料不在办理地指南之列。", "is not on the competent place's guide", "删去该材料。",
                        "leave it out"),
    "OTHER_REGION": Row(BAD, "收件地不属于本节点。", "the place of filing lies in another region",
                        "请到该地区的节点申请。", "file with that region's node"),
    "WINDOW_ONLY": Row(BAD, "该事项须在窗口收件。", "this matter is taken in at a window", "请到窗口办理。",
                       "go to a window"),
    "NOT_FOR_THIS_APPLICANT": Row(BAD, "该事项不对此类申请人开放。", "this matter is not for this kind of applicant"),
    "CHECKSUM": Row(BAD, "校验码不对。", "its check digit is wrong", "核对号码。", "check the number"),
    "UNKNOWN_CODE": Row(BAD, "没有这个区划代码。", "there is no such area code"),
    "RETIRED_CODE": Row(BAD, "该区划代码已撤销。", "this area code is no longer in use"),
    "MALFORMED_CODE": Row(BAD, "应为六位区划代码。", "must be an area code of six digits"),
    "NOT_PRECISE_ENOUGH": Row(BAD, "不够具体，应到县（市、区）。", "is not precise enough", "写到县（市、区）。",
                              "name the county"),
    "UNKNOWN_DEPARTMENT": Row(BAD, "没有这类部门。", "there is no such department"),
    "BIRTH_INVALID": Row(BAD, "出生日期不存在。", "its date of birth does not exist"),
    "BIRTH_IN_FUTURE": Row(BAD, "出生日期在将来。", "its date of birth lies in the future"),
    "BIRTH_TOO_EARLY": Row(BAD, "出生日期过早。", "its date of birth is too early"),
    "CENTURY_UNKNOWN": Row(BAD, "无法判断世纪。", "its century cannot be told"),
    "PROVINCE_UNKNOWN": Row(BAD, "号码开头的省份不存在。", "its province does not exist"),
    "COUNTY_UNKNOWN": Row(BAD, "号码中的县区未收录。", "its county is not in the list"),
    "KIND_UNKNOWN": Row(BAD, "没有这类证件。", "there is no such kind of document"),
    "UNKNOWN_KIND": Row(BAD, "没有这类申请人。", "there is no such kind of applicant"),
    "UNKNOWN_CHANNEL": Row(BAD, "没有这种渠道。", "there is no such channel"),
    "UNKNOWN_WAY": Row(BAD, "没有这种送达方式。", "there is no such way of delivery"),
    "UNKNOWN_MATTER": Row(NONE, "没有这个事项。", "there is no such matter"),
    "MATTER_DISABLED": Row(RULE, "该事项未启用。", "this matter is switched off"),
    "UNKNOWN_FACT": Row(BAD, "没有这种地点。", "there is no such kind of place"),
}  # fmt: skip

_CASE: Final = {
    "NO_SUCH_CASE": Row(NONE, "没有这个办件。", "there is no such case", "核对办件编号。", "check the case number"),
    "NOT_IN_TABLE": Row(RULE, "该身份在当前状态下不能这样做。", "this role may not do that in this state", *_LOOK),
    "NOT_OWNER": Row(RULE, "本节点不是主办方。", "this region does not own the case", *_OWNER),
    "NOT_RECEIVED": Row(RULE, "对方尚未确认接收。", "the new owner has not confirmed the handover", *_LATER),
    "WRONG_REGION": Row(DENIED, "该地区在此办件中无此职责。", "the actor's region has no such part in the case"),
    "ALREADY_FILED": Row(StatusCode.ALREADY_EXISTS, "已经收件。", "it is filed already"),
    "NOTICE_LATE": Row(RULE, "告知期已过，视为受理。", "the notice day has passed: it counts as accepted"),
    "SECOND_LIST": Row(RULE, "第一次本可告知，不得再次要求。", "it could have been named in the first list"),
    "EMPTY_LIST": Row(BAD, "清单是空的。", "the list is empty"),
    "ITEM_MISSING": Row(BAD, "有应补的事项未补。", "a listed item was not answered", "一次补齐全部事项。",
                        "answer every item"),
    "NOT_LACKABLE": Row(RULE, "该材料不能容缺。", "the item may not be lacking"),
    "LACK_OPEN": Row(RULE, "尚有容缺材料未补交。", "a lack is still open"),
    "LACK_NOT_ALLOWED": Row(RULE, "办理地没有容缺受理。", "there is no acceptance with a lack here"),
    "REASON_MISSING": Row(BAD, "须说明理由。", "a reason is needed"),
    "REMEDY_MISSING": Row(BAD, "须告知救济途径。", "how to appeal must be said"),
    "APPROVER_MISSING": Row(BAD, "须写明批准人。", "who approved it must be named"),
    "ALREADY_EXTENDED": Row(RULE, "期限只能延长一次。", "the limit can be extended only once"),
    "NO_EXTENSION": Row(RULE, "该事项不能延期。", "this matter has no extension"),
    "STEPS_OPEN": Row(RULE, "审批环节尚未完成。", "a step of the review is still open"),
    "ALREADY_RATED": Row(StatusCode.ALREADY_EXISTS, "已经评价过。", "it is rated already"),
    "BAD_VALUE": Row(BAD, "值不可用。", "the value will not do"),
    "ORIGINALS_OUT": Row(RULE, "原件尚未退还申请人。", "the applicant's originals are not back yet"),
    "NOT_HELD": Row(RULE, "没有保管该原件。", "that original is not held"),
    "PARTS_PENDING": Row(RULE, "联办各部分尚未全部有结果。", "not every part has answered"),
    "PART_DECIDED": Row(RULE, "已有部分作出决定，不能撤回。", "a part is decided: it cannot be withdrawn"),
    "NO_SUCH_PART": Row(NONE, "没有这个部分。", "there is no such part"),
    "NOT_JOINED": Row(RULE, "须等待其他部分。", "it waits for the other parts"),
    "HANDOVER_SPENT": Row(RULE, "该次移交已被拒绝，不能重复。", "that handover was rejected and cannot be repeated"),
    "MANDATE_MISSING": Row(BAD, "缺少委托书。", "the mandate is missing"),
    "TOO_LATE": Row(RULE, "已经太晚。", "it is too late"),
    "NOT_DUE": Row(RULE, "时限未到。", "it is not due yet"),
    "NOTHING_TO_DO": Row(RULE, "没有需要做的。", "there is nothing to do"),
}  # fmt: skip

TABLE: Final[Mapping[str, Row]] = MappingProxyType({**_CALL, **_MATERIAL, **_FILING, **_CASE})
"""Every code."""

OTHER: Final = Row(RULE, "不能办理。", "cannot be done")


def row(code: str) -> Row:
    """The row of a code, or that of all others."""
    return TABLE.get(code, OTHER)
