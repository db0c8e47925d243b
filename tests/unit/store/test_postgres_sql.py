"""Batches on PostgreSQL: several that give no answer are one statement."""

from nodes.store.postgres_sql import inserted
from nodes.store.session import Batch, table

INBOX = ("source", "message_id", "seen_wall_s")
META = ("key", "value")


def test_a_batch_is_one_statement_however_many_rows_it_has() -> None:
    few = Batch(table("inbox"), INBOX, [("31", "m1", 1.0)])
    many = Batch(table("inbox"), INBOX, [("31", f"m{n}", 1.0) for n in range(500)])
    assert inserted([(few, "skip")])[0] == inserted([(many, "skip")])[0]
    assert [len(array) for array in inserted([(many, "skip")])[1]] == [500, 500, 500]


def test_batches_of_several_tables_travel_together() -> None:
    seen = Batch(table("inbox"), INBOX, [("31", "m1", 1.0)])
    meta = Batch(table("node_meta"), META, [("k", "v")])
    sql, arrays = inserted([(seen, "skip"), (meta, "replace")], ("key",))
    assert sql.startswith('WITH w0 AS (INSERT INTO "inbox"')
    assert sql.endswith('DO UPDATE SET "value" = excluded."value" RETURNING "key"')
    assert [f"${n}::" in sql for n in range(1, 7)] == [True] * 5 + [False]
    assert [tuple(array) for array in arrays] == [("31",), ("m1",), (1.0,), ("k",), ("v",)]


def test_the_last_of_each_key_stands() -> None:
    meta = Batch(table("node_meta"), META, [("k", "old"), ("l", "x"), ("k", "new")])
    _, arrays = inserted([(meta, "replace")])
    assert [tuple(array) for array in arrays] == [("k", "l"), ("new", "x")]
