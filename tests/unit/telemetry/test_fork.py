"""Ids of spans over a fork: a server that forks its workers must not give two hops the same id."""

from __future__ import annotations

import os

from nodes.telemetry.casetrace import new_span_id


def test_two_forks_give_different_ids() -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, new_span_id().to_bytes(8, "big"))
        os._exit(0)
    ours = new_span_id()
    theirs = int.from_bytes(os.read(reader, 8), "big")
    os.waitpid(child, 0)
    os.close(reader)
    os.close(writer)
    assert ours != theirs
