"""What each verb does to the naive model's sheet of paper; one function a verb, in the protocol's order.

Imports nothing of ours but the model.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tests.property.cases.model import EXTENSION, Model, Watch

Deed = Callable[[Model, str, str, datetime], None]


def receive(m: Model, role: str, word: str, at: datetime) -> None:
    m.on_the_way = False


def reject_handover(m: Model, role: str, word: str, at: datetime) -> None:
    m.on_the_way = m.with_authority = False
    m.owner, m.epoch, m.rejected = "32", m.epoch + 1, True


def hand_over(m: Model, role: str, word: str, at: datetime) -> None:
    m.hand_over()


def pre_check(m: Model, role: str, word: str, at: datetime) -> None:
    m.state = "pre_checked"
    if m.kind == "C" and not m.rejected:
        m.hand_over()


def request_correction(m: Model, role: str, word: str, at: datetime) -> None:
    m.state, m.told, m.red_correction = "correction", m.told + 1, False
    m.stop("notice")
    m.start("correction", at)


def correct(m: Model, role: str, word: str, at: datetime) -> None:
    """Also where it arrives after the timer that it should have stopped."""
    if m.state == "withdrawn":
        m.watches, m.undo = dict(m.ended_by_timer), None
    else:
        at = max(at, m.watches["correction"].begun)
    m.state, m.came_later = "corrected", True
    m.stop("correction")
    m.start("notice", at)


def accept(m: Model, role: str, word: str, at: datetime) -> None:
    m.state = "accepted"
    m.stop("notice")
    m.start("decision", at)


def accept_with_lack(m: Model, role: str, word: str, at: datetime) -> None:
    accept(m, role, word, at)
    m.state, m.lack = "accepted_with_lack", True
    m.start("lack", at)


def refuse(m: Model, role: str, word: str, at: datetime) -> None:
    m.state = "refused"
    m.stop_all()


def supply_lack(m: Model, role: str, word: str, at: datetime) -> None:
    if m.state == "acceptance_revoked":
        assert m.undo is not None
        m.state, m.watches, m.undo = m.undo[1], dict(m.ended_by_timer), None
    m.lack = False
    m.stop("lack")
    if m.state == "accepted_with_lack":
        m.state = "accepted"


def revoke(m: Model, role: str, word: str, at: datetime) -> None:
    m.state = "acceptance_revoked"
    m.stop_all()


def start_review(m: Model, role: str, word: str, at: datetime) -> None:
    m.state, m.step = "in_review", 1
    m.start("step1", at)


def finish_step(m: Model, role: str, word: str, at: datetime) -> None:
    m.stop(f"step{m.step}")
    m.step += 1
    if m.step <= 3:
        m.start(f"step{m.step}", at)


def _deciding(m: Model) -> list[Watch]:
    return [w for name, w in m.watches.items() if name == "decision" or name.startswith("step")]


def open_special(m: Model, role: str, word: str, at: datetime) -> None:
    m.special_from, m.state = m.state, "special_procedure"
    for watch in _deciding(m):
        watch.stood.append([at, None])
    m.start("procedure", at)


def end_special(m: Model, role: str, word: str, at: datetime) -> None:
    m.state = m.special_from
    for watch in _deciding(m):
        watch.stood[-1][1] = at
    m.stop("procedure")


def extend(m: Model, role: str, word: str, at: datetime) -> None:
    m.state, m.was_extended = "extended", True
    m.watches["decision"].days += EXTENSION


def pass_up(m: Model, role: str, word: str, at: datetime) -> None:
    m.state, m.authority = "passed_up", "high"
    m.stop("decision", "step1", "step2", "step3")


def take_up(m: Model, role: str, word: str, at: datetime) -> None:
    start_review(m, role, word, at)
    m.start("decision", at)


def decide(m: Model, role: str, word: str, at: datetime) -> None:
    m.state, m.granted = "decided", word == "grant"
    m.stop("decision", "step1", "step2", "step3")
    m.start("delivery", at)
    if m.kind == "U" and m.granted:
        m.waits = True
        m.watches["delivery"].stood.append([at, None])


def join(m: Model, role: str, word: str, at: datetime) -> None:
    m.waits = False
    if word == "lapse":
        m.state = "closed"
        m.stop_all()
    else:
        m.watches["delivery"].stood[-1][1] = at


def dispatch(m: Model, role: str, word: str, at: datetime) -> None:
    m.state, m.on_road = "delivering", True


def confirm_delivery(m: Model, role: str, word: str, at: datetime) -> None:
    m.state, m.on_road = "delivered", False
    m.stop("delivery")


def report_lost(m: Model, role: str, word: str, at: datetime) -> None:
    m.on_road = False


def take_custody(m: Model, role: str, word: str, at: datetime) -> None:
    m.original_out = True


def return_original(m: Model, role: str, word: str, at: datetime) -> None:
    m.original_out = False


def close(m: Model, role: str, word: str, at: datetime) -> None:
    m.state = "closed"
    m.stop_all()


def rate(m: Model, role: str, word: str, at: datetime) -> None:
    """A side named with a bad word is chased; see `word`: origin, competent (two stars)."""
    m.rated.add(word)
    if word == "competent":
        m.chased.add(word)
    if m.state == "closed":
        m.state = "rated"


def answer_rating(m: Model, role: str, word: str, at: datetime) -> None:
    m.chased.discard("origin" if role == "W" else "competent")


def withdraw(m: Model, role: str, word: str, at: datetime) -> None:
    m.state = "withdrawn"
    m.stop_all()


def suspend(m: Model, role: str, word: str, at: datetime) -> None:
    m.under, m.state, m.court, m.suspended_by = m.state, "suspended", word == "court", role
    if m.court:
        for watch in m.watches.values():
            if not watch.standing():
                watch.stood.append([at, None])


def resume(m: Model, role: str, word: str, at: datetime) -> None:
    m.state, m.resumed = m.under, at
    if m.court:
        own = {"special_procedure": ("decision", "step1", "step2", "step3"), "decided": ("delivery",)}
        kept = own.get(m.state, ()) if m.state != "decided" or m.waits else ()
        for name, watch in m.watches.items():
            if watch.standing() and name not in kept:
                watch.stood[-1][1] = at
    m.court, m.under = False, ""


DEEDS: dict[str, Deed] = {
    deed.__name__: deed
    for deed in (
        *(
            receive,
            reject_handover,
            hand_over,
            pre_check,
            request_correction,
            correct,
            accept,
            accept_with_lack,
        ),
        *(refuse, supply_lack, revoke, start_review, finish_step, open_special, end_special, extend, pass_up),
        *(
            take_up,
            decide,
            join,
            dispatch,
            confirm_delivery,
            report_lost,
            take_custody,
            return_original,
            close,
        ),
        *(rate, answer_rating, withdraw, suspend, resume),
    )
}
