"""The filing of the benchmark: a resident with 18 digits, and a fund centre that still holds 15 of them.

HF-005: filed in one province, decided by rule at the fund centre's, delivered electronically, closed. Knows
the messages of the face. Nobody is meant: names and numbers are counted up.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from dataclasses import dataclass

from tongban.v1 import case_pb2, case_service_pb2

MATTER = "HF-005"
EVENTS = 9
"""Filed, HandedOver, Received, PreChecked, Accepted, ReviewStarted, Decided, Delivered, Closed."""
ASKS = 0
"""Nobody but the owner wants anything of it."""
CITIES = {"31": "310000", "32": "320100", "33": "330100", "34": "340100"}
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def identity(count: int) -> str:
    """A number with a right check digit, of somebody born before 1990; another for each of 11 million.

    Serials below 100 and above 899 are left out: some of them the rule leaves to an officer.
    """
    day, serial = count % 20, 100 + count // 20 % 800
    year, month = 1930 + count // 192_000 % 60, 1 + count // 16_000 % 12
    body = f"320102{year}{month:02d}{day + 1:02d}{serial:03d}"
    return body + _CHECKS[sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True)) % 11]


@dataclass(frozen=True, slots=True)
class Way:
    """Where it is filed and where it is decided: regions."""

    origin: str
    competent: str


class Filings:
    """Filings that no run before has used."""

    def __init__(self) -> None:
        self._run = os.urandom(6).hex()
        self._counter = itertools.count()

    def next(self, way: Way) -> bytes:
        """One FileRequest, as bytes."""
        count = next(self._counter)
        number = identity(count)
        document = hashlib.sha256(f"{self._run}-{count}".encode()).digest()
        filing = case_service_pb2.NewFiling(
            matter=MATTER,
            origin_area=CITIES[way.origin],
            channel="online",
            applicant=case_pb2.Party(
                kind="person", name="测试" + chr(0x4E00 + count % 500), id_type="identity_card", id_no=number
            ),
            consent=f"consent-{count}",
            places=case_service_pb2.PlaceFacts(fund_centre=CITIES[way.competent]),
            materials=[
                case_pb2.Material(code="id_card", sha256=document, size=180_000, media_type="image/jpeg")
            ],
            delivery=case_pb2.DeliveryWish(way="electronic"),
        )
        return case_service_pb2.FileRequest(
            request_id=f"{self._run}-{count}",
            client="bench",
            actor=case_pb2.Actor(role=case_pb2.ROLE_APPLICANT, region=way.origin, id=f"a{count}"),
            filing=filing,
        ).SerializeToString()
