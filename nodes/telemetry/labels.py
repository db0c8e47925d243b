"""The words of a waterfall in Chinese and English: what a hop is called, how a length of time is said.

Knows span names and the regions' names. Must not know terminals. A name without a word here is shown as it
is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

from nodes.telemetry.spans import SpanRow
from regions.errors import FactError
from regions.region import region

Lang = Literal["zh", "en"]

_BY_TOPIC: Final = re.compile(
    r"(?P<verb>create|send|receive|process) tongban\.(?P<topic>[a-z_]+)\.?(?P<region>\d*)"
)

VERBS: Final[Mapping[str, tuple[str, str]]] = {
    "file": ("收件", "file"),
    "pre_check": ("预审", "pre-check"),
    "hand_over": ("移交", "hand over"),
    "receive": ("接收移交", "receive"),
    "reject_handover": ("退回移交", "reject handover"),
    "request_correction": ("一次性告知补正", "request correction"),
    "correct": ("补正", "correct"),
    "accept": ("受理", "accept"),
    "accept_with_lack": ("容缺受理", "accept with lack"),
    "refuse": ("不予受理", "refuse"),
    "supply_lack": ("补齐容缺材料", "supply lack"),
    "revoke": ("撤销受理", "revoke"),
    "start_review": ("开始审查", "start review"),
    "finish_step": ("完成环节", "finish step"),
    "open_special": ("启动特别程序", "open special procedure"),
    "end_special": ("结束特别程序", "end special procedure"),
    "extend": ("延期", "extend"),
    "pass_up": ("上报", "pass up"),
    "take_up": ("上级受理", "take up"),
    "decide": ("审批决定", "decide"),
    "join": ("联办汇合", "join"),
    "dispatch": ("寄送", "dispatch"),
    "confirm_delivery": ("送达", "confirm delivery"),
    "report_lost": ("报告丢失", "report lost"),
    "close": ("办结", "close"),
    "rate": ("评价", "rate"),
    "withdraw": ("撤回", "withdraw"),
    "suspend": ("中止", "suspend"),
    "resume": ("恢复", "resume"),
    "reinstate": ("恢复原状", "reinstate"),
    "apply": ("更新镜像", "apply to the mirror"),
    "ask": ("请求办理地", "ask the owner"),
    "file_part": ("联办分件", "file a part"),
    "fold_part": ("汇总分件", "fold a part"),
    "light": ("变灯", "change the light"),
    "fetch_material": ("调取材料", "fetch a material"),
    "timer_due": ("时限到期", "a limit is due"),
    "own_step": ("节点自动办理", "the node's own step"),
}
"""Name of a hop at the desk -> (Chinese, English)."""

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "region": ("地区", "region"),
    "hop": ("环节", "hop"),
    "start": ("开始", "start"),
    "took": ("用时", "took"),
    "wire": ("在途", "on the wire"),
    "bar": ("时间轴", "timeline"),
    "title": ("办件全程轨迹", "trace of case"),
    "parts": ("含联办分件", "with its parts"),
    "elapsed": ("全程", "elapsed"),
    "in_hops": ("环节内", "in hops"),
    "on_wire": ("在途", "on the wire"),
    "waiting": ("等待", "waiting"),
    "connected": ("轨迹完整，各环节均有上级", "connected: every parent is there"),
    "broken": ("轨迹有缺口", "the trace has gaps"),
    "recovered": ("重启后补记", "recovered after a restart"),
    "call": ("调用", "call"),
    "cut": ("时间轴在此压缩", "timeline cut short here"),
    "hops": ("个环节", "hops"),
    "parent_missing": ("缺上级环节", "parent missing"),
    "no_root": ("缺起点", "no root"),
    "several_roots": ("多个起点", "a second root"),
    "several_traces": ("多条轨迹", "several traces"),
    "cycle": ("环节成环", "cycle"),
    "conflict": ("标识冲突", "two hops of one id"),
    "no_spans": ("无轨迹", "no spans"),
}

_TOPICS: Final[Mapping[str, tuple[str, str]]] = {
    "create": ("备妥发往{0}", "queue for {0}"),
    "send": ("发往{0}", "send to {0}"),
    "receive": ("{0}取件", "fetch in {0}"),
    "process": ("{0}处理来件", "process in {0}"),
}

_UNITS: Final[tuple[tuple[int, int, str, str], ...]] = (
    # shown from this many ns on, divided by, Chinese, English
    (0, 1_000, "微秒", "µs"),
    (1_000_000, 1_000_000, "毫秒", "ms"),
    (1_000_000_000, 1_000_000_000, "秒", "s"),
)


def word(key: str, lang: Lang) -> str:
    """A word of the waterfall's frame."""
    return WORDS[key][lang == "en"]


def region_name(code: str, lang: Lang) -> str:
    """The region's name, or the code when it is none of the federation's."""
    try:
        found = region(code)
    except FactError:
        return code
    return found.name_en if lang == "en" else found.name_zh


def hop_name(span: SpanRow, lang: Lang) -> str:
    """What a hop is called for people."""
    if span.kind in ("server", "client") and "/" in span.name:
        return f"{word('call', lang)} {span.name.rpartition('/')[2]}"
    if (found := _BY_TOPIC.fullmatch(span.name)) is not None:
        place = region_name(found["region"], lang) if found["region"] else found["topic"]
        return _TOPICS[found["verb"]][lang == "en"].format(place)
    words = VERBS.get(span.name)
    return words[lang == "en"] if words else span.name.replace("_", " ")


def said(time_ns: int, lang: Lang) -> str:
    """A length of time in two units at most: 840 µs, 12.3 ms, 4.20 s, 3 min 5 s, 2 d 3 h."""
    second = 1_000_000_000
    if time_ns < 60 * second:
        _, per, zh, en = next(unit for unit in reversed(_UNITS) if time_ns >= unit[0])
        number = time_ns / per
        digits = 0 if per == 1_000 or number >= 100 else 1
        return f"{number:.{digits}f} {en if lang == 'en' else zh}"
    names = ("d", "h", "min", "s") if lang == "en" else ("天", "小时", "分", "秒")
    left = time_ns // second
    parts: list[str] = []
    for size, name in zip((86_400, 3_600, 60, 1), names, strict=True):
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {name}")
    return " ".join(part for part in parts[:2] if not part.startswith("0 "))
