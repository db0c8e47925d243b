"""Every violation that the checker can name: its invariant (docs/guarantees.md) and what it means.

The tests of the checker plant each of them.
"""

from __future__ import annotations

from typing import Final

from tests.fault.checker.facts import Violation

NAMES: Final[dict[str, tuple[str, str]]] = {
    "lost_case": ("I1", "a filing was acknowledged and its origin does not have the case"),
    "lost_on_the_way": ("I1", "the owner does not have the case, and it waits in no queue"),
    "lost_act": ("I1", "an act was acknowledged and left neither event nor ask"),
    "doubled_effect": ("I2", "one request, ask or event took effect twice"),
    "number_given_twice": ("I2", "two filings have one case number"),
    "illegal_step": ("I3", "a step that the transition table does not have"),
    "not_the_owner": ("I3", "an event by a region that did not own the case, or ownership that moved unsaid"),
    "two_owners": ("I4", "two regions take themselves for the owner"),
    "no_owner": ("I4", "no region takes itself for the owner"),
    "stale_row": ("I4", "the row of a case does not say what its last event says"),
    "diverged_mirror": ("I4", "a party's copy is not the owner's case"),
    "fork": ("I4", "two different events have one version"),
    "parked_case": ("I4", "a copy waits for an operator though nobody sent poison"),
    "unfolded_part": ("I4", "a part ended and its lead does not know how"),
    "hole": ("I5", "a version is missing"),
    "broken_chain": (
        "I5",
        "an event does not follow from the bytes of the one before, or contradicts itself",
    ),
    "swapped_order": ("I5", "events of a case were written or sent in another order than they happened"),
    "unfilled_hole": ("I5", "events are still held, or a hole is still open"),
    "changed_answer": ("I8", "the same request was answered differently"),
    "forgotten_answer": ("I8", "the answer that was given is not stored"),
    "reused_request_id": ("I8", "another request under the same id was acknowledged"),
    "phantom_case": ("I9", "a case that nobody filed"),
    "phantom_event": ("I9", "an event that its author does not have"),
    "phantom_ask": ("I9", "an ask that its asker does not have"),
    "phantom_act": ("I9", "a person's act that nobody asked for"),
    "unsent_message": ("I11", "something is still to be sent"),
    "unread_message": ("I11", "messages were not read to the end"),
    "unapplied_message": ("I11", "a message was read and neither applied nor put aside"),
    "unacknowledged": ("I11", "what was sent was not acknowledged"),
    "unanswered_ask": ("I11", "an ask has no answer"),
    "missing_dead_letter": ("I11", "a parked message has no copy among the dead letters"),
    "untraced_case": ("I12", "a case without a span"),
    "second_trace": ("I12", "a case in more than one trace"),
    "orphan_span": ("I12", "a span whose parent nobody has"),
    "rootless_trace": ("I12", "a trace with no root, or with several"),
    "wrong_due_day": ("I13", "a clock starts, turns yellow or is due at another time than the calendar says"),
    "missing_light": ("I13", "a clock passed its time without its light"),
    "doubled_light": ("I13", "a light was lit twice"),
    "mistimed_light": ("I13", "a light or a timer's effect at another time than its clock says"),
    "missing_effect": ("I13", "a limit passed without what follows from it"),
    "refused_effect": ("I14", "a refused request left something behind"),
    "refusal_not_stored": ("I14", "a refusal by rule has no stored answer"),
}


def violation(name: str, case: str, region: str, evidence: str) -> Violation:
    """One of the names above, with its invariant."""
    return Violation(NAMES[name][0], name, case, region, evidence)
