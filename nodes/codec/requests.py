"""What a face is asked: a filing as stated, a verb, and who acts (case_service.proto).

Knows the form of a request, which is checked here; whether a filing stands is the desk's word. Fields that
are wrong are named as the caller knows them ("filing.applicant.name").
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any, Final

from nodes.cases.case import Actor, Delivery, Material, Party
from nodes.cases.commands import Command
from nodes.codec.errors import DecodeError
from nodes.codec.kinds import (
    BOOL,
    COUNT,
    MAX_ITEMS,
    NUMBER,
    PAIRS,
    TEXT,
    Fill,
    Kind,
    Take,
    many,
    maybe,
    one,
)
from nodes.codec.shape import Shape
from nodes.codec.texts import check_text
from nodes.codec.values import ACTOR, DELIVERY, MATERIAL, PARTY
from nodes.codec.verbs import COMMAND
from tongban.v1 import case_service_pb2 as pb

PLACES: Final = tuple(f.name for f in pb.PlaceFacts.DESCRIPTOR.fields)
"""Names of the places that an applicant may state; the same as regions.matter.PlaceKind."""


@dataclass(frozen=True, slots=True)
class NewFiling:
    """A filing as the caller states it. Private: applicant, agent, places, facts, delivery.address.

    `places`: (name of the place, area code), only those stated; `facts`: by name; `part_areas`: (position,
    area).
    """

    matter: str
    origin_area: str
    channel: str
    applicant: Party
    consent: str = ""
    guide_version: str = ""
    agent: Party | None = None
    mandate: str = ""
    places: tuple[tuple[str, str], ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    materials: tuple[Material, ...] = ()
    delivery: Delivery = field(default_factory=Delivery)
    authority: str = ""
    part_areas: tuple[tuple[int, str], ...] = ()
    reuse_held: bool = False


@dataclass(frozen=True, slots=True)
class FileRequest:
    """(client, request_id) names the request for ever."""

    client: str
    request_id: str
    actor: Actor
    filing: NewFiling


@dataclass(frozen=True, slots=True)
class ActRequest:
    """A verb on a case. `expected_version` 0: whatever version the case has."""

    client: str
    request_id: str
    actor: Actor
    case_number: str
    command: Command
    expected_version: int = 0


def _fill_places(name: str) -> Fill:
    def fill(message: Any, places: tuple[tuple[str, str], ...]) -> None:
        inner = getattr(message, name)
        for place, area in places:
            setattr(inner, place, area)

    return fill


def _fill_part_areas(name: str) -> Fill:
    def fill(message: Any, areas: tuple[tuple[int, str], ...]) -> None:
        getattr(message, name).update(dict(areas))

    return fill


def take_places(message: pb.PlaceFacts) -> tuple[tuple[str, str], ...]:
    """The places that are stated. Raises DecodeError naming the place."""
    found = []
    for name in PLACES:
        if area := getattr(message, name):
            try:
                check_text(area, 20)
            except DecodeError as error:
                raise error.under(name) from None
            found.append((name, area))
    return tuple(found)


def _take_places(name: str) -> Take:
    return lambda message: take_places(getattr(message, name))


def _take_delivery(name: str) -> Take:
    def take(message: Any) -> Delivery:
        if not message.HasField(name):
            return Delivery()
        wish = DELIVERY.take(getattr(message, name))
        return wish if wish.way else replace(wish, way=Delivery().way)

    return take


def _take_part_areas(name: str) -> Take:
    def take(message: Any) -> tuple[tuple[int, str], ...]:
        areas = getattr(message, name)
        if len(areas) > MAX_ITEMS:
            raise DecodeError("", f"has more than {MAX_ITEMS} items")
        for area in areas.values():
            check_text(area, 20)
        return tuple(sorted(areas.items()))

    return take


NEW_FILING: Final = Shape(
    NewFiling,
    pb.NewFiling,
    matter=TEXT,
    guide_version=TEXT,
    origin_area=TEXT,
    channel=TEXT,
    applicant=one(PARTY),
    agent=maybe(PARTY),
    mandate=TEXT,
    consent=TEXT,
    places=Kind(_fill_places, _take_places),
    facts=PAIRS,
    materials=many(MATERIAL),
    delivery=Kind(one(DELIVERY).fill, _take_delivery),
    authority=TEXT,
    part_areas=Kind(_fill_part_areas, _take_part_areas),
    reuse_held=BOOL,
)
FILE_REQUEST: Final = Shape(
    FileRequest, pb.FileRequest, client=NUMBER, request_id=NUMBER, actor=one(ACTOR), filing=one(NEW_FILING)
)
ACT_REQUEST: Final = Shape(
    ActRequest,
    pb.ActRequest,
    client=NUMBER,
    request_id=NUMBER,
    actor=one(ACTOR),
    case_number=NUMBER,
    command=one(COMMAND),
    expected_version=COUNT,
)


def fingerprint(message: pb.FileRequest | pb.ActRequest) -> bytes:
    """SHA-256 of what is asked, without its request id: the same request again has the same fingerprint."""
    bare = type(message)()
    bare.CopyFrom(message)  # type: ignore[arg-type]  # the same type on both sides
    bare.ClearField("request_id")
    bare.ClearField("client")
    return hashlib.sha256(
        type(message).__name__.encode() + b"\0" + bare.SerializeToString(deterministic=True)
    ).digest()


__all__ = [
    "ACT_REQUEST",
    "FILE_REQUEST",
    "NEW_FILING",
    "PLACES",
    "ActRequest",
    "FileRequest",
    "NewFiling",
    "fingerprint",
    "take_places",
]
