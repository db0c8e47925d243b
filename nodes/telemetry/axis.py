"""The time axis of a waterfall: hops to scale, long waits cut short, for a case takes milliseconds of work in
days.

Knows intervals of time. Must not know spans, words or terminals.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

Interval = tuple[int, int]
"""Start and end, nanoseconds since the Unix epoch, end >= start."""

_LEAST_SCALE_NS: Final = 100_000
_WIDEST_CUT: Final = 0.03
_ALL_CUTS: Final = 0.35


def union(intervals: Sequence[Interval]) -> list[Interval]:
    """The same stretch of time as disjoint intervals in order."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def length(intervals: Sequence[Interval]) -> int:
    """Nanoseconds that disjoint intervals take together."""
    return sum(end - start for start, end in intervals)


def without(intervals: Sequence[Interval], taken: Sequence[Interval]) -> list[Interval]:
    """What of the first disjoint intervals the second disjoint ones leave."""
    left: list[Interval] = []
    for begin, end in intervals:
        at = begin
        for cut_start, cut_end in taken:
            if cut_end <= at or cut_start >= end:
                continue
            if cut_start > at:
                left.append((at, cut_start))
            at = max(at, cut_end)
        if at < end:
            left.append((at, end))
    return left


@dataclass(frozen=True, slots=True)
class Axis:
    """Places on a line from 0 to 1. marks: the times where something begins or ends; places: where each lies;
    cuts: the stretches between marks that are drawn shorter than they are.
    """

    marks: tuple[int, ...]
    places: tuple[float, ...]
    cuts: tuple[Interval, ...]

    def place(self, time_ns: int) -> float:
        """Where this time lies, 0 to 1; outside of the axis: its nearer end."""
        at = bisect_right(self.marks, time_ns)
        if at == 0:
            return 0.0
        if at == len(self.marks):
            return 1.0
        before, after = self.marks[at - 1], self.marks[at]
        share = (time_ns - before) / (after - before)
        return self.places[at - 1] + share * (self.places[at] - self.places[at - 1])


def make_axis(intervals: Sequence[Interval]) -> Axis:
    """The axis on which these intervals are drawn.

    A stretch between two marks is cut when it is longer than all work together: the time in which something
    was under way, but for stretches that alone outweigh all others (a hop that waited for hours is no work).
    """
    marks = sorted({time for interval in intervals for time in interval})
    stretches = list(pairwise(marks))
    busy = union(intervals)
    worked = sorted(end - start for start, end in stretches if _within(start, busy))
    total = sum(worked)
    while worked and worked[-1] > total - worked[-1] and len(worked) > 1:
        total -= worked.pop()
    scale = max(total, _LEAST_SCALE_NS)
    cuts = tuple(stretch for stretch in stretches if stretch[1] - stretch[0] > scale)
    drawn = length(stretches) - length(cuts)
    cut_share = min(_WIDEST_CUT, _ALL_CUTS / len(cuts)) if cuts else 0.0
    if not drawn and cuts:
        cut_share = 1 / len(cuts)
    per_ns = (1 - cut_share * len(cuts)) / drawn if drawn else 0.0
    places, at, cut = [0.0], 0.0, set(cuts)
    for stretch in stretches:
        at += cut_share if stretch in cut else (stretch[1] - stretch[0]) * per_ns
        places.append(min(at, 1.0))
    return Axis(tuple(marks), tuple(places), cuts)


def _within(time_ns: int, intervals: Sequence[Interval]) -> bool:
    at = bisect_right(intervals, (time_ns, 1 << 80)) - 1
    return at >= 0 and intervals[at][0] <= time_ns < intervals[at][1]
