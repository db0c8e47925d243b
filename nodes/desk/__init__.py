"""The desk: every verb enters here.

It loads the cases concerned, fires their due timers, lets the machine decide, and writes case, events, outbox
and the caller's answer in one transaction, many commands at a time. It knows the order of those steps and
nothing of status codes, topics or SQL; what may happen to a case is the machine's word, how it is encoded the
codec's, how it is stored the store's.

The rooms: `desk` (the verbs as faces call them), `writer` (the queue and the loop), `batch` (one
transaction), `sheet` (one case in it), `intake` (from a filing as stated to a filing that stands), `acts`,
`arrivals` (the kinds of work), `reader` (what is looked up).
"""
