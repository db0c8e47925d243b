"""Who does not know the question after a restoration is waited for no longer, and counts as missing."""

from __future__ import annotations

from typing import cast

import pytest

from broker.bus import EventBus
from nodes.codec.exchange import AskRefused, Recalled
from nodes.recall import Recalling

MINE = AskRefused("31-2-ab-7", "recall-31-32-7", "NOT_UNDERSTOOD", "ce_type")


def recalling() -> Recalling:
    nowhere = cast("EventBus", None)  # nothing is sent here
    return Recalling(nowhere, "31", ["31", "32", "33"], attempt="2-ab", since=None, resend_after_s=1.0)


def test_it_is_missing_and_not_awaited() -> None:
    asking = recalling()
    asking.refused("32", MINE)
    assert (asking.missing, asking.awaited, asking.unread) == (["32", "33"], ["33"], ["32"])
    assert not asking.done
    asking.refused("33", MINE)
    assert asking.done


@pytest.mark.parametrize(
    "other",
    [
        AskRefused("31-2-cd-7", "recall-31-32-7", "NOT_UNDERSTOOD", "ce_type"),
        AskRefused("31-2-ab-7", "recall-31-32-7", "NO_SUCH_CASE", "case_number"),
    ],
    ids=["of another attempt", "for another reason"],
)
def test_other_refusals_count_for_nothing(other: AskRefused) -> None:
    asking = recalling()
    asking.refused("32", other)
    assert asking.awaited == ["32", "33"]


def test_a_stranger_changes_nothing() -> None:
    asking = recalling()
    asking.refused("34", MINE)
    assert asking.missing == ["32", "33"]


def test_who_has_told_everything_is_not_taken_at_a_later_word() -> None:
    asking = recalling()
    asking.answered("32", Recalled("2-ab"))
    asking.refused("32", MINE)
    assert (asking.missing, asking.unread) == (["33"], [])
