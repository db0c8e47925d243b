"""The first answer to a filing, made again from its event: the one that told it is gone with the database.

Knows what of a filing as stated is written in the filed document, and that what follows from it is worked out
by the very rules that were applied then. What they give is told only where they give the same document again:
after a guide or the directory has changed, the reasons of then are gone, and nothing stands in their place.
Of a joint case filed by a release that did not write down where the applicant chose the place of a part, the
reasons name the stated places; where those lead elsewhere, they are gone as well. Must not know the database,
nor how an event comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from nodes.cases.case import ClockKind, Filing, Party
from nodes.cases.events import Event, Filed, HandedOver, Received
from nodes.codec.answers import FiledFacts, filed_answer
from nodes.codec.requests import NewFiling
from nodes.desk.intake import PART_AREA, PLACE, Standing, stand
from nodes.desk.remarks import on_materials
from nodes.desk.work import Refused

_WITH_IT: Final = (HandedOver, Received)
"""What filing a case commits with its first event."""


def remade_answer(events: Sequence[Event], region: str) -> tuple[str, str, bytes] | None:
    """(client, request id, FileResponse) of the filing that `events` begin with; None when they begin with
    none, or with one that nobody asked this region for.

    `events`: in order, from the first one of the case on.
    """
    if not events or not isinstance(events[0].body, Filed):
        return None
    first, filing = events[0], events[0].body.filing
    if first.author != region or not first.caused_by:
        return None
    last = _committed_with(events)
    notice = next((c.due_at for c in last.after.clocks if c.kind is ClockKind.NOTICE), filing.filed_at)
    facts = FiledFacts(
        case_number=filing.case_number, receipt=filing.case_number, competent=filing.competent,
        authority=filing.authority, version=last.version, notice_due=notice,
        guide_version=filing.guide_version,
    )  # fmt: skip
    standing = stands_again(filing)
    if standing is not None:
        facts = replace(
            facts,
            reasons_zh=standing.reasons_zh,
            reasons_en=standing.reasons_en,
            reused=tuple(sorted(m.code for m in filing.materials if m.reused)),
            warnings=(*standing.warnings, *on_materials(filing.terms, filing.materials)),
        )
    return filing.client, first.caused_by, filed_answer(facts)


def _committed_with(events: Sequence[Event]) -> Event:
    """The last event of the filing's commit."""
    last = first = events[0]
    for event in events[1:]:
        same = event.author == first.author and event.recorded_at == first.recorded_at
        if not same or not isinstance(event.body, _WITH_IT):
            break
        last = event
    return last


def stands_again(filing: Filing) -> Standing | None:
    """What intake makes of the same statement now; None where it is not the same filing any longer."""
    try:
        standing = stand(_stated(filing), filing.origin, filing.filed_at, filing.client)
    except (Refused, ValueError):
        return None
    again = replace(
        standing.filing,
        case_number=filing.case_number,
        materials=filing.materials,
        filed_at=filing.filed_at,
    )
    return standing if again == filing else None


def _stated(filing: Filing) -> NewFiling:
    """The filing as its applicant stated it."""
    return NewFiling(
        matter=filing.matter,
        origin_area=filing.origin_area,
        channel=filing.channel,
        applicant=_handed_in(filing.applicant),
        consent=filing.consent,
        guide_version=filing.guide_version,
        agent=_handed_in(filing.agent) if filing.agent is not None else None,
        mandate=filing.mandate,
        places=_named(filing, PLACE),
        part_areas=tuple((int(position), area) for position, area in _named(filing, PART_AREA)),
        facts=tuple((k, v) for k, v in filing.facts if not k.startswith((PLACE, PART_AREA))),
        delivery=filing.delivery,
    )


def _named(filing: Filing, prefix: str) -> tuple[tuple[str, str], ...]:
    """The facts whose names begin so, by what follows."""
    return tuple((k.removeprefix(prefix), v) for k, v in filing.facts if k.startswith(prefix))


def _handed_in(party: Party) -> Party:
    """With its number as it was written, from which the remarks on it follow."""
    return replace(party, id_no=party.id_given or party.id_no, id_given="")
