"""Hypothesis strategies for domain values, read off the dataclasses and not off the codec's tables."""

from __future__ import annotations

import dataclasses
import types
import typing
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any

from hypothesis import strategies as st

from nodes.business_time import SHANGHAI
from nodes.cases import case as c
from nodes.cases import commands, events
from regions.limits import Limit

START = datetime(2026, 9, 30, 10, tzinfo=SHANGHAI)

texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")), max_size=30
)
times = st.integers(0, 10**15).map(lambda us: START + timedelta(microseconds=us))
regions = st.sampled_from(["31", "32", "33", "34"])
areas = st.from_regex(r"3[1-4][0-9]{4}", fullmatch=True)
names = st.from_regex(r"[A-Za-z0-9._:-]{1,40}", fullmatch=True)
needed = texts.filter(bool)
pairs = st.dictionaries(needed, texts, max_size=4).map(lambda named: tuple(sorted(named.items())))
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)

REGIONS = {"region", "origin", "competent", "owner", "holder", "author", "to", "by_region"}
AREAS = {"origin_area", "authority_area", "area"}
NEEDED = {"matter", "target", "item", "shipment_id", "direction", "code", "kind", "id", "name"}
NUMBERS = {"case_number", "handover_id"}
STRINGS = ((REGIONS, regions), (AREAS, areas), (NEEDED, needed), (NUMBERS, names))
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(1, 1_000),
    datetime: times,
}
BY_NAME: dict[tuple[str, str], st.SearchStrategy[Any]] = {
    ("Stop", "reason"): needed,
    ("Actor", "id"): names,
    ("RequiredMaterial", "name_zh"): texts,
    ("Terms", "yellow_share"): st.floats(0, 1),
    ("Terms", "close_of_business"): st.none() | st.integers(1, 1439).map(lambda m: time(m // 60, m % 60)),
    ("Material", "sha256"): digests,
    ("Rating", "stars"): st.integers(1, 5),
    ("LightChanged", "light"): st.sampled_from(list(c.Light)),
    ("Suspension", "by"): st.sampled_from(list(c.Role)),
    ("Event", "by"): st.sampled_from(list(c.Role)),
    ("Case", "lead"): names,
    ("Filing", "lead"): names,
    ("Material", "held_by"): regions,
    ("Filing", "lead_region"): regions,
    ("JointPart", "needs"): st.lists(st.integers(1, 9), max_size=3).map(tuple),
    ("Case", "spent_handovers"): st.lists(names, max_size=3).map(tuple),
}


def of(kind: Any, owner: str = "", name: str = "") -> st.SearchStrategy[Any]:
    """A strategy for a field of that type."""
    if (owner, name) in BY_NAME:
        return BY_NAME[owner, name]
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return value(kind)
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*(st.none() if a is type(None) else of(a, owner, name) for a in args))
    if origin is tuple and args[-1] is ...:
        inner = args[0]
        if typing.get_origin(inner) is tuple:
            return pairs
        return st.lists(of(inner, owner, ""), max_size=3).map(tuple)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return st.sampled_from([v for v in kind if v.value != "draft"])
    if kind is str:
        return next((strategy for known, strategy in STRINGS if name in known), texts)
    return PLAIN[kind]


def value(kind: type[Any]) -> st.SearchStrategy[Any]:
    """A strategy for a frozen dataclass."""
    hints = typing.get_type_hints(kind)
    return st.builds(
        kind, **{f.name: of(hints[f.name], kind.__name__, f.name) for f in dataclasses.fields(kind)}
    )


BODIES: tuple[type[Any], ...] = tuple(k for k in typing.get_args(events.Body) if k is not events.Unknown)
COMMANDS: tuple[type[Any], ...] = typing.get_args(commands.Command)
BY_NAME["Limit", "value"] = st.integers(1, 1_000)
limits = value(Limit)
cases = value(c.Case)
filings = value(c.Filing)


def event_with(body: st.SearchStrategy[Any]) -> st.SearchStrategy[events.Event]:
    """Events with such a body."""
    return st.builds(
        events.Event,
        version=st.integers(1, 2**40),
        epoch=st.integers(1, 2**40),
        author=regions,
        by=st.sampled_from(list(c.Role)),
        effective_at=times,
        recorded_at=times,
        body=body,
        after=value(events.After),
        actor=names,
        caused_by=st.just("") | names,
    )
