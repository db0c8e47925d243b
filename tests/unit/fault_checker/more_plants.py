"""What is planted of I8 to I14."""

from __future__ import annotations

from tests.fault.checker.facts import Call
from tests.unit.fault_checker.damage import (
    add_call,
    cause_of,
    edited,
    fetch,
    history,
    on_bus,
    opened,
    rewritten,
    sql,
)
from tests.unit.fault_checker.healthy import Run
from tests.unit.fault_checker.plants import PLANTS, plant
from tongban.v1.case_pb2 import ClockKind, Light, Role
from tongban.v1.event_pb2 import EventCore
from tongban.v1.exchange_pb2 import Exchange


@plant("changed_answer")
def another_answer_to_the_same_request(run: Run) -> None:
    add_call(run, lambda c: c.request_id == "refused", answer="0" * 64)


@plant("changed_answer")
def a_refusal_became_a_case(run: Run) -> None:
    sql(run, "32", "UPDATE answer SET answer = x'01' WHERE request_id = 'refused'")


@plant("changed_answer")
def a_stored_answer_is_another(run: Run) -> None:
    sql(run, "32", "UPDATE answer SET answer = CAST(answer || x'00' AS BLOB) WHERE request_id = 'again'")


@plant("forgotten_answer")
def an_answer_is_gone(run: Run) -> None:
    sql(run, "32", "DELETE FROM answer WHERE request_id = 'again'")


@plant("reused_request_id")
def another_request_under_the_same_id(run: Run) -> None:
    add_call(run, lambda c: c.request_id == "again", request="0" * 64)


def _without(run: Run, request_id: str) -> None:
    def keep(call: Call) -> Call | None:
        return None if call.request_id == request_id else call

    history(run, keep)


@plant("phantom_case")
def a_case_that_nobody_filed(run: Run) -> None:
    _without(run, cause_of(run, "32", run.cases["deemed"], 1))


@plant("phantom_event", "unapplied_message")
def an_event_that_was_rolled_back(run: Run) -> None:
    number = run.cases["deemed"]
    (core,) = fetch(run, "31", "SELECT core FROM case_event WHERE number = ? ORDER BY version DESC", number)[
        0
    ]
    never = EventCore.FromString(core)
    never.version += 1

    def more(exchange: Exchange) -> bool:
        if not any(r.core == core for r in exchange.events.records):
            return False
        exchange.events.records.add(core=never.SerializeToString())
        return True

    on_bus(run, number, "31", more)


@plant("phantom_ask")
def an_ask_that_was_rolled_back(run: Run) -> None:
    def another(exchange: Exchange) -> bool:
        if exchange.WhichOneof("content") != "ask":
            return False
        exchange.ask.ask_id = "01890000-0000-7000-8000-000000000000"
        return True

    on_bus(run, run.cases["corrected"], "32", another)


@plant("phantom_act")
def an_act_that_nobody_asked_for(run: Run) -> None:
    _without(run, cause_of(run, "31", run.cases["too late"], 5))


@plant("unsent_message")
def something_waits_to_be_sent(run: Run) -> None:
    sql(
        run, "32",
        "INSERT INTO outbox (lane, destination, case_number, kind, from_version, to_version, ref,"
        " traceparent, created_wall_s) VALUES (1, '31', ?, 'events', 1, 2, '', '', 0)",
        run.cases["deemed"],
    )  # fmt: skip


@plant("unread_message")
def a_topic_was_not_read_to_its_end(run: Run) -> None:
    sql(run, "32", "UPDATE bus_offset SET next_offset = next_offset - 1 WHERE next_offset > 0")


@plant("unread_message")
def a_topic_was_made_anew_and_not_read(run: Run) -> None:
    sql(run, "32", "UPDATE bus_offset SET incarnation = 'older'")


@plant("unapplied_message", "hole")
def a_message_was_read_and_dropped(run: Run) -> None:
    sql(run, "32", "DELETE FROM case_event WHERE number = ? AND version = 4", run.cases["too late"])


@plant("unapplied_message")
def rubbish_was_dropped(run: Run) -> None:
    with opened(run.bus) as connection:
        connection.execute(
            "UPDATE record SET value = x'ff' WHERE id IN"
            " (SELECT id FROM record WHERE headers LIKE '%tongban.v1.ack\"%' ORDER BY id LIMIT 1)"
        )


@plant("unacknowledged")
def a_lost_tail_went_unnoticed(run: Run) -> None:
    text = "UPDATE sent_tail SET acked_version = sent_version - 1 WHERE case_number = ?"
    sql(run, "31", text, run.cases["deemed"])


@plant("unanswered_ask")
def an_ask_was_never_answered(run: Run) -> None:
    sql(run, "32", "UPDATE ask SET state = 'pending' WHERE case_number = ?", run.cases["withdrawn"])


@plant("missing_dead_letter")
def a_letter_without_a_copy(run: Run) -> None:
    names = (
        'id, case_number, source, topic, "partition", log_offset, headers, value, reason, detail,'
        " parked_wall_s, highest_seen, state, settled_reason, settled_by"
    )
    values = (
        "'l1', NULL, '31', 'tongban.inbox.32', 0, 0, '', x'00', 'BAD', '', 0, 0, 'dropped', 'rubbish', 'o'"
    )
    sql(run, "32", f"INSERT INTO parked ({names}) VALUES ({values})")


@plant("untraced_case")
def a_case_without_spans(run: Run) -> None:
    sql(run, "31", "DELETE FROM span WHERE case_number = ?", run.cases["local"])


@plant("second_trace")
def a_case_in_two_traces(run: Run) -> None:
    text = "SELECT span_id FROM span WHERE case_number = ? AND name LIKE 'process%' ORDER BY start_ns DESC"
    leaf = fetch(run, "32", text, run.cases["too late"])[0][0]
    text = "UPDATE span SET trace_id = ?, parent_span_id = '' WHERE span_id = ?"
    sql(run, "32", text, "f" * 32, leaf)


@plant("orphan_span")
def a_hop_died_with_its_process(run: Run) -> None:
    text = "SELECT span_id FROM span WHERE case_number = ? AND name LIKE 'send%' ORDER BY start_ns"
    span_id = fetch(run, "32", text, run.cases["deemed"])[0][0]
    sql(run, "32", "DELETE FROM span WHERE span_id = ?", span_id)


@plant("rootless_trace", "orphan_span")
def a_root_is_gone(run: Run) -> None:
    text = "DELETE FROM span WHERE case_number = ? AND parent_span_id = ''"
    sql(run, "32", text, run.cases["deemed"])


@plant("wrong_due_day", "missing_light", "mistimed_light")
def the_holiday_was_counted(run: Run) -> None:
    def early(core: EventCore) -> None:
        for clock in core.after.clocks:
            if clock.kind == ClockKind.CLOCK_KIND_DELIVERY:
                clock.due_at.seconds -= 86_400

    rewritten(run, run.cases["too late"], early)


@plant("wrong_due_day")
def the_day_of_the_event_was_counted(run: Run) -> None:
    def early(core: EventCore) -> None:
        for clock in core.after.clocks:
            if clock.kind == ClockKind.CLOCK_KIND_DELIVERY:
                clock.started_at.seconds -= 86_400

    rewritten(run, run.cases["too late"], early)


@plant("missing_light")
def a_clock_past_due_without_its_light(run: Run) -> None:
    """The red light and what it left in the clocks is gone, in every copy."""

    def dark(core: EventCore) -> None:
        if core.type == "LightChanged" and core.light_changed.light == Light.LIGHT_RED:
            core.type = "DeadlineRecomputed"
            core.deadline_recomputed.SetInParent()
            core.by = Role.ROLE_NODE
        for clock in core.after.clocks:
            if clock.light == Light.LIGHT_RED:
                clock.light = Light.LIGHT_YELLOW

    rewritten(run, run.cases["deemed"], dark)


@plant("missing_light")
def a_clock_past_its_first_warning(run: Run) -> None:
    """The same of a yellow light: the event that followed it was written too late for a green one."""

    def dark(core: EventCore) -> None:
        if core.type == "LightChanged" and core.light_changed.light == Light.LIGHT_YELLOW:
            core.type = "DeadlineRecomputed"
            core.deadline_recomputed.SetInParent()
            core.by = Role.ROLE_NODE
        for clock in core.after.clocks:
            if clock.light == Light.LIGHT_YELLOW:
                clock.light = Light.LIGHT_GREEN

    rewritten(run, run.cases["lacking"], dark)


@plant("missing_light")
def a_deadline_passed_at_rest(run: Run) -> None:
    """Nothing is wrong in the record; business time has gone on and nobody fired."""
    object.__setattr__(run, "business_now", run.business_now.replace(month=run.business_now.month + 1))


@plant("doubled_light", "mistimed_light")
def a_light_was_lit_twice(run: Run) -> None:
    def again(core: EventCore) -> None:
        if core.type == "LightChanged" and core.light_changed.light == Light.LIGHT_RED:
            core.light_changed.light = Light.LIGHT_YELLOW

    rewritten(run, run.cases["deemed"], again)


@plant("mistimed_light", "missing_light")
def a_light_came_a_day_late(run: Run) -> None:
    def late(core: EventCore) -> None:
        if core.type == "LightChanged":
            core.effective_at.seconds += 86_400

    rewritten(run, run.cases["deemed"], late)


@plant("missing_effect", "missing_light")
def a_notice_passed_and_nothing_followed(run: Run) -> None:
    """Time went by while the case was owned and waited: seen at rest."""
    number = run.cases["deemed"]
    version = fetch(
        run, "31", "SELECT min(version) FROM case_event WHERE number = ? AND version > 3", number
    )[0][0]
    for region in ("31", "32"):
        sql(run, region, "DELETE FROM case_event WHERE number = ? AND version >= ?", number, version)
        text = "SELECT hash FROM case_event WHERE number = ? AND version = ?"
        (last,) = fetch(run, region, text, number, version - 1)[0]
        text = "UPDATE case_row SET version = ?, state = 'filed', last_hash = ? WHERE number = ?"
        sql(run, region, text, version - 1, last, number)
    with opened(run.bus) as connection:
        connection.execute(
            "DELETE FROM record WHERE key = ? AND id > (SELECT min(id) FROM record WHERE key = ? AND headers"
            " LIKE '%v1.events%')",
            (number.encode(), number.encode()),
        )


@plant("refused_effect")
def a_refused_request_took_effect(run: Run) -> None:
    edited(run, "too late", "Filed", lambda core: setattr(core, "caused_by", "refused"))


@plant("refusal_not_stored")
def a_refusal_was_not_stored(run: Run) -> None:
    sql(run, "32", "DELETE FROM answer WHERE request_id = 'unknown matter'")


__all__ = ["PLANTS"]
