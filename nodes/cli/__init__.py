"""The command line: a face that speaks gRPC to a node like anybody, in Chinese and English.

Knows flags, files of filings, the terminal, exit codes, and how to find a node. Must not know how a case
moves, how it is stored, or the environment: `__main__` hands in `Defaults`. The few commands that need no
node reach the facts (`matters`, `explain`, `areas`), the bus (`topics`, `doctor`) and the database
(`migrate`, `doctor`) themselves.

`app` puts the commands together, `front` turns every failure into words and an exit code, `words` has each
sentence in both languages, `screens` draws what came back, `filing` reads what is to be filed.
"""
