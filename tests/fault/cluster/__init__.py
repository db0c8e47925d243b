"""A federation of real processes: `tongban serve` a region, with the signals that a machine may give them.

Knows processes, environment variables and files. Must not know the nodes' code.
"""
