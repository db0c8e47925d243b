"""The clocks of a case: what runs until when, on what light, and on what each limit rests."""

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.text import Text

from nodes.cli import names
from nodes.cli.screens.kit import light, table
from nodes.cli.terminal import clean
from nodes.cli.words import TABLE, Words
from tongban.v1.case_pb2 import Case, Clock, ClockKind, Limit, LimitBasis, LimitUnit


def running(case: Case) -> list[Clock]:
    """The clocks that have not ended."""
    return [clock for clock in case.clocks if not clock.HasField("ended_at")]


def stop_of(clock: Clock) -> str:
    """Code of the reason for which a clock stands now, "" when it runs or has ended."""
    last = clock.stops[-1] if clock.stops else None
    return last.reason if last is not None and not last.HasField("until") else ""


def clock_table(clocks: Iterable[Clock], words: Words) -> Iterator[RenderableType]:
    """A line for each clock; below them, once each, what the limits rest on."""
    notes: dict[str, int] = {}
    rows: list[list[str | Text]] = []
    for clock in clocks:
        note = notes.setdefault(basis_words(clock.limit, words), len(notes) + 1)
        step = f" {clock.step}" if clock.step else ""
        rows.append(
            [
                words.name("clock", names.code(ClockKind, clock.kind)) + step,
                f"{limit_words(clock.limit, words)} [{note}]",
                names.due(clock.due_at),
                _state(clock, words),
            ]
        )
    yield table(
        [words(f"clock.head_{name}") for name in ("kind", "limit", "due", "state")], rows, fixed=(0, 1, 2)
    )
    for basis, note in notes.items():
        yield Text(f"[{note}] {clean(basis)}", style="dim")


def limit_words(limit: Limit, words: Words) -> str:
    """How many of what: "20 working days"."""
    unit = names.code(LimitUnit, limit.unit) or "none"
    one = f"unit.one_{unit}"
    return words(one if limit.value == 1 and one in TABLE else f"unit.{unit}", value=limit.value)


def basis_words(limit: Limit, words: Words) -> str:
    """On what it rests, and whether the figure is official."""
    kind = names.code(LimitBasis, limit.basis_kind)
    said = words.pick((limit.basis_zh, limit.basis_en))
    official = words("basis.official" if limit.official else "basis.not_official")
    if not said or kind in ("statutory", "promised"):
        said = words.name("basis", kind) + (words("mark.colon") + said if said else "")
    return f"{said} ({official})"


def _state(clock: Clock, words: Words) -> Text:
    told = light(clock.light, words)
    if clock.HasField("ended_at"):
        told.append(words("clock.ended", at=names.when(clock.ended_at)), style="dim")
    elif stop_of(clock):
        told.append(words("clock.stopped", reason=words.name("stop", clean(stop_of(clock)))))
    if clock.provisional:
        told.append(f" {words('track.provisional')}")
    return told
