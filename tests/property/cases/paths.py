"""Where the runs of the property tests begin, and what people are likely to do next. Words only."""

from __future__ import annotations

from tests.property.cases.sayings import WORDS

ASKS = {"A": ("correct", "supply_lack", "withdraw", "rate"), "J": ("join", "withdraw")}
ASKS["W"] = ("correct", "supply_lack", "take_custody", "return_original", "dispatch")
LAST_WORDS = {"withdraw", "refuse", "reject_handover"}
FORWARD = tuple(
    verb
    for verb in WORDS
    if verb not in LAST_WORDS | {"hand_over", "request_correction", "revoke", "open_special", "pass_up"}
    and verb not in {"suspend", "take_custody", "report_lost", "extend"}
)
_CHECKED = "receive pre_check receive"  # collected on behalf is handed over by the pre-check
_REVIEWED = f"{_CHECKED} accept start_review"
_RIPE = f"{_REVIEWED} finish_step finish_step finish_step"
PATHS = (
    *("", "late receive", "pre_check reject_handover", "request_correction late"),
    *(f"{_CHECKED} {more}" for more in (
        "", "request_correction", "request_correction correct", "request_correction late",
        "request_correction suspend late", "accept_with_lack", "accept_with_lack late",
        "accept_with_lack start_review", "accept_with_lack start_review suspend",
        "accept_with_lack start_review open_special",
    )),
    *(f"{_REVIEWED} {more}" for more in ("open_special", "extend", "late suspend", "suspend late resume")),
    *(_RIPE, f"{_RIPE} decide", f"{_RIPE} decide dispatch", f"{_RIPE} decide confirm_delivery close"),
)  # fmt: skip
"""Where a run begins: these verbs, as far as the protocol lets them; `late`: weeks pass."""
