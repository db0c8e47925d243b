"""What an operator does about a dead letter: try it again, or drop it.

Knows that trying again is the inbox's own way of taking a message in, and that dropping an owner's event
leaves a copy that only the owner's snapshot makes whole. Must not know how the letter's bytes became a
message: they were opened before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nodes.cases.errors import CaseError
from nodes.codec.answers import dropped_answer, problems_answer, refusal_answer, replayed_answer
from nodes.codec.exchange import EventBatch, ServiceRequest
from nodes.desk.arrivals import number_of, take, tell_needs_of
from nodes.desk.arrived import Arrived
from nodes.desk.batch import Batch
from nodes.desk.holes import snapshot_request
from nodes.desk.hops import Hop, stay
from nodes.desk.taking import HOLD_LIMIT, Acks, Taking
from nodes.desk.work import Answer
from nodes.desk.writes import Needs
from nodes.store.rows import Claim, ParkedRow, ResyncRow


class _FailedAgain(Exception):
    """The letter cannot be applied now either."""


@dataclass(slots=True, kw_only=True)
class _Settling:
    """`message`: the letter's bytes, opened again; `claim`: the operator's request."""

    letter_id: str
    message: Arrived
    claim: Claim | None
    hop: Hop = stay
    done: asyncio.Future[Answer] = field(init=False)
    urgent: bool = True

    def refusal(self, error: CaseError) -> Answer:
        """The answer that a refusal becomes."""
        return Answer(True, refusal_answer(error))

    @property
    def numbers(self) -> Sequence[str]:
        """The cases concerned."""
        number = number_of(self.message)
        return (number,) if number else ()

    def tell_needs(self, needs: Needs) -> None:
        """What else must be loaded for it."""
        needs.letters.add(self.letter_id)
        needs.held.update(self.numbers)
        tell_needs_of(self.message, needs)

    def _letter(self, batch: Batch) -> ParkedRow | Answer:
        """The letter, when it is still to be settled; else the refusal."""
        letter = batch.letters.get(self.letter_id)
        if letter is None:
            return _refused("NO_SUCH_LETTER", "id")
        if letter.state != "parked":
            return _refused("LETTER_SETTLED", "id", f"it was {letter.state}")
        return letter

    def _settle(self, batch: Batch, letter: ParkedRow, state: str, reason: str, by: str) -> None:
        settled = replace(
            letter, state=state, settled_reason=reason, settled_by=by, settled_wall_s=batch.context.wall_s()
        )
        batch.writes.settled.append(settled)
        before = batch.letters[letter.id]
        batch.letters[letter.id] = settled
        batch.on_undo(lambda: batch.letters.__setitem__(letter.id, before))
        held_up = batch.holdups.get(letter.case_number or "", {})
        if letter.id in held_up:
            del held_up[letter.id]
            batch.on_undo(lambda: held_up.__setitem__(letter.id, before))


@dataclass(slots=True, kw_only=True)
class Replay(_Settling):
    """Try a letter again, in one transaction: the case goes on, what is held is drained, what came in
    meanwhile is asked for. When it fails again, everything is as it was, with the new reason.
    """

    by: str = ""

    def do(self, batch: Batch) -> Answer:
        """Do it, all or nothing."""
        letter = self._letter(batch)
        if isinstance(letter, Answer):
            return letter
        failed: list[tuple[str, str]] = []
        acks = Acks()
        taking = Taking(batch, self.message, self.hop, acks, lambda _m, _n, r, d: failed.append((r, d)))
        try:
            with batch.attempt(self.numbers):
                self._settle(batch, letter, "replayed", "", self.by)
                if letter.reason != HOLD_LIMIT:
                    take(taking)
                if failed:
                    raise _FailedAgain
                self._go_on(taking, letter)
        except _FailedAgain:
            reason, detail = failed[0]
            batch.writes.failed_again.append(replace(letter, reason=reason, detail=detail[:400]))
            return Answer(False, replayed_answer("parked", f"{reason}: {detail}"))
        acks.send(batch)
        return Answer(False, replayed_answer("replayed", ""))

    def _go_on(self, taking: Taking, letter: ParkedRow) -> None:
        """While the case waited nothing was asked for: ask for what may have come since. What was put aside
        for want of room comes again with it.
        """
        number = letter.case_number
        if not number or taking.batch.waits(number):
            return
        sheet = taking.batch.sheets.get(number)
        if sheet is None or sheet.case is None:
            if letter.reason == HOLD_LIMIT:
                taking.ask_for_hole(letter.source, number, 1)
            return  # it was held, and its hole asked for
        sheet.parked = False
        if not sheet.owned_by(taking.region):
            taking.ask_for_hole(sheet.case.owner, number, sheet.version + 1)


@dataclass(slots=True, kw_only=True)
class Drop(_Settling):
    """Give a letter up. When a case waits for it, the case goes on waiting, for its owner's snapshot."""

    reason: str
    by: str = ""

    def do(self, batch: Batch) -> Answer:
        """Do it, all or nothing."""
        letter = self._letter(batch)
        if isinstance(letter, Answer):
            return letter
        if not self.reason.strip():
            return _refused("REASON_MISSING", "reason")
        self._settle(batch, letter, "dropped", self.reason, self.by)
        number = letter.case_number
        if not number:
            return Answer(False, dropped_answer(resync=False))
        if batch.awaited(number) is None:
            self._ask_for_state(batch, number, letter)
        return Answer(False, dropped_answer(resync=True))

    def _ask_for_state(self, batch: Batch, number: str, letter: ParkedRow) -> None:
        sheet = batch.sheets.get(number)
        owner = sheet.case.owner if sheet is not None and sheet.case is not None else letter.source
        known = sheet.version if sheet is not None else 0
        content = self.message.content
        stated = content.from_version if isinstance(content, (EventBatch, ServiceRequest)) else known + 1
        first = max(1, min(stated, known + 1))
        wall = batch.context.wall_s()
        row = ResyncRow(letter.id, number, first, None, owner, wall, highest_seen=letter.highest_seen)
        batch.writes.resyncs.append(row)
        batch.resyncs.setdefault(number, []).append(row)
        batch.on_undo(lambda: batch.resyncs[number].remove(row))
        case = sheet.row if sheet is not None else None
        batch.writes.outbox.append(snapshot_request(batch.context, owner, number, first, case))


def _refused(code: str, field_name: str, detail: str = "") -> Answer:
    return Answer(True, problems_answer(code, [(field_name, code, detail, "")]))
