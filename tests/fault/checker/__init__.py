"""The checker: whether a run kept every promise, by what it left behind and never by a node's word.

Reads databases by plain SQL, topics by the wire, and the load generator's own history; judges all of them
together. Knows the schema and proto/tongban/v1, and nothing of the nodes' code: the transition table, the
chain of hashes and the working days are written here a second time.

    python -m tests.fault.checker --db 31=sqlite:///31.db --db 32=… --bus sqlite:///bus.db --history run.jsonl
"""
