"""What is written on PostgreSQL: whatever gives no answer is one statement."""

from sqlalchemy import bindparam, delete

from nodes.store.dialect import among, texts
from nodes.store.postgres_sql import Part, Piece, gathered
from nodes.store.queries.serials import _BLOCK
from nodes.store.session import Batch, Present, table

INBOX = ("source", "message_id", "seen_wall_s")
META = ("key", "value")


def piece(batch: Batch, present: Present, *, told: bool = False) -> Piece:
    return Piece(Part(batch.table, batch.names, present, told=told), batch)


def test_a_batch_is_one_statement_however_many_rows_it_has() -> None:
    few = Batch(table("inbox"), INBOX, [("31", "m1", 1.0)])
    many = Batch(table("inbox"), INBOX, [("31", f"m{n}", 1.0) for n in range(500)])
    assert gathered([piece(few, "skip")])[0] == gathered([piece(many, "skip")])[0]
    assert [len(array) for array in gathered([piece(many, "skip")])[1]] == [500, 500, 500]


def test_batches_of_several_tables_travel_together() -> None:
    seen = Batch(table("inbox"), INBOX, [("31", "m1", 1.0)])
    meta = Batch(table("node_meta"), META, [("k", "v")])
    sql, arrays = gathered([piece(seen, "skip"), piece(meta, "replace")], ("key",))
    assert sql.startswith('WITH w0 AS (INSERT INTO "inbox"')
    assert sql.endswith('DO UPDATE SET "value" = excluded."value" RETURNING "key"')
    assert [f"${n}::" in sql for n in range(1, 7)] == [True] * 5 + [False]
    assert [tuple(array) for array in arrays] == [("31",), ("m1",), (1.0,), ("k",), ("v",)]


def test_a_statement_that_changes_a_table_travels_with_them() -> None:
    seen = Batch(table("inbox"), INBOX, [("31", "m1", 1.0)])
    parked = table("parked")
    drop = delete(parked).where(
        among(parked.c.id, texts("ids")), parked.c.highest_seen < bindparam("version")
    )
    change = Piece(Part(parked, change=drop), values={"ids": ["a", "b"], "version": 7})
    sql, given = gathered([change, piece(seen, "skip")])
    assert sql.startswith("WITH w0 AS (DELETE FROM parked WHERE (parked.id  = ANY($1::TEXT[]))")
    assert "parked.highest_seen < $2::BIGINT) INSERT INTO" in sql
    assert "unnest($3::" in sql
    assert given[:2] == [["a", "b"], 7]


def test_numbered_rows_take_as_many_numbers_as_there_are_rows_and_are_counted() -> None:
    spans = Batch(table("inbox"), INBOX, [("31", "m1", 1.0)])
    meta = Batch(table("node_meta"), ("key",), [("k",), ("l",)])
    part = Part(meta.table, meta.names, counted="value", block=_BLOCK, told=True)
    block = {"b_name": "s", "b_count": 2}
    sql, given = gathered([piece(spans, "skip", told=True), Piece(part, meta, block)])
    assert (
        'n1(behind) AS (UPDATE serial SET "next"=' in sql or "n1(behind) AS (UPDATE serial SET next=" in sql
    )
    assert 'SELECT u."key", n1.behind - $7::BIGINT + u.nth - 1 FROM n1, unnest($4::VARCHAR[])' in sql
    assert sql.endswith("SELECT (SELECT count(*) FROM w0), (SELECT count(*) FROM w1)")
    assert [tuple(array) for array in given[:4]] == [("31",), ("m1",), (1.0,), ("k", "l")]
    assert sorted(map(str, given[4:])) == ["2", "2", "s"]


def test_the_last_of_each_key_stands() -> None:
    meta = Batch(table("node_meta"), META, [("k", "old"), ("l", "x"), ("k", "new")])
    _, arrays = gathered([piece(meta, "replace")])
    assert [tuple(array) for array in arrays] == [("k", "l"), ("new", "x")]
