"""What an operator sees and mends of a node: dead letters, lanes, health, the trace of a case; and what is
forgotten in time.

Knows the rooms of a running node by what they say of themselves, and the desk's way of settling a letter.
Must not know how an operator reached it (gRPC, HTML), nor what a transition means. Nothing here decides a
case.

The rooms: `operations` (the verbs as faces call them), `health` (how each part is), `traces` (a case's spans
over all regions), `retention` (what may be forgotten), `views` (the shapes that are shown).
"""
