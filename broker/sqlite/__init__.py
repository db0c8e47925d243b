"""The embedded bus: a durable log with partitions, groups and offsets in one SQLite file, and no server.

Knows SQL of its own file and of no other. Several processes of one machine share the file safely: SQLite's
write lock orders all appends, group membership is a row with a heartbeat, and a partition is read by whoever
holds its row. Not for a file system shared between machines: WAL needs shared memory, heartbeats one clock.

`schema` makes the file, `log` and `groups` are plain functions on a connection, `writer` is the one thread
that commits whatever has queued up as a group, `subscription` and `embedded` are the asynchronous face.
"""

from broker.sqlite.embedded import SqliteBus

__all__ = ["SqliteBus"]
