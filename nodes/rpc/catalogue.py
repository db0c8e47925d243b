"""CatalogueService: what there is to be had, and who decides it.

Knows the messages of catalogue_service.proto and the facts of the regions. The catalogue is public: nobody is
asked who he is, and nothing of what a person states is kept.
"""

from __future__ import annotations

from typing import Any, Final

from typing_extensions import override

from nodes.codec.catalogue import explanation_view, matters_view
from nodes.codec.errors import DecodeError
from nodes.codec.requests import take_places
from nodes.rpc.faults import Fault, Wrong, malformed, missing
from nodes.rpc.ports import Business
from regions.calendar import WorkCalendar
from regions.directory import ApplicantFacts
from regions.errors import FieldError
from regions.explain import explain
from tongban.v1 import catalogue_service_pb2 as pb
from tongban.v1.catalogue_service_pb2_grpc import CatalogueServiceServicer

MAX_TEXT: Final = 100
_FIELDS: Final = {"filing": "origin_area", "matter": "matter", "area": "origin_area"}
"""What the facts call a field -> its path in the request; any other is a place that the person stated."""


class CatalogueFace(CatalogueServiceServicer):
    """The servicer of one node."""

    def __init__(self, now: Business, calendar: WorkCalendar) -> None:
        self._now, self._calendar = now, calendar

    @override
    async def List(
        self, request: pb.CatalogueServiceListRequest, context: Any
    ) -> pb.CatalogueServiceListResponse:
        """Matters by filter."""
        for name in ("domain", "text"):
            if len(getattr(request, name)) > MAX_TEXT:
                raise malformed(name, f"has more than {MAX_TEXT} characters")
        return matters_view(request)

    @override
    async def Explain(self, request: pb.ExplainRequest, context: Any) -> pb.ExplainResponse:
        """Who decides, how long, what is needed, and why."""
        for name in ("matter", "origin_area"):
            if not getattr(request, name):
                raise missing(name)
        try:
            facts = ApplicantFacts.of(dict(take_places(request.places)))
            found = explain(request.matter, facts, request.origin_area, self._now(), calendar=self._calendar)
        except DecodeError as error:
            raise malformed(f"places.{error.field}", error.reason) from None
        except FieldError as error:
            field = _FIELDS.get(error.field, f"places.{error.field}")
            code = error.reason.upper()
            raise Fault(code, [Wrong(field, code, error.detail)]) from None
        return explanation_view(found)
