"""What a rehearsal says, in Chinese and English: one table, key -> (Chinese, English).

Knows words. Must not know what is said when. Names of states, events and roles come from the command line's
own table, handed in (`Name`), so that one thing has one name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from regions.region import atlas

Lang = Literal["zh", "en"]
Name = Callable[[str, str], str]
"""(kind, code) -> word, such as ("state", "in_review")."""

TABLE: Final[dict[str, tuple[str, str]]] = {
    "starts": (
        (
            "演练：{filings} 条收件，{cities} 个城市，{matters} 个事项；四个省级节点，"
            "总线：{bus}，数据库：{database}。"
        ),
        (
            "Rehearsal: {filings} filings in {cities} cities, {matters} matters; four nodes, bus: {bus}, "
            "databases: {database}."
        ),
    ),
    "time": (
        "业务时间从 {first} 起由演练推进：一个工作日至少 {day_s:g} 秒，夜间和休息日不占时间。",
        (
            "Business time is moved by the rehearsal from {first} on: a working day takes {day_s:g} s "
            "at least, nights and days off none."
        ),
    ),
    "now": (
        "业务时间 {now}，已演 {played}/{lines} 条，用时 {seconds:.0f} 秒",
        "Business time {now}, {played} of {lines} filings played, {seconds:.0f} s",
    ),
    "pair": ("收件地 → 办理地", "origin → competent"),
    "pair_short": ("收→办", "from → to"),
    "filed": ("收件", "filed"),
    "accepted": ("受理", "accepted"),
    "decided": ("决定", "decided"),
    "delivered": ("送达", "delivered"),
    "all": ("合计", "all"),
    "told": (
        "其中一件的全过程：{number}（{title}，{line}）",
        "One of them in full: {number} ({title}, {line})",
    ),
    "untold": ("没有可详述的办件：{case}", "There is no case to tell of: {case}"),
    "at": ("时间", "at"),
    "event": ("环节", "what"),
    "state": ("状态", "state"),
    "holder": ("在谁手里", "held by"),
    "light": ("灯色", "light"),
    "due": ("期限", "until"),
    "nobody": ("—", "—"),
    "holder_is": ("{role}，{region}", "{role}, {region}"),
    "trace": ("链路：", "Its trace:"),
    "trace_broken": ("链路不连通：{problem}", "The trace is not connected: {problem}"),
    "refused": ("{count} 条收件按预期被拒绝。", "{count} filings were refused, as they should be."),
    "fine": (
        (
            "全部相符：{lines} 条收件都得到应有的结果；{cases} 件办件在收件地和办理地一致，"
            "无丢失、无滞留。用时 {seconds:.0f} 秒。"
        ),
        (
            "All as expected: {lines} filings came to what they should; {cases} cases are the same at "
            "origin and owner, none lost, none stuck. {seconds:.0f} s."
        ),
    ),
    "differs": ("{count} 处与预期不符：", "{count} differences from what was expected:"),
    "difference": (
        "  {line} {field}：预期 {expected}，实际 {found} {where}",
        "  {line} {field}: expected {expected}, found {found} {where}",
    ),
    "more": ("另有 {count} 处", "and {count} more"),
    "took": ("用时 {seconds:.0f} 秒。", "{seconds:.0f} s."),
    "next": ("接下来：", "Next:"),
    "next.up": (
        "  make up                          四个节点持续运行，直到 make down",
        "  make up                          four nodes, kept running until make down",
    ),
    "next.doctor": (
        "  .venv/bin/tongban doctor         哪些在运行，哪些落后",
        "  .venv/bin/tongban doctor         what runs, what lags",
    ),
    "next.explain": (
        "  .venv/bin/tongban explain HF-003 --origin 320509",
        "  .venv/bin/tongban explain HF-003 --origin 320509",
    ),
    "next.file": (
        "  .venv/bin/tongban file --help    自己收一件",
        "  .venv/bin/tongban file --help    file one yourself",
    ),
    "cannot": ("无法演练：{reason}", "The rehearsal cannot begin: {reason}"),
    "node_failed": ("{region} 节点未能启动：{error}", "node {region} did not start: {error}"),
    "no_url": ("--database 不是地址", "--database is no URL"),
    "no_database": ("无法建立数据库 {name}：{error}", "database {name} cannot be made: {error}"),
    "not_ours": (
        "{directory} 不是空的，也不是以前演练留下的",
        "{directory} is not empty, and not of an earlier rehearsal",
    ),
    "has_cases": (
        "节点 {region} 已有办件；演练需要空的数据库和总线(make services-down ARGS=--forget 可清空)",
        (
            "node {region} has cases; a rehearsal needs empty databases and an empty bus "
            "(make services-down ARGS=--forget empties them)"
        ),
    ),
    "files": ("文件", "files"),
}


class Words:
    """The table in one language."""

    def __init__(self, lang: Lang, name: Name) -> None:
        self.lang, self.name = lang, name

    def __call__(self, key: str, **values: object) -> str:
        """The sentence of `key`, filled."""
        return TABLE[key][0 if self.lang == "zh" else 1].format(**values)

    def region(self, code: str) -> str:
        """The name of a region, with its code."""
        region = atlas().region(code)
        return f"{region.name_zh if self.lang == 'zh' else region.name_en} {code}"
