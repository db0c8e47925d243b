"""The pure machine of a case: what may happen next, to which clock, by whom.

This room knows the states, the commands, the events, the one table of transitions and the clocks. It imports
the standard library and the frozen facts of `regions`, nothing else: no await, no wall clock, no randomness,
no logging. Time, ids and the calendar are arguments. It must not know how a case is stored, encoded or
carried.
"""
