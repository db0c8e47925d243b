"""What is planted of I1 to I5: each a way to damage a healthy run, and the names it must bring.

`follows`: what the same damage also breaks; nothing else may be named.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from tests.unit.fault_checker.damage import (
    add_call,
    cause_of,
    edited,
    fetch,
    forgotten,
    opened,
    rewritten,
    sql,
    version_of,
    without_rules,
)
from tests.unit.fault_checker.healthy import Run
from tongban.v1.case_pb2 import CaseState, Role
from tongban.v1.event_pb2 import EventCore

Damage = Callable[[Run], None]


@dataclass(frozen=True)
class Plant:
    """A violation by name, how it is planted, and what follows from it."""

    name: str
    damage: Damage
    follows: frozenset[str]


PLANTS: list[Plant] = []


def plant(name: str, *follows: str) -> Callable[[Damage], Damage]:
    """Adds it to the list."""

    def keep(damage: Damage) -> Damage:
        PLANTS.append(Plant(name, damage, frozenset(follows)))
        return damage

    return keep


@plant("lost_case", "diverged_mirror", "phantom_event", "lost_act", "swapped_order", "unapplied_message")
def a_case_is_gone(run: Run) -> None:
    forgotten(run, "32", run.cases["collected"])


@plant("lost_case")
def a_document_is_gone(run: Run) -> None:
    sql(run, "32", "DELETE FROM filing WHERE case_number = ?", run.cases["withdrawn"])


@plant("lost_on_the_way", "no_owner", "phantom_event", "unapplied_message")
def a_case_never_came(run: Run) -> None:
    forgotten(run, "31", run.cases["deemed"])


@plant("lost_act", "phantom_act")
def an_act_left_nothing(run: Run) -> None:
    edited(run, "too late", "Accepted", lambda core: core.ClearField("caused_by"))


@plant("lost_act")
def an_ask_left_nothing(run: Run) -> None:
    sql(run, "32", "DELETE FROM ask WHERE state = 'refused'")
    with opened(run.bus) as connection:
        connection.execute("DELETE FROM record WHERE headers LIKE '%tongban.v1.ask\"%'")


@plant("doubled_effect", "lost_act")
def a_request_took_effect_twice(run: Run) -> None:
    number = run.cases["too late"]
    cause = cause_of(run, "31", number, 4)
    edited(run, "too late", "StepFinished", lambda core: setattr(core, "caused_by", cause))


@plant("doubled_effect")
def an_event_is_in_two_cases(run: Run) -> None:
    (event_id,) = fetch(
        run, "31", "SELECT event_id FROM case_event WHERE number = ? AND version = 3", run.cases["too late"]
    )[0]

    def same(core: EventCore) -> None:
        if core.version == 3:
            core.event_id = uuid.UUID(event_id).bytes

    rewritten(run, run.cases["withdrawn"], same)
    for region in ("31", "32"):
        without_rules(run, region, "case_event")
        text = "UPDATE case_event SET event_id = ? WHERE number = ? AND version = 3"
        sql(run, region, text, event_id, run.cases["withdrawn"])


@plant("doubled_effect", "number_given_twice")
def a_filing_brought_two_cases(run: Run) -> None:
    first, second = run.cases["deemed"], run.cases["withdrawn"]
    cause = cause_of(run, "32", first, 1)
    edited(run, "withdrawn", "Filed", lambda core: setattr(core, "caused_by", cause))
    add_call(run, lambda c: c.case_number == first, case_number=second)


@plant("number_given_twice")
def a_number_was_given_twice(run: Run) -> None:
    number = run.cases["deemed"]
    add_call(run, lambda c: c.case_number == number, client="other")
    sql(
        run, "32",
        "INSERT INTO answer SELECT 'other', request_id, fingerprint, answer, created_wall_s FROM answer"
        " WHERE request_id = ?",
        cause_of(run, "32", number, 1),
    )  # fmt: skip


@plant("illegal_step")
def accepted_without_a_check(run: Run) -> None:
    def straight(core: EventCore) -> None:
        core.type = "Accepted"
        core.accepted.SetInParent()

    edited(run, "too late", "PreChecked", straight)


@plant("illegal_step")
def decided_by_the_applicant(run: Run) -> None:
    edited(run, "corrected", "Decided", lambda core: setattr(core, "by", Role.ROLE_APPLICANT))


@plant("illegal_step")
def a_handover_answered_under_another_name(run: Run) -> None:
    edited(run, "deemed", "Received", lambda core: setattr(core.received, "handover_id", "another"))


@plant("not_the_owner", "phantom_act")
def an_event_without_owning_the_case(run: Run) -> None:
    number = run.cases["too late"]
    edited(run, "too late", "ReviewStarted", lambda core: setattr(core, "author", "32"))
    version = version_of(run, number, "ReviewStarted")
    for region in ("31", "32"):
        text = "UPDATE case_event SET author = '32' WHERE number = ? AND version = ?"
        sql(run, region, text, number, version)


@plant("two_owners", "stale_row")
def two_regions_own_a_case(run: Run) -> None:
    sql(run, "32", "UPDATE case_row SET owned = 1 WHERE number = ?", run.cases["deemed"])


@plant("no_owner", "stale_row")
def nobody_owns_a_case(run: Run) -> None:
    sql(run, "31", "UPDATE case_row SET owned = 0 WHERE number = ?", run.cases["deemed"])


@plant("stale_row", "diverged_mirror")
def a_row_behind_its_events(run: Run) -> None:
    sql(run, "31", "UPDATE case_row SET state = 'filed' WHERE number = ?", run.cases["deemed"])


@plant("diverged_mirror", "unapplied_message")
def a_mirror_is_behind(run: Run) -> None:
    number = run.cases["too late"]
    version, last_hash = fetch(
        run, "32", "SELECT version, hash FROM case_event WHERE number = ? ORDER BY 1 DESC LIMIT 1 OFFSET 1",
        number,
    )[0]  # fmt: skip
    sql(run, "32", "DELETE FROM case_event WHERE number = ? AND version > ?", number, version)
    (core,) = fetch(run, "32", "SELECT core FROM case_event WHERE number = ? ORDER BY version DESC", number)[
        0
    ]
    state = CaseState.Name(EventCore.FromString(core).after.state).removeprefix("CASE_STATE_").lower()
    text = "UPDATE case_row SET version = ?, last_hash = ?, state = ? WHERE number = ?"
    sql(run, "32", text, version, last_hash, state, number)


@plant("fork", "broken_chain", "phantom_event", "unapplied_message", "stale_row")
def a_version_differs(run: Run) -> None:
    number = run.cases["deemed"]
    version, core_bytes = fetch(
        run, "32", "SELECT version, core FROM case_event WHERE number = ? ORDER BY version DESC", number
    )[0]
    core = EventCore.FromString(core_bytes)
    core.actor = "somebody"
    changed = core.SerializeToString(deterministic=True)
    sql(
        run, "32", "UPDATE case_event SET core = ? WHERE number = ? AND version = ?", changed, number, version
    )


@plant("parked_case")
def a_copy_is_parked(run: Run) -> None:
    sql(run, "32", "UPDATE case_row SET parked = 1 WHERE number = ?", run.cases["deemed"])


@plant("unfolded_part")
def a_lead_knows_another_result(run: Run) -> None:
    def denied(core: EventCore) -> None:
        if core.type == "PartFolded" and core.part_folded.part.index == 1:
            core.part_folded.part.result = "denied"

    rewritten(run, run.cases["lead"], denied)


@plant("hole", "unapplied_message")
def a_version_is_missing(run: Run) -> None:
    sql(run, "32", "DELETE FROM case_event WHERE number = ? AND version = 5", run.cases["too late"])


@plant("broken_chain")
def a_stored_hash_is_wrong(run: Run) -> None:
    text = "UPDATE case_event SET hash = x'00' WHERE number = ? AND version = 2"
    sql(run, "32", text, run.cases["deemed"])


@plant("broken_chain")
def a_chain_is_torn(run: Run) -> None:
    """The same in every copy: nothing but the chain is wrong."""
    number = run.cases["too late"]
    rewritten(run, number, lambda core: None, torn_at=5)


@plant("swapped_order")
def events_were_written_the_wrong_way_round(run: Run) -> None:
    text = "SELECT entry FROM case_event WHERE number = ? AND version IN (5, 6) ORDER BY version"
    (early,), (late,) = fetch(run, "32", text, run.cases["too late"])
    move = "UPDATE case_event SET entry = ? WHERE entry = ?"
    for to, entry in ((-1, early), (early, late), (late, -1)):
        sql(run, "32", move, to, entry)


@plant("swapped_order")
def messages_were_sent_the_wrong_way_round(run: Run) -> None:
    number = run.cases["too late"].encode()
    with opened(run.bus) as connection:
        rows = connection.execute(
            "SELECT id FROM record WHERE key = ? AND headers LIKE '%v1.events%' ORDER BY id LIMIT 2",
            (number,),
        ).fetchall()
        (early,), (late,) = rows
        for to, row_id in ((-1, early), (early, late), (late, -1)):
            connection.execute("UPDATE record SET id = ? WHERE id = ?", (to, row_id))


@plant("unfilled_hole")
def an_event_is_still_held(run: Run) -> None:
    sql(run, "32", "INSERT INTO held VALUES (?, 99, x'00', '31', '', 0)", run.cases["deemed"])


@plant("unfilled_hole")
def a_hole_is_still_open(run: Run) -> None:
    sql(run, "32", "INSERT INTO gap_request VALUES (?, 9, 0, 1)", run.cases["deemed"])
