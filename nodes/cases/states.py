"""docs/states.md, drawn from the table: one diagram, one table, the words in Chinese and English.

Knows Markdown and Mermaid. Must not know anything of a case that the table does not say.
"""

from __future__ import annotations

from collections.abc import Iterable

from nodes.cases.case import TERMINAL, State
from nodes.cases.filing import Kind
from nodes.cases.table import ALL, TABLE, UNFINISHED, Row, To, verb
from nodes.cases.words import CONDITIONS, EFFECTS, KINDS, ROLES, STATES, TARGETS

_LETTERS = dict(zip(KINDS, "FCLU", strict=True))
_ROLE_LETTERS = dict(zip(ROLES, "AWOHSTP", strict=True))

_HEAD = """# States of a case 办件状态

Drawn from the transition table in `nodes/cases/table.py` by `nodes.cases.states.render_states`; a test keeps
it in step. Everything that is not in the table is refused.
"""


def render_states() -> str:
    """The whole document, Markdown with one Mermaid diagram, ending in a newline."""
    sections = (
        _HEAD.strip(),
        "## Words 名称",
        _names("state", ((s.value, *STATES[s]) for s in State)),
        _names("role", ((f"{_ROLE_LETTERS[r]} {r.value}", *ROLES[r]) for r in ROLES)),
        _names("kind", ((f"{_LETTERS[k]} {k.value}", *KINDS[k]) for k in KINDS)),
        "Open 未办结: every state but " + ", ".join(f"`{s.value}`" for s in State if s in TERMINAL) + ".",
        "## Diagram 状态图",
        "Rows that leave the state as it is are not drawn; `suspended` returns to where it came from.",
        _diagram(),
        "## Table 转移表",
        _table(),
    )
    return "\n\n".join(sections) + "\n"


def _names(what: str, rows: Iterable[tuple[str, str, str]]) -> str:
    lines = [f"| {what} | 中文 | English |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {zh} | {en} |" for name, zh, en in rows)])


def _diagram() -> str:
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    {s.value}: {s.value} {STATES[s][0]}" for s in State]
    lines.append(f"    [*] --> {State.DRAFT.value}")
    arrows: dict[tuple[State, State], list[str]] = {}
    for row in TABLE:
        for state in row.states:
            for target in _targets(row):
                if target is not state:
                    arrows.setdefault((state, target), []).append(verb(row.command))
    for (state, target), verbs in arrows.items():
        lines.append(f"    {state.value} --> {target.value}: {', '.join(dict.fromkeys(verbs))}")
    lines += [f"    {s.value} --> [*]" for s in State if s in TERMINAL]
    return "\n".join([*lines, "```"])


def _targets(row: Row) -> tuple[State, ...]:
    """The states that a row can lead to, as far as the diagram draws them."""
    match row.to:
        case To.STAYS:
            return ()
        case To.BACK if row.states == (State.SUSPENDED,):
            return ()
        case To.BACK:
            return (State.IN_REVIEW, State.EXTENDED)
        case To.BEFORE:
            return (State.ACCEPTED, State.IN_REVIEW, State.EXTENDED)
        case state:
            return (state,)


def _table() -> str:
    lines = ["| from | command: by | kinds | event -> state | clock | only |", "|---|---|---|---|---|---|"]
    lines += [_line(row) for row in TABLE]
    return "\n".join(lines)


def _line(row: Row) -> str:
    by = ", ".join(_ROLE_LETTERS[role] for role in row.by)
    target = f"`{row.to.value}`" if isinstance(row.to, State) else "<br>".join(TARGETS[row.to])
    clock = "; ".join(EFFECTS[effect][0] for effect in row.clock)
    clock_en = "; ".join(EFFECTS[effect][1] for effect in row.clock)
    only = [words for words in (row.only, CONDITIONS[row.when]) if words[0]]
    cells = (
        _from(row.states),
        f"`{verb(row.command)}`: {by}",
        _kinds(row.kinds),
        f"{row.event.__name__} -> {target}",
        f"{clock}<br>{clock_en}" if clock else "",
        "<br>".join(f"{zh}<br>{en}" for zh, en in only),
    )
    return f"| {' | '.join(cells)} |"


def _from(states: tuple[State, ...]) -> str:
    """The states, or what is said of many together."""
    told = set(states)
    if told >= {*UNFINISHED, State.SUSPENDED, *TERMINAL}:
        return "every state but `draft`<br>一切状态(草稿除外)"
    if told == {*UNFINISHED, State.SUSPENDED}:
        return "every open state<br>一切未办结状态"
    if told == set(UNFINISHED):
        return "every open state but `suspended`<br>一切未办结状态(中止除外)"
    return ", ".join(f"`{s.value}`" for s in states)


def _kinds(kinds: tuple[Kind, ...]) -> str:
    return "all" if set(kinds) == set(ALL) else ", ".join(_LETTERS[kind] for kind in kinds)
