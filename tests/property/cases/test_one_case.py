"""One case in a federation that loses, doubles and shuffles messages, beside a model that shares no code."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from typing_extensions import override

from nodes.cases import commands as c
from nodes.cases import machine
from nodes.cases.case import Actor, ClockKind, Light, Role
from nodes.cases.errors import CaseError, Code
from nodes.cases.events import Event, Filed, Unknown
from regions.calendar import work_calendar
from tests.property.cases.deeds import DEEDS
from tests.property.cases.federation import Ask, Federation, Message, Node
from tests.property.cases.model import COMPETENT, ORIGIN, Model, working
from tests.property.cases.sayings import WORDS, said
from tests.unit.cases.world import BODY, HIGHER, LEAD_REGION, A, at, filing
from tests.unit.cases.world import C as COLLECTED
from tests.unit.cases.world import F as ONLINE
from tests.unit.cases.world import S as NODE
from tests.unit.cases.world import U as PART
from tests.unit.cases.world import W as WINDOW

CALENDAR = work_calendar()
STARTS = ("2025-09-26", "2026-02-09", "2026-03-02", "2026-04-27")
LAST = timedelta(days=180)
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
    "notice": ClockKind.NOTICE,
    "correction": ClockKind.CORRECTION,
    "lack": ClockKind.LACK,
    "decision": ClockKind.DECISION,
    "procedure": ClockKind.PROCEDURE,
    "delivery": ClockKind.DELIVERY,
}
VERBS = tuple(WORDS)
ASKS = {"A": ("correct", "supply_lack", "withdraw", "rate"), "J": ("join", "withdraw")}
ASKS["W"] = ("correct", "supply_lack", "take_custody", "return_original", "dispatch", "report_lost")
LAST_WORDS = {"withdraw", "refuse", "reject_handover"}
FORWARD = tuple(
    verb
    for verb in VERBS
    if verb not in LAST_WORDS | {"hand_over", "request_correction", "revoke", "open_special", "pass_up"}
    and verb not in {"suspend", "take_custody", "report_lost", "extend"}
)
indices = st.integers(0, 30)


class OneCase(RuleBasedStateMachine):
    """The truth is the owner's; the mirrors follow as the messages let them."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.begun = at(STARTS[0])
        self.count = 0
        self.refused: set[str] = set()
        self.asks: dict[str, tuple[Ask, str]] = {}
        self.net = Federation({region: Node(region) for region in (ORIGIN, COMPETENT, LEAD_REGION)})
        self.model = Model("F", self.now)

    @initialize(kind=st.sampled_from("FCU"), start=st.sampled_from(STARTS))
    def file(self, kind: str, start: str) -> None:
        self.now = self.begun = at(start)
        self.model = Model(kind, self.now)
        guard, role = {"F": (ONLINE, A), "C": (COLLECTED, WINDOW), "U": (PART, NODE)}[kind]
        command = c.File(filing(guard, self.now), "h0")
        actor = Actor(role, ORIGIN, "someone")
        events = machine.decide(None, command, actor, self.now, CALENDAR, region=ORIGIN)
        self.net.write(self.net.nodes[ORIGIN], events)

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
            self.refused.add(ask.id if ask else "")
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
            while self.net.wires:
                self.arrive(self.net.wires.pop(0))
            self.act(choice, FORWARD)

    def act(self, choice: int, verbs: tuple[str, ...]) -> None:
        """One of the steps that the model allows, if there is one."""
        node = self.net.owner()
        if node is None:
            return
        self.model.tick(self.now)
        body = self.model.authority
        open_to = [
            (verb, letter, word)
            for verb in verbs
            for letter in ROLES
            for word in WORDS[verb]
            if self.allowed(verb, letter, word, body)
        ]
        if open_to:
            verb, letter, word = open_to[choice % len(open_to)]
            self.decide(node, verb, letter, word, body)

    def allowed(self, verb: str, letter: str, word: str, body: str) -> bool:
        if verb in {"receive", "reject_handover"} and not self.model.on_the_way:
            return False
        return self.model.may(verb, letter, self.now, word, None, body)

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

    @rule(letter=st.sampled_from("AWJ"), choice=indices, pick=indices)
    def ask_the_owner(self, letter: str, choice: int, pick: int) -> None:
        home = self.net.nodes[LEAD_REGION if letter == "J" else ORIGIN]
        if home.case is None or home.owns:
            return
        verb = ASKS[letter][choice % len(ASKS[letter])]
        word = WORDS[verb][pick % len(WORDS[verb])]
        command = said(verb, word, self.now, self.fresh(), home.case)
        actor = self.actor(home, letter, "low")
        ask = Ask(f"ask-{self.fresh()}", verb, letter, word, command, actor, self.now)
        self.asks[ask.id] = (ask, home.region)
        self.net.send(ask, home.case.owner)

    # ---- time

    @precondition(lambda self: self.now < self.begun + LAST)
    @rule(days=st.integers(1, 12), hour=st.integers(8, 18))
    def wait(self, days: int, hour: int) -> None:
        """Everybody works on working days only; the timers fire whenever somebody looks."""
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
        for name, kind in CLOCKS.items():
            clock, watch = case.clock(kind), model.watches.get(name)
            assert (clock is None) == (watch is None), name
            if clock is not None and watch is not None:
                assert clock.stopped == watch.standing(), name
                if not clock.stopped:
                    assert clock.due_at == model.due(name), (name, clock, watch)
                    late = clock.due_at <= self.now and not case.awaiting_receipt
                    assert (clock.light is Light.RED) == late or clock.light is Light.RED

    @override
    def teardown(self) -> None:
        """Faults stop: everything is sent again until everybody has everything."""
        if self.net.nodes[ORIGIN].case is None:
            return
        for _ in range(20):
            self.net.repair()
            answered = {event.caused_by for event in self.newest().history} | self.refused
            for ask, _home in self.asks.values():
                if ask.id not in answered:
                    self.net.send(ask, self.newest_owner())
            if not self.net.wires:
                break
            while self.net.wires:
                self.arrive(self.net.wires.pop(0))
        self.the_mirrors_agree()

    def newest(self) -> Node:
        return max(self.net.nodes.values(), key=lambda node: len(node.history))

    def newest_owner(self) -> str:
        case = self.newest().case
        assert case is not None
        return case.owner

    def the_mirrors_agree(self) -> None:
        newest = self.newest()
        assert newest.case is not None
        parties = {p.region for p in newest.case.parties} | {newest.case.owner}
        for node in self.net.nodes.values():
            if node.region in parties:
                assert node.history == newest.history
                assert node.case == newest.case
            assert node.history == newest.history[: len(node.history)]
        causes = [event.caused_by for event in newest.history if event.caused_by]
        assert len(causes) == len(set(causes)), "an ask has had two effects"
        self.after_alone_keeps_the_essence(newest.history)

    def after_alone_keeps_the_essence(self, history: list[Event]) -> None:
        case = mirror = None
        for event in history:
            case = machine.evolve(case, event)
            known = isinstance(event.body, Filed)
            told = event if known else replace(event, body=Unknown("newer"))
            mirror = machine.evolve(mirror, told)
            for name in ESSENCE:
                assert getattr(case, name) == getattr(mirror, name), name
        assert case == self.newest().case


ESSENCE = (
    "state",
    "owner",
    "epoch",
    "version",
    "clocks",
    "parties",
    "authority",
    "step",
    "lacks",
    "procedure",
)


TestOneCase = OneCase.TestCase
TestOneCase.settings = settings(
    max_examples=200,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


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
