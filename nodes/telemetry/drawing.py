"""A waterfall in the terminal: a line a hop, all regions under one time axis.

Knows rich and the words of `labels`. Must not know where spans come from; `waterfall` has done the
arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.table import Table
from rich.text import Text

from nodes.telemetry.axis import Axis
from nodes.telemetry.labels import Lang, hop_name, region_name, said, word
from nodes.telemetry.waterfall import HopBar, Pause, Waterfall

_COLOURS: Final = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan")
_SHANGHAI: Final = timezone(timedelta(hours=8))
_DAY_NS: Final = 86_400_000_000_000
_KIND_SIGNS: Final = {"server": "⇥ ", "client": "⇤ ", "producer": "→ ", "consumer": "← ", "internal": ""}
_LEAST_BAR: Final = 16
_WIDE: Final = 100


@dataclass(frozen=True, slots=True)
class _Line:
    """The hop as a bar, the wire before it as a dashed line, the cuts behind both."""

    bar: HopBar
    axis: Axis
    style: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, axis, bar = options.max_width, self.axis, self.bar
        cells = [" "] * width
        for start, end in axis.cuts:
            cells[_cell((axis.place(start) + axis.place(end)) / 2, width)] = "┊"
        first, last = _cell(axis.place(bar.span.start_ns), width), _cell(axis.place(bar.span.end_ns), width)
        wire_first = first
        if bar.wire_ns:
            wire_first = _cell(axis.place(bar.span.start_ns - bar.wire_ns), width)
            cells[wire_first:first] = ["╌"] * (first - wire_first)
        cells[first : last + 1] = ["━"] * (last + 1 - first) if last > first else ["╸"]
        text = Text("".join(cells), style="dim", no_wrap=True)
        text.stylize(f"not dim {self.style}", wire_first, last + 1)
        yield text


@dataclass(frozen=True, slots=True)
class WaterfallView:
    """The waterfall for rich: `console.print(WaterfallView(lay_out(spans), "en"))`. Takes the width it is
    given; below 100 columns the start column is left out.
    """

    waterfall: Waterfall
    lang: Lang

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        w = self.waterfall
        yield self._title()
        yield self._table(options.max_width)
        yield self._totals()
        if any(bar.span.recovered for bar in w.bars):
            yield Text(f"↺ {word('recovered', self.lang)}", style="dim")
        if w.axis.cuts:
            yield Text(f"┊ {word('cut', self.lang)}", style="dim")
        yield self._verdict()

    def _title(self) -> Text:
        w = self.waterfall
        text = Text.assemble(
            (word("title", self.lang), "bold"), " ", (w.cases[0] if w.cases else "", "bold cyan")
        )
        if len(w.cases) > 1:
            parts = ", ".join(f"#{at} {case}" for at, case in enumerate(w.cases[1:], start=2))
            text.append(f"  {word('parts', self.lang)}: {parts}")
        return text.append(f"\ntrace {w.trace_id}", style="dim")

    def _table(self, width: int) -> Table:
        w, lang = self.waterfall, self.lang
        with_start = width >= _WIDE
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False, expand=True)
        table.add_column(word("region", lang), no_wrap=True)
        table.add_column(word("hop", lang), no_wrap=True)
        for name in ("start", "took", "wire") if with_start else ("took", "wire"):
            table.add_column(word(name, lang), no_wrap=True, justify="right")
        table.add_column(word("bar", lang), no_wrap=True, ratio=1, min_width=_LEAST_BAR)
        pauses = {pause.before: pause for pause in w.pauses if self._is_cut(pause)}
        for at, bar in enumerate(w.bars):
            if at in pauses:
                table.add_row(*self._pause_row(pauses[at]), style="dim")
            colour = _COLOURS[w.regions.index(bar.span.region) % len(_COLOURS)]
            style = "bold red" if bar.span.status == "error" else colour
            row = [Text(region_name(bar.span.region, lang), colour), Text(self._hop(bar), style)]
            row += [Text(self._start(bar), "dim")] if with_start else []
            row.append(Text(said(bar.span.duration_ns, lang)))
            row.append(Text("" if bar.wire_ns is None else said(bar.wire_ns, lang)))
            table.add_row(*row, _Line(bar, w.axis, style))
        return table

    def _hop(self, bar: HopBar) -> str:
        w = self.waterfall
        mark = "✗ " if bar.span.status == "error" else ""
        recovered = " ↺" if bar.span.recovered else ""
        name = f"{_KIND_SIGNS[bar.span.kind]}{hop_name(bar.span, self.lang)}"
        at = w.cases.index(bar.span.case_number) if bar.span.case_number else 0
        part = f" #{at + 1}" if at else ""
        return f"{'  ' * min(bar.depth, 6)}{mark}{name}{part}{recovered}"

    def _start(self, bar: HopBar) -> str:
        """The offset, or for a trace of days the date and time in Shanghai."""
        w = self.waterfall
        if w.elapsed_ns < _DAY_NS:
            return f"+{said(bar.span.start_ns - w.start_ns, self.lang)}"
        return f"{datetime.fromtimestamp(bar.span.start_ns / 1e9, _SHANGHAI):%m-%d %H:%M:%S}"

    def _is_cut(self, pause: Pause) -> bool:
        return (pause.start_ns, pause.end_ns) in self.waterfall.axis.cuts

    def _pause_row(self, pause: Pause) -> list[str]:
        why = word("on_wire" if pause.on_wire else "waiting", self.lang)
        return ["⋯", f"⋯ {why} {said(pause.end_ns - pause.start_ns, self.lang)}"]

    def _totals(self) -> Text:
        w, lang = self.waterfall, self.lang
        parts = (
            ("elapsed", w.elapsed_ns),
            ("in_hops", w.hops_ns),
            ("on_wire", w.wire_ns),
            ("waiting", w.waiting_ns),
        )
        text = Text(" · ").join(Text(f"{word(name, lang)} {said(ns, lang)}") for name, ns in parts)
        for code in w.regions:
            own = [bar for bar in w.bars if bar.span.region == code]
            took = said(sum(bar.self_ns for bar in own), lang)
            text.append(f"\n  {region_name(code, lang)}: {len(own)} {word('hops', lang)}, {took}")
        return text

    def _verdict(self) -> Group:
        w, lang = self.waterfall, self.lang
        if not w.problems:
            return Group(Text(f"✓ {word('connected', lang)}", style="green"))
        lines = [Text(f"✗ {word('broken', lang)}", style="bold red")]
        lines += [Text(f"  {word(p.kind, lang)}: {p.detail}", style="red") for p in w.problems]
        return Group(*lines)


def _cell(place: float, width: int) -> int:
    return min(width - 1, int(place * width))
