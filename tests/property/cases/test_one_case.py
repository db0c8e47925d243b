"""One case in a federation that loses, doubles and shuffles messages, beside a model that shares no code."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from nodes.cases import commands as c
from nodes.cases import machine
from nodes.cases.case import Actor, ClockKind, Role
from nodes.cases.errors import CaseError, Code
from nodes.cases.events import Event
from regions.calendar import work_calendar
from tests.property.cases.agreement import every_event_is_its_owners, no_effect_twice, the_mirrors_agree
from tests.property.cases.deeds import DEEDS
from tests.property.cases.federation import Ask, Federation, Message, Node
from tests.property.cases.model import COMPETENT, ORIGIN, Model, working
from tests.property.cases.paths import ASKS, FORWARD, LAST_WORDS, PATHS
from tests.property.cases.sayings import WORDS, said
from tests.unit.cases.world import BODY, HIGHER, LEAD_REGION, A, at, filing
from tests.unit.cases.world import C as COLLECTED
from tests.unit.cases.world import F as ONLINE
from tests.unit.cases.world import S as NODE
from tests.unit.cases.world import U as PART
from tests.unit.cases.world import W as WINDOW

CALENDAR = work_calendar()
STARTS = ("2025-09-26", "2026-02-09", "2026-03-02", "2026-04-27")
LAST = timedelta(days=120)
ROLES = {
    "A": Role.APPLICANT,
    "W": Role.WINDOW,
    "O": Role.OFFICER,
    "H": Role.HEAD,
    "S": Role.NODE,
    "P": Role.OPERATOR,
    "J": Role.NODE,
}
BODIES = {"low": BODY, "high": HIGHER}
CLOCKS = {
    **{name: (ClockKind(name), 0) for name in ("notice", "correction", "lack", "decision", "procedure")},
    "delivery": (ClockKind.DELIVERY, 0),
    **{f"step{n}": (ClockKind.STEP, n) for n in (1, 2, 3)},
}
VERBS = tuple(WORDS)
indices = st.integers(0, 30)


class OneCase(RuleBasedStateMachine):
    """The truth is the owner's; the mirrors follow as the messages let them."""

    kind = "F"
    path = ""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.begun = at(STARTS[0])
        self.count = 0
        self.refused: set[str] = set()
        self.asks: list[Ask] = []
        self.net = Federation({region: Node(region) for region in (ORIGIN, COMPETENT, LEAD_REGION)})
        self.model = Model("F", self.now)

    @initialize(start=st.sampled_from(STARTS), choice=indices)
    def file(self, start: str, choice: int) -> None:
        """Filed, and on its way along one of the usual paths."""
        self.now = self.begun = at(start)
        self.model = Model(self.kind, self.now)
        guard, role = {"F": (ONLINE, A), "C": (COLLECTED, WINDOW), "U": (PART, NODE)}[self.kind]
        command = c.File(filing(guard, self.now), "h0")
        actor = Actor(role, ORIGIN, "someone")
        events = machine.decide(None, command, actor, self.now, CALENDAR, region=ORIGIN)
        self.net.write(self.net.nodes[ORIGIN], events)
        for verb in self.path.split():
            self.everything_arrives()
            if verb == "late":
                self.wait(40, 10)
                self.timers_fire()
            else:
                self.act(choice, (verb,))

    # ---- people

    def decide(
        self, node: Node, verb: str, letter: str, word: str, body: str, ask: Ask | None = None
    ) -> None:
        """The owner's desk: timers first, then the command, and the model says whether it must pass."""
        assert node.case is not None
        _, timed = machine.advance(node.case, self.now, CALENDAR, node.region)
        self.net.write(node, timed)
        self.model.tick(self.now)
        if not node.owns:  # a timer handed the case over
            if ask is not None:
                self.net.forward(node, ask)
            return
        submitted = ask.submitted_at if ask else None
        expected = self.model.may(verb, letter, self.now, word, submitted, body)
        command = ask.command if ask else said(verb, word, self.now, self.fresh(), node.case)
        actor = ask.actor if ask else self.actor(node, letter, body)
        refusal: CaseError | None = None
        events: tuple[Event, ...] = ()
        try:
            events = machine.decide(
                node.case, command, actor, self.now, CALENDAR,
                submitted_at=submitted, caused_by=ask.id if ask else "", region=node.region,
            )  # fmt: skip
        except CaseError as error:
            refusal = error
            self.refused.add(ask.id if ask else "")
        assert (refusal is None) == expected, (verb, letter, word, refusal, events)
        if refusal is None:
            DEEDS[verb](self.model, letter, word, submitted or self.now)
            self.net.write(node, events)
        elif verb == "request_correction" and refusal.code is Code.NOTICE_LATE:
            assert self.model.phase() not in {"filed", "pre_checked", "corrected"}

    def fresh(self) -> str:
        self.count += 1
        return f"n{self.count}"

    def actor(self, node: Node, letter: str, body: str) -> Actor:
        region = {"A": ORIGIN, "W": ORIGIN, "J": LEAD_REGION}.get(letter, node.region)
        return Actor(ROLES[letter], region, "someone", BODIES[body] if letter in "OH" else "")

    @precondition(lambda self: self.net.owner() is not None)
    @rule(choice=indices)
    def act_as_the_protocol_allows(self, choice: int) -> None:
        self.act(choice, tuple(verb for verb in VERBS if verb not in LAST_WORDS))

    @rule(choices=st.lists(indices, min_size=1, max_size=6))
    def go_on(self, choices: list[int]) -> None:
        """Several steps towards the end, with a network that works for once."""
        for choice in choices:
            self.everything_arrives()
            self.act(choice, FORWARD)

    def act(self, choice: int, verbs: tuple[str, ...]) -> None:
        """One of the steps that the model allows, if there is one."""
        node = self.net.owner()
        if node is None:
            return
        self.model.tick(self.now)
        right = self.open_to(verbs)
        if right:
            self.decide(node, *right[choice % len(right)], self.model.authority)

    def open_to(self, verbs: tuple[str, ...]) -> list[tuple[str, str, str]]:
        """Verb, role and word of every step that the model allows now."""
        body = self.model.authority
        return [
            (verb, letter, word)
            for verb in verbs
            for letter in ROLES
            for word in WORDS[verb]
            if self.allowed(verb, letter, word, body)
        ]

    def allowed(self, verb: str, letter: str, word: str, body: str) -> bool:
        if verb in {"receive", "reject_handover"} and not self.model.on_the_way:
            return False
        return self.model.may(verb, letter, self.now, word, None, body)

    @precondition(lambda self: self.net.owner() is not None)
    @rule(choice=st.integers(0, 200), by_word=st.booleans())
    def act_almost_as_the_protocol_allows(self, choice: int, by_word: bool) -> None:
        """What would be right with another word, or in another role."""
        self.model.tick(self.now)
        right = self.open_to(VERBS)
        if by_word:
            near = {(verb, letter, other) for verb, letter, _ in right for other in WORDS[verb]}
        else:
            near = {(verb, other, word) for verb, _, word in right for other in ROLES}
        wrong = sorted(near - set(right))
        node = self.net.owner()
        if wrong and node is not None:
            self.decide(node, *wrong[choice % len(wrong)], self.model.authority)

    @precondition(lambda self: self.net.owner() is not None)
    @rule(
        verb=st.sampled_from(VERBS),
        letter=st.sampled_from(sorted(ROLES)),
        choice=indices,
        body=st.sampled_from(["low", "high"]),
    )
    def act_in_any_way(self, verb: str, letter: str, choice: int, body: str) -> None:
        node = self.net.owner()
        assert node is not None
        self.decide(node, verb, letter, WORDS[verb][choice % len(WORDS[verb])], body)

    @rule(letter=st.sampled_from("AWJ"), choice=indices)
    def ask_the_owner(self, letter: str, choice: int) -> None:
        self.ask(letter, choice)

    @rule(letter=st.sampled_from("AWJ"), choice=indices, days=st.integers(1, 60))
    def ask_by_a_slow_post(self, letter: str, choice: int, days: int) -> None:
        """In time at the origin perhaps, but late at the owner, who has looked at its clocks meanwhile."""
        ask = self.ask(letter, choice)
        if ask is not None:
            self.wait(days, 10)
            self.timers_fire()
            owner = self.net.owner()
            if owner is not None:
                self.arrive(Message(owner.region, ask=ask))

    def ask(self, letter: str, choice: int) -> Ask | None:
        """One that would be granted now, if there is one; else any."""
        home = self.net.nodes[LEAD_REGION if letter == "J" else ORIGIN]
        if home.case is None or home.owns:
            return None
        sayable = [(verb, word) for verb in ASKS[letter] for word in WORDS[verb]]
        welcome = [(v, w) for v, w in sayable if self.model.may(v, letter, self.now, w)]
        verb, word = (welcome or sayable)[choice % len(welcome or sayable)]
        command = said(verb, word, self.now, self.fresh(), home.case)
        actor = self.actor(home, letter, "low")
        ask = Ask(f"ask-{self.fresh()}", verb, letter, word, command, actor, self.now)
        self.asks.append(ask)
        self.net.send(ask, home.case.owner)
        return ask

    # ---- time

    @rule(days=st.one_of(st.integers(1, 5), st.integers(6, 40)), hour=st.integers(8, 18))
    def wait(self, days: int, hour: int) -> None:
        """Everybody works on working days only; the timers fire whenever somebody looks."""
        if self.now > self.begun + LAST:
            return
        day = self.now + timedelta(days=days)
        while not working(day.date()):
            day += timedelta(days=1)
        self.now = day.replace(hour=hour)

    @rule()
    def timers_fire(self) -> None:
        node = self.net.owner()
        if node is not None and node.case is not None:
            self.net.write(node, machine.advance(node.case, self.now, CALENDAR, node.region)[1])
            self.model.tick(self.now)

    # ---- the network

    def everything_arrives(self) -> None:
        while self.net.wires:
            self.arrive(self.net.wires.pop(0))

    def arrive(self, message: Message) -> None:
        node, ask = self.net.nodes[message.to], message.ask
        if ask is None:
            node.apply(message.events)
        elif not node.owns:
            self.net.forward(node, ask)
        elif self.net.owner() is node and ask.id not in self.refused and not self.answered(node, ask):
            self.decide(node, ask.verb, ask.letter, ask.word, "low", ask)

    def answered(self, node: Node, ask: Ask) -> bool:
        return any(event.caused_by == ask.id for event in node.history)

    @precondition(lambda self: self.net.wires)
    @rule(index=indices)
    def deliver(self, index: int) -> None:
        self.arrive(self.net.wires.pop(index % len(self.net.wires)))

    @precondition(lambda self: self.net.wires)
    @rule(index=indices)
    def deliver_and_keep(self, index: int) -> None:
        self.arrive(self.net.wires[index % len(self.net.wires)])

    @precondition(lambda self: self.net.wires)
    @rule(index=indices)
    def lose(self, index: int) -> None:
        self.net.wires.pop(index % len(self.net.wires))

    # ---- what must hold

    @invariant()
    def one_region_owns(self) -> None:
        newest = [n for n in self.net.nodes.values() if n.owns and n is self.net.owner()]
        assert len(newest) <= 1

    @invariant()
    def the_owner_is_where_the_model_is(self) -> None:
        node = self.net.owner()
        if node is None or node.case is None or machine.due_timer(node.case, self.now) is not None:
            return
        case, model = node.case, self.model
        model.tick(self.now)
        assert (case.state.value, case.owner, case.epoch) == (model.state, model.owner, model.epoch)
        assert case.awaiting_receipt == model.on_the_way
        assert bool(case.lacks and case.open) == (model.lack and case.open)
        assert case.corrections_told == model.told
        assert (case.suspension is not None) == (model.state == "suspended")
        assert bool(case.competent) == model.with_authority
        for name, (kind, step) in CLOCKS.items():
            clock, watch = case.clock(kind, step), model.watches.get(name)
            assert (clock is None) == (watch is None), name
            if clock is not None and watch is not None:
                assert clock.stopped == watch.standing(), name
                assert clock.stopped or clock.due_at == model.due(name), (name, clock, watch)
                assert clock.light.value == watch.seen, (name, clock, watch)
        contacts = [k for k in case.clocks if k.kind is ClockKind.CONTACT and k.ended_at is None]
        assert len(contacts) == len(model.chased)

    @override
    def teardown(self) -> None:
        """Faults stop: everything is sent again until everybody has everything."""
        if self.net.nodes[ORIGIN].case is None:
            return
        newest = self.net.newest()
        for _ in range(20):
            self.net.repair()
            newest = self.net.newest()
            assert newest.case is not None
            answered = {event.caused_by for event in newest.history} | self.refused
            for ask in self.asks:
                if ask.id not in answered:
                    self.net.send(ask, newest.case.owner)
            if not self.net.wires:
                break
            self.everything_arrives()
        assert not self.net.wires
        the_mirrors_agree(self.net)
        no_effect_twice(newest.history)
        every_event_is_its_owners(newest.history)


BRIEF = settings(
    max_examples=8,
    stateful_step_count=30,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a long run takes minutes to shrink
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.mark.parametrize("kind", "FCU")
@pytest.mark.parametrize("path", PATHS)
def test_one_case_among_three_regions(path: str, kind: str) -> None:
    setting_out = type("OneCase", (OneCase,), {"kind": kind, "path": path})
    run_state_machine_as_test(setting_out, settings=BRIEF)


def test_the_model_shares_no_code_with_the_machine() -> None:
    import ast
    from pathlib import Path

    for name in ("model.py", "deeds.py"):
        tree = ast.parse((Path(__file__).parent / name).read_text("utf-8"))
        imported = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        imported += [
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        ]
        assert not [module for module in imported if module.startswith(("nodes", "regions", "broker"))]
