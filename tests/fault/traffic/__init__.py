"""Traffic: a seeded mix of people at several nodes, over real gRPC, at a set rate, every changing call noted.

Knows proto/tongban/v1 and the form of the history. Must not know the nodes' code.

    python -m tests.fault.traffic --node 31=127.0.0.1:50031 --node 32=… --seed 7 --rate 10 --seconds 30 \\
      --history run.jsonl
"""
