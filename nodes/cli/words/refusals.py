"""What the refusals of a node mean, by their code."""

from typing import Final

REFUSALS: Final[dict[str, tuple[str, str]]] = {
    "refusal.NOT_IN_TABLE": ("该身份在当前状态下不能这样做。", "this role may not do that in this state."),
    "refusal.NOT_OWNER": ("本节点不是主办方。", "this region does not own the case."),
    "refusal.NOT_RECEIVED": ("新的主办方尚未接收。", "the new owner has not yet received it."),
    "refusal.WRONG_REGION": ("该省不是办件的这一方。", "that region has no such part in this case."),
    "refusal.ALREADY_FILED": ("已经收件。", "it is filed already."),
    "refusal.NO_SUCH_CASE": ("没有这个办件。", "there is no such case."),
    "refusal.NOTICE_LATE": (
        "已过告知期限，自收件之日起视为受理。",
        "the notice day has passed: the case counts as accepted from the day of receipt.",
    ),
    "refusal.SECOND_LIST": (
        "所列事项第一次告知时即可知悉，不得再次要求补正。",
        "the item could have been named in the first list (told once).",
    ),
    "refusal.EMPTY_LIST": ("清单是空的。", "the list is empty."),
    "refusal.NOT_ON_GUIDE": ("该材料不在办理地指南之列。", "the item is not on the competent place's guide."),
    "refusal.ITEM_MISSING": ("有应补的事项未补。", "a listed item was not answered."),
    "refusal.NOT_LACKABLE": ("该材料不能容缺。", "the item may not be lacking."),
    "refusal.LACK_OPEN": ("尚有容缺材料未补交。", "a lack is still open."),
    "refusal.LACK_NOT_ALLOWED": (
        "办理地不实行容缺受理。",
        "the competent place has no acceptance with a lack.",
    ),
    "refusal.REASON_MISSING": ("须说明理由。", "a reason is needed."),
    "refusal.REMEDY_MISSING": ("须告知救济途径。", "how to appeal must be said."),
    "refusal.APPROVER_MISSING": ("须写明批准人。", "who approved it must be named."),
    "refusal.ALREADY_EXTENDED": ("期限只能延长一次。", "the limit can be extended only once."),
    "refusal.NO_EXTENSION": ("该事项不能延期。", "this matter has no extension."),
    "refusal.STEPS_OPEN": ("审批环节尚未完成。", "a step of the review is still open."),
    "refusal.WRONG_AUTHORITY": ("不是主管部门。", "that authority is not competent."),
    "refusal.ALREADY_RATED": ("已经评价过。", "it is rated already."),
    "refusal.BAD_VALUE": ("有的值不可用。", "a value will not do."),
    "refusal.ORIGINALS_OUT": ("原件尚未退还申请人。", "the applicant's originals are not back yet."),
    "refusal.NOT_HELD": ("没有保管该原件。", "that original is not held."),
    "refusal.PARTS_PENDING": ("联办各部分尚未全部有结果。", "not every part has answered."),
    "refusal.PART_DECIDED": (
        "已有部分作出决定，不能撤回。",
        "a part is decided: the whole cannot be withdrawn.",
    ),
    "refusal.NO_SUCH_PART": ("没有这个部分。", "there is no such part."),
    "refusal.NOT_JOINED": ("须等待其他部分。", "it waits for the other parts."),
    "refusal.HANDOVER_SPENT": (
        "该移交已被退回，不能重复。",
        "that handover was rejected and cannot be repeated.",
    ),
    "refusal.MANDATE_MISSING": ("缺少委托书。", "the mandate is missing."),
    "refusal.TOO_LATE": ("已经太晚。", "it is too late."),
    "refusal.NOT_DUE": ("时限未到。", "it is not due yet."),
    "refusal.NOTHING_TO_DO": ("没有需要做的。", "there is nothing to do."),
    "refusal.NEEDS_CHOICE": ("须先由申请人选择。", "the applicant must choose first."),
    "refusal.REQUEST_ID_REUSED": (
        "该请求编号已用于另一内容。",
        "this request id was used for another content.",
    ),
    "refusal.VERSION_CONFLICT": ("办件已有变化。", "the case has changed meanwhile."),
    "refusal.GUIDE_CHANGED": ("办事指南已更新。", "the guide has changed."),
    "refusal.RESOURCE_EXHAUSTED": ("节点过忙。", "the node is overloaded."),
}
