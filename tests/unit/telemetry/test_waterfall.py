import json
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from nodes.telemetry import SpanRow
from nodes.telemetry.allowed import plain_name
from nodes.telemetry.drawing import WaterfallView
from nodes.telemetry.labels import VERBS, Lang, hop_name, region_name, said
from nodes.telemetry.waterfall import NoTrace, as_json, lay_out
from tests.unit.telemetry.made_up import CASE, DAY, MS, PART, START, span, three_regions

SNAPSHOTS = Path(__file__).parent


def drawn(spans: list[SpanRow], lang: Lang, width: int = 120) -> str:
    console = Console(width=width, force_terminal=False, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(WaterfallView(lay_out(spans), lang))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


@pytest.mark.parametrize(("lang", "width"), [("en", 120), ("zh", 120), ("zh", 90)])
def test_three_regions_are_drawn_as_agreed(lang: Lang, width: int) -> None:
    snapshot = SNAPSHOTS / f"waterfall_{lang}_{width}.txt"
    spans = three_regions()
    random.Random(5).shuffle(spans)
    assert drawn(spans, lang, width) == snapshot.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    measure = Console(width=width)
    for lang in ("en", "zh"):
        for line in drawn(three_regions(), "zh" if lang == "zh" else "en", width).splitlines():
            assert measure.measure(line).maximum <= width


def test_elapsed_is_hops_and_wire_and_waiting() -> None:
    waterfall = lay_out(three_regions())
    assert waterfall.elapsed_ns == DAY + 22 * MS
    assert waterfall.elapsed_ns == waterfall.hops_ns + waterfall.wire_ns + waterfall.waiting_ns
    assert (waterfall.regions, waterfall.cases) == (("32", "31", "33"), (CASE, PART))


def test_the_wire_is_from_the_end_of_the_send_to_the_start_of_the_processing() -> None:
    wires = [
        (bar.wire_from, bar.span.region, bar.wire_ns)
        for bar in lay_out(three_regions()).bars
        if bar.wire_from
    ]
    assert wires == [
        ("32", "31", int(5.8 * MS)),
        ("32", "33", int(2501.5 * MS)),
        ("31", "32", int(7.7 * MS)),
    ]


def test_clocks_that_disagree_give_a_wire_of_nothing() -> None:
    spans = [
        span(1, 0, "32", "send tongban.inbox.31", "producer", 0, 9),
        span(2, 1, "31", "process tongban.inbox.31", "consumer", 5, 1),
    ]
    assert lay_out(spans).bars[1].wire_ns == 0


def test_own_time_leaves_out_what_happened_within() -> None:
    by_id = {bar.span.span_id[-1]: bar for bar in lay_out(three_regions()).bars}
    assert by_id["1"].self_ns == int(4.5 * MS)
    assert by_id["2"].depth == 1
    assert by_id["5"].depth == 0


def test_a_wait_of_days_does_not_squeeze_the_hops() -> None:
    axis = lay_out(three_regions()).axis
    first = axis.place(START + 14 * MS) - axis.place(START)
    assert first > 0.2
    assert axis.place(START) == 0.0
    assert axis.place(START + 2 * DAY) == 1.0


def test_a_hop_that_waited_for_hours_does_not_squeeze_the_others() -> None:
    spans = [
        span(1, 0, "32", "file", "internal", 0, 10),
        span(2, 1, "32", "send tongban.inbox.31", "producer", 10, 3_600_000),
        span(3, 2, "31", "process tongban.inbox.31", "consumer", 3_600_020, 10),
    ]
    axis = lay_out(spans).axis
    assert axis.place(START + 10 * MS) > 0.2
    assert len(axis.cuts) == 1


@pytest.mark.parametrize("took", [0, 1])
def test_a_single_hop_can_be_drawn(took: int) -> None:
    assert "file" in drawn([span(1, 0, "32", "file", "internal", 0, took)], "en")


def test_nothing_cannot_be_drawn() -> None:
    with pytest.raises(NoTrace):
        lay_out([])


def test_a_gap_is_said_in_both_languages() -> None:
    spans = three_regions()
    del spans[4]
    assert "✗ the trace has gaps" in drawn(spans, "en")
    assert "✗ 轨迹有缺口" in drawn(spans, "zh")
    assert as_json(lay_out(spans))["problems"] == [
        {
            "kind": "parent_missing",
            "span_id": f"{8:016x}",
            "missing_span_id": f"{5:016x}",
            "detail": "tongban.v1.CaseService/Act in region 31 hangs under a span that nobody has",
        }
    ]


def test_the_json_form_has_every_hop_and_is_json() -> None:
    found = json.loads(json.dumps(as_json(lay_out(three_regions()))))
    assert (found["connected"], found["elapsed_ms"]) == (True, 86_400_022.0)
    assert found["started_at"] == "2026-09-30T01:00:00+00:00"
    assert len(found["hops"]) == 12
    fifth = found["hops"][4]
    assert (fifth["region"], fifth["wire_ms"], fifth["wire_from"], fifth["took_ms"]) == ("31", 5.8, "32", 6.0)
    assert found["hops"][3]["recovered"] is True


def test_every_word_is_there_in_both_languages() -> None:
    some = three_regions()[1]
    for name, (zh, en) in VERBS.items():
        assert hop_name(replace(some, name=name), "zh") == zh
        assert hop_name(replace(some, name=name), "en") == en
    assert hop_name(replace(some, name="something_new"), "zh") == "something new"
    assert (region_name("34", "zh"), region_name("34", "en"), region_name("99", "en")) == (
        "安徽省",
        "Anhui",
        "99",
    )


@pytest.mark.parametrize(
    ("time_ns", "en", "zh"),
    [
        (0, "0 µs", "0 微秒"),
        (840_000, "840 µs", "840 微秒"),
        (12_340_000, "12.3 ms", "12.3 毫秒"),
        (999_000_000, "999 ms", "999 毫秒"),
        (4_200_000_000, "4.2 s", "4.2 秒"),
        (185_000_000_000, "3 min 5 s", "3 分 5 秒"),
        (86_400_000_000_000, "1 d", "1 天"),
        (183_600_000_000_000, "2 d 3 h", "2 天 3 小时"),
    ],
)
def test_lengths_of_time_are_said_in_two_units(time_ns: int, en: str, zh: str) -> None:
    assert (said(time_ns, "en"), said(time_ns, "zh")) == (en, zh)


def test_what_a_node_does_by_itself_keeps_its_name_and_has_a_word_in_both_languages() -> None:
    sources = (Path(__file__).parents[3] / "nodes").rglob("*.py")
    names = {
        name for file in sources for name in re.findall(r'OwnHop\([^"\n]*"([^"]+)"', file.read_text("utf-8"))
    }
    assert names >= {"own_step", "timer_due"}
    for name in names:
        assert plain_name(name) == name
        assert name in VERBS
