"""The transition table as the provinces first agreed it, copied by hand: states, then verb and roles.

A: applicant or agent, W: window, O: officer, H: head, S: the node, T: timer, P: operator. Without the kinds
of case. What the table in use has beyond this, or not, stands in docs/adr/0002.
"""

from __future__ import annotations

from collections.abc import Iterator

GROUPS = {
    "reviewing": "in_review extended",
    "open": "filed pre_checked correction corrected accepted accepted_with_lack in_review extended "
    "special_procedure passed_up decided delivering delivered suspended",
    "undecided": "filed pre_checked correction corrected accepted accepted_with_lack in_review extended "
    "special_procedure passed_up",
}

AGREED = """
draft: file A W S
filed: pre_check O S W
filed pre_checked corrected: request_correction O
filed: request_correction W
correction: correct A W; correction_overdue T; withdraw T
pre_checked corrected: accept O S; accept_with_lack O
filed pre_checked corrected: notice_overdue T
filed pre_checked corrected correction: refuse O
accepted_with_lack reviewing: supply_lack A W; lack_overdue T; revoke O
accepted accepted_with_lack: start_review O S
reviewing: finish_step O; open_special O; pass_up O; decide O S
special_procedure: end_special O; procedure_overdue T
in_review: extend H
passed_up: take_up O
decided: join S; dispatch O W
decided delivering: confirm_delivery S O W A
delivering: report_lost O W
delivered: close S
delivered closed refused acceptance_revoked: rate A
undecided: withdraw A W
open: suspend P O
suspended: resume P O
withdrawn acceptance_revoked: reinstate S
open: change_light T
"""


def agreed() -> Iterator[tuple[str, str, str]]:
    """State, verb, role."""
    for line in AGREED.strip().splitlines():
        states, phrases = line.split(": ", 1)
        names = " ".join(GROUPS.get(name, name) for name in states.split()).split()
        for phrase in phrases.split("; "):
            verb, *roles = phrase.split()
            yield from ((state, verb, role) for state in names for role in roles)
