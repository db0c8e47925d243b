"""First answers to requests: given or claimed, found, trimmed.

Why giving is safe, and so is a claim: the insert of a key waits for another transaction that has inserted it;
once that one has committed, the insert is skipped, and what would have been the second answer is rolled back
(give) or the first is read (claim); had it rolled back, the insert wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter

from sqlalchemy import bindparam, delete, select, tuple_

from nodes.store.dialect import among, texts
from nodes.store.errors import AnswerTaken
from nodes.store.rows import AnswerKey, Claim, StoredAnswer
from nodes.store.session import Session, batch, batch_of, build, columns_of, keys_of, table

ANSWER = table("answer")
_COLUMNS = [ANSWER.c[name] for name in columns_of(StoredAnswer)]
_FIND = select(*_COLUMNS).where(
    among(ANSWER.c.client, texts("clients")),
    among(ANSWER.c.request_id, texts("ids")),
    ANSWER.c.answer.is_not(None),
)
_KEY = tuple_(ANSWER.c.client, ANSWER.c.request_id)
_DROP = delete(ANSWER).where(
    ANSWER.c.client == bindparam("b_client"),
    ANSWER.c.request_id == bindparam("b_id"),
    ANSWER.c.answer.is_(None),
)
_TRIM = delete(ANSWER).where(
    _KEY.in_(
        select(ANSWER.c.client, ANSWER.c.request_id)
        .where(ANSWER.c.created_wall_s < bindparam("before"))
        .order_by(ANSWER.c.created_wall_s)
        .limit(bindparam("most"))
    )
)


async def _taken() -> None:
    raise AnswerTaken("a request of this batch has been answered")


class AnswerReads(Session):
    """Answers, read."""

    async def find_answer(self, client: str, request_id: str) -> StoredAnswer | None:
        """The stored answer of a request id, None when it has none."""
        return (await self.find_answers([(client, request_id)])).get((client, request_id))

    async def find_answers(self, keys: Iterable[AnswerKey]) -> dict[AnswerKey, StoredAnswer]:
        """The stored answers among `keys`."""
        wanted = set(keys)
        clients = keys_of("answer", (client for client, _ in wanted))
        ids = keys_of("answer", (request_id for _, request_id in wanted))
        found = build(StoredAnswer, await self._link.fetch(_FIND, {"clients": clients, "ids": ids}))
        return {row.key: row for row in found if row.key in wanted}


class AnswerWrites(AnswerReads):
    """Answers, written."""

    async def claim_answers(
        self, claims: Sequence[Claim], *, created_wall_s: float
    ) -> dict[AnswerKey, StoredAnswer | None]:
        """Per key the answer that exists, or None: this transaction has won the key and must `put_answers` it
        (or `drop_claims` it, after a passing error) before it commits. Waits for another transaction that has
        the key.

        Of two claims with one key in `claims` the first counts; the caller answers the second like the first.
        """
        first: dict[AnswerKey, Claim] = {}
        for claim in claims:
            first.setdefault(claim.key, claim)
        names = ("client", "request_id", "fingerprint", "answer", "created_wall_s")
        rows = [(*key, first[key].fingerprint, None, created_wall_s) for key in sorted(first)]
        won = await self._link.insert_new(batch(ANSWER, names, rows))
        answers: dict[AnswerKey, StoredAnswer | None] = dict.fromkeys(won)
        lost = [key for key in first if key not in answers]
        if lost:
            answers |= await self.find_answers(lost)
        return answers

    async def give_answers(self, answers: Sequence[StoredAnswer]) -> None:
        """Stores answers to requests that nobody has claimed.

        Raises AnswerTaken, at the latest when the transaction ends, when one of them has an answer.
        """
        ordered = sorted(answers, key=attrgetter("key"))  # two transactions wait in one order, not in a ring
        await self._link.insert_all(batch_of(ANSWER, ordered), _taken)

    async def put_answers(self, answers: Sequence[StoredAnswer]) -> None:
        """Stores answers to keys that this transaction has won."""
        await self._link.insert(batch_of(ANSWER, answers), "replace")

    async def keep_answers(self, answers: Sequence[StoredAnswer]) -> None:
        """Stores answers to requests that have none."""
        await self._link.insert(batch_of(ANSWER, answers), "skip")

    async def drop_claims(self, keys: Iterable[AnswerKey]) -> None:
        """Gives up keys won in this transaction without an answer: the next request with the id is the first
        again."""
        await self._link.run_many(
            _DROP, [{"b_client": client, "b_id": request_id} for client, request_id in keys]
        )

    async def trim_answers(self, *, before_wall_s: float, limit: int) -> int:
        """Deletes up to `limit` answers older than that, oldest first; how many."""
        return await self._link.run(_TRIM, {"before": before_wall_s, "most": limit})
