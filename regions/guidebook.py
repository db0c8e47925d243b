"""Guides, put together from the facts of a matter and the settings of a place.

Knows how to choose: the strictest limit that applies, the law only where it binds the
matter, 容缺 and deemed withdrawal only where the province has them. Must not know dates or
cases. Guides are built when asked for and kept.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

from regions.authorities import Authority, authority, lead_authority
from regions.catalog import Catalogue, catalogue, load_catalogue
from regions.datafiles import DATA
from regions.errors import FactError
from regions.guide import Guide, MaterialItem, Relay, RelayKind, Step, StepCode
from regions.joint import JointPart, JointPlan
from regions.limits import BasisKind, Limit
from regions.materials import MaterialLists, load_materials
from regions.matter import Flow, HandlingMode, Matter
from regions.provincial import (
    FederationLimits,
    RegionSettings,
    load_federation,
    load_region_settings,
    set_by_body,
)
from regions.published import PublishedLimit, Use, load_published
from regions.region import Atlas, Place, atlas, load_atlas

_STEPS = {
    StepCode.HANDLING: ("经办", "handling", Use.HANDLING),
    StepCode.REVIEW: ("审核", "review", None),
    StepCode.APPROVAL: ("审批", "approval", Use.APPROVAL),
}
_FLOWS: Mapping[Flow, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Flow.NONE: ((), ()),
    Flow.MONEY: (
        ("涉及资金：本系统按一般办件记录审批结果，支付与清算由原有渠道办理。",),
        ("Money is involved: it runs as a generic case; payment and clearing keep their own channels.",),
    ),
    Flow.REGISTER: (
        ("涉及登记簿变动：本系统按一般办件记录各环节，登记簿之间的专门报文由原有渠道传送。",),
        ("A register changes: it runs as a generic case; the registers' messages keep their own channels.",),
    ),
}


@dataclass(frozen=True, slots=True)
class Guidebook:
    """All that guides are made of. Build with `load_guidebook`; the shipped one is `guidebook()`."""

    atlas: Atlas
    catalogue: Catalogue
    published: Mapping[str, tuple[PublishedLimit, ...]]
    lists: MaterialLists
    federation: FederationLimits
    settings: Mapping[str, RegionSettings]

    def build(self, code: str, area: str, part: str | None = None) -> Guide:
        """The guide of a matter at `area`, or of a part of a joint matter there.

        For a joint matter without `part` it is the lead's, at the filing city. A finer area
        code stands for the authority above it. Raises FactError(matter, part or area).
        """
        matter = self.catalogue.matter(code)
        plan = self.catalogue.plan(code)
        piece = plan.part(part) if plan and part is not None else None
        if part is not None and piece is None:
            raise FactError("part", "unknown_part")
        subject = self.catalogue.matter(piece.matter) if piece else matter
        place = self.atlas.place(area, "area")
        body = self._authority(matter, piece, place)
        made = _Making(self, matter, subject, piece, plan, body, place)
        blank = made.guide()
        digest = hashlib.sha256(repr(blank).encode()).hexdigest()[:8]
        return replace(blank, version=f"{self.settings[body.region].revision}.{digest}")

    def _authority(self, matter: Matter, piece: JointPart | None, place: Place) -> Authority:
        if piece is None and matter.mode is HandlingMode.JOINT:
            return lead_authority(place.code)
        at = piece or matter.where
        code = place.at(at.level)
        if code is None:
            raise FactError("area", "not_precise_enough")
        return authority(at.department, code)


@dataclass(frozen=True, slots=True)
class _Making:
    """One guide in the making: subject is the matter that the case itself is about."""

    book: Guidebook
    matter: Matter
    subject: Matter
    piece: JointPart | None
    plan: JointPlan | None
    body: Authority
    place: Place

    @property
    def settings(self) -> RegionSettings:
        return self.book.settings[self.body.region]

    @property
    def is_lead(self) -> bool:
        return self.plan is not None and self.piece is None

    @property
    def is_side(self) -> bool:
        """A part that is a side of the joint matter, not a matter of its own."""
        return self.piece is not None and self.subject is self.matter

    def guide(self) -> Guide:
        settings, federation = self.settings, self.book.federation
        licensing = self.subject.where.licensing
        decision = self.decision()
        city = settings.cities.get(self.place.city or "")
        delivery = federation.licensing_delivery if licensing else federation.delivery
        extension = federation.licensing_extension if licensing else None
        notes_zh, notes_en = _FLOWS[self.subject.where.flow]
        return Guide(
            matter=self.subject.code,
            part=self.piece.code if self.piece else None,
            of=self.matter.code if self.piece else None,
            area=self.body.area,
            region=self.body.region,
            authority=self.body.code,
            version="",
            mode=HandlingMode.JOINT if self.piece else self.subject.mode,
            licensing=licensing,
            materials=self.materials(),
            notice=federation.licensing_notice if licensing else federation.notice,
            decision=decision,
            extension=_strictest(self.figures(Use.EXTENSION)) or extension,
            procedure=settings.procedure,
            correction=settings.correction,
            lack=settings.lack,
            delivery=_strictest([*self.figures(Use.DELIVERY), delivery]) or delivery,
            contact=settings.contact or federation.contact,
            steps=self.steps(decision),
            relays=self.relays(),
            yellow=settings.yellow_by_matter.get(self.subject.code, settings.yellow),
            close_of_business=city.close_of_business
            if city and city.close_of_business
            else settings.close_of_business,
            deemed_withdrawal=settings.deemed_withdrawal is not None,
            lack_allowed=settings.lack is not None,
            grace_working_days=settings.grace_working_days,
            joint=self.plan if self.is_lead else None,
            rule=None if self.piece and self.is_side else self.subject.where.rule,
            notes_zh=notes_zh,
            notes_en=notes_en,
        )

    def figures(self, use: Use) -> list[Limit]:
        """The published limits that apply here for that use."""
        part = self.piece.code if self.piece and self.is_side else None
        rows = self.book.published.get(self.subject.code, ())
        return [
            row.limit for row in rows if row.limit and row.use is use and row.applies(part, self.body.region)
        ]

    def decision(self) -> Limit:
        """The strictest of what was published, the law, and what the body itself set."""
        if self.is_lead:
            return self.settings.lead
        found = self.figures(Use.DECISION)
        where = self.subject.where
        if where.licensing:
            found.append(self.book.federation.licensing_decision)
        if not self.is_side:
            city = self.settings.cities.get(self.place.city or "")
            own = city.decisions.get(self.subject.code) if city else None
            own = own or self.settings.decisions.get(self.subject.code)
            if own:
                found.append(set_by_body(own))
        return _strictest(found) or set_by_body(self.settings.families[where.family])

    def steps(self, decision: Limit) -> tuple[Step, ...]:
        """The three steps, each with a published limit or its share of the decision limit."""
        made = []
        for code, (zh, en, use) in _STEPS.items():
            limit = _strictest(self.figures(use)) if use else None
            if limit is None:
                days = -(-decision.value * self.settings.step_share[code] // 100)
                limit = replace(set_by_body(max(1, days)), unit=decision.unit)
            made.append(Step(code, zh, en, limit))
        return tuple(made)

    def relays(self) -> tuple[Relay, ...]:
        pairs = ((RelayKind.PUSH, Use.PUSH), (RelayKind.INFORM, Use.INFORM))
        return tuple(Relay(kind, limit) for kind, use in pairs for limit in self.figures(use))

    def materials(self) -> tuple[MaterialItem, ...]:
        """The list of the matter as this province has it; a lead asks for all that parts need."""
        lists, settings = self.book.lists, self.settings
        code = self.subject.code
        waived = settings.waived.get(code, ())
        items = [item for item in lists.lists.get(code, ()) if item.code not in waived]
        known = {item.code for item in items}
        items += [lists.added(x) for x in settings.extra.get(code, ()) if x not in known]
        if self.is_lead and self.plan is not None:
            items = self._with_parts(items, self.plan)
        supplied = self.piece.supplied if self.piece else ()
        return tuple(
            replace(
                item,
                lackable=item.lackable and settings.lack is not None,
                required=item.required and not item.is_met_by(frozenset(supplied)),
            )
            for item in items
        )

    def _with_parts(self, items: list[MaterialItem], plan: JointPlan) -> list[MaterialItem]:
        for part in plan.parts:
            supplied = frozenset(part.supplied)
            for item in self.book.lists.lists.get(part.matter, ()):
                held = frozenset(known.code for known in items)
                if item.required and not item.is_met_by(supplied) and not item.is_met_by(held):
                    items.append(item)
        return items


def _strictest(limits: list[Limit]) -> Limit | None:
    """The strictest; of equals a published one, then one of the law."""
    order = list(BasisKind)
    return min(
        limits,
        key=lambda limit: (limit.strictness, not limit.official, order.index(limit.basis_kind)),
        default=None,
    )


def load_guidebook(directory: Path = DATA) -> Guidebook:
    """Read all that guides need. Raises DataError."""
    return _with_the_rest(load_atlas(directory), load_catalogue(directory), directory)


def _with_the_rest(places: Atlas, known: Catalogue, directory: Path) -> Guidebook:
    matters = known.matters
    lists = load_materials(matters, directory)
    return Guidebook(
        places,
        known,
        load_published(matters, known.plans, directory),
        lists,
        load_federation(directory),
        load_region_settings(places, matters, lists.terms, directory),
    )


@cache
def guidebook() -> Guidebook:
    """The shipped facts, loaded once, on the one atlas and catalogue. Raises DataError."""
    return _with_the_rest(atlas(), catalogue(), DATA)


@lru_cache(maxsize=4096)
def guide(matter: str, area: str, part: str | None = None) -> Guide:
    """The shipped guide of a matter at an area, or of the `part` of a joint matter there.

    A joint matter without `part` gives the lead's guide, at the filing city. Raises
    FactError: matter unknown_matter or matter_disabled, part unknown_part, area
    not_precise_enough or a reason of `Atlas.place`.
    """
    return guidebook().build(matter, area, part)
