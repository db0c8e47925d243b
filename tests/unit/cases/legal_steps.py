"""Every legal step (state, command, role, kind), written by hand from the protocol, not read off the table.

A: applicant or agent, W: window, O: officer, H: head, S: the node, T: timer, P: operator.
F: full online, C: collected on behalf, L: lead, U: part. No kinds named: all four.
"""

from __future__ import annotations

from collections.abc import Iterator

Step = tuple[str, str, str, str]

EVERY_STATE = """
report_lost O W; return_original O W; ship O W; shipment_arrived O W
change_light T; recompute_deadlines S; fold_part S:L
"""

AT_THE_WINDOW = """
report_lost O:FLU W; return_original O:FLU W; ship O:FLU W; shipment_arrived O:FLU W; take_custody O:FLU W
change_light T; recompute_deadlines S; fold_part S:L
withdraw A W S:LU; suspend P O:FLU
"""
"""Of `filed`: no officer has a case yet that a window collects."""

OPEN = "take_custody O W"

WAITING_FOR_NOTICE = """
notice_overdue T; hand_over S:FCU P:FCU; receive S:FCU; reject_handover S:FCU
"""

BEFORE_DECISION = "withdraw A W S:LU; suspend P O"

AFTER_DECISION = "suspend P O"

STEPS = {
    "draft": "file A:FCL W:CL S:U",
    "filed": f"""
        pre_check O:FU S:FU W:CL; request_correction O:FLU W:CL
        refuse O:FU S:FU P:FU
        notice_overdue T; hand_over S:FU P:FU; receive S:FU; reject_handover S:FU; {AT_THE_WINDOW}""",
    "pre_checked": f"""
        request_correction O; accept O S; accept_with_lack O; refuse O S:FCU P:FCU
        {WAITING_FOR_NOTICE}; {BEFORE_DECISION}; {OPEN}; {EVERY_STATE}""",
    "correction": f"""
        correct A W; correction_overdue T; withdraw A W T S:LU; refuse O
        hand_over S:FCU P:FCU; receive S:FCU; reject_handover S:FCU
        suspend P O; {OPEN}; {EVERY_STATE}""",
    "corrected": f"""
        pre_check W:C
        request_correction O; accept O S; accept_with_lack O; refuse O S:FCU P:FCU
        {WAITING_FOR_NOTICE}; {BEFORE_DECISION}; {OPEN}; {EVERY_STATE}""",
    "accepted": f"""
        start_review O S; hand_over S:FCU P:FCU; receive S:FCU; reject_handover S:FCU
        {BEFORE_DECISION}; {OPEN}; {EVERY_STATE}""",
    "accepted_with_lack": f"""
        start_review O S; supply_lack A W; lack_overdue T; revoke O
        {BEFORE_DECISION}; {OPEN}; {EVERY_STATE}""",
    "in_review": f"""
        finish_step O:FCU; open_special O; extend H; pass_up O; decide O S
        supply_lack A W; lack_overdue T; revoke O; file_part S:L; detach_part P:L
        {BEFORE_DECISION}; {OPEN}; {EVERY_STATE}""",
    "extended": f"""
        finish_step O:FCU; open_special O; pass_up O; decide O S
        supply_lack A W; lack_overdue T; revoke O; file_part S:L; detach_part P:L
        {BEFORE_DECISION}; {OPEN}; {EVERY_STATE}""",
    "special_procedure": f"""
        end_special O; procedure_overdue T; supply_lack A W; lack_overdue T
        {BEFORE_DECISION}; {OPEN}; {EVERY_STATE}""",
    "passed_up": f"""
        take_up O; supply_lack A W; lack_overdue T
        {BEFORE_DECISION}; {OPEN}; {EVERY_STATE}""",
    "decided": f"""
        join S:U; dispatch O W; confirm_delivery S O W A
        {AFTER_DECISION}; {OPEN}; {EVERY_STATE}""",
    "delivering": f"""
        dispatch O W; confirm_delivery S O W A
        {AFTER_DECISION}; {OPEN}; {EVERY_STATE}""",
    "delivered": f"""
        close S; rate A; answer_rating O W
        {AFTER_DECISION}; {OPEN}; {EVERY_STATE}""",
    "closed": f"rate A; answer_rating O W; {EVERY_STATE}",
    "rated": f"rate A; answer_rating O W; {EVERY_STATE}",
    "refused": f"rate A; answer_rating O W; {EVERY_STATE}",
    "acceptance_revoked": f"rate A; answer_rating O W; reinstate S; {EVERY_STATE}",
    "withdrawn": f"reinstate S; {EVERY_STATE}",
    "suspended": f"""
        resume P O; withdraw A:FCU W:FCU; notice_overdue T; correction_overdue T; procedure_overdue T
        receive S:FCU; reject_handover S:FCU
        {OPEN}; {EVERY_STATE}""",
}


def _read() -> Iterator[Step]:
    for state, text in STEPS.items():
        for phrase in text.replace("\n", ";").split(";"):
            words = phrase.split()
            for said in words[1:]:
                role, _, kinds = said.partition(":")
                for kind in kinds or "FCLU":
                    yield state, words[0], role, kind


LEGAL: frozenset[Step] = frozenset(_read())
