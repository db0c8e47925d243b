"""The table of sentences: complete, in both languages, and nothing in it that nobody says."""

import ast
import re
import string
from dataclasses import fields
from pathlib import Path

import pytest

import nodes.cli
from broker.bus import TopicSpec
from nodes.cli.exits import Exit
from nodes.cli.verbs import UNFLAGGED, VERBS
from nodes.cli.words import TABLE, Words, both, words
from tongban.v1 import case_pb2 as pb
from tongban.v1.event_pb2 import EventCore

ROOM = Path(nodes.cli.__file__).parent


def holes(sentence: str) -> set[str]:
    return {name.partition("!")[0] for _, name, _, _ in string.Formatter().parse(sentence) if name}


def said_in_code() -> tuple[set[str], set[str]]:
    """Literal keys, and the constant beginnings of keys that are put together."""
    keys, beginnings = set(), set()
    for path in ROOM.rglob("*.py"):
        if "words" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
                beginnings.add(str(node.values[0].value))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                keys.add(node.value)
    return keys, beginnings


def test_both_languages_say_the_same_of_the_same_things() -> None:
    for key, (zh, en) in TABLE.items():
        assert zh.strip(), key
        assert en.strip(), key
        assert holes(zh) == holes(en), key


def test_help_has_no_holes_and_no_markup() -> None:
    for key, sentences in TABLE.items():
        if key.startswith(("help.", "panel.")):
            for sentence in sentences:
                assert not holes(sentence), key
                assert "[" not in sentence, f"{key}: square brackets are markup in help screens"


def test_every_key_that_is_said_is_in_the_table() -> None:
    keys, beginnings = said_in_code()
    families = {key.partition(".")[0] for key in TABLE}
    fields = {flag.path for form in VERBS.values() for flag in form.flags} | beginnings
    for key in keys - fields - UNFLAGGED:
        if re.fullmatch(r"[a-z]+(\.[a-z_]+)+", key) and key.partition(".")[0] in families:
            assert key in TABLE


def test_every_sentence_is_said_by_somebody() -> None:
    keys, beginnings = said_in_code()
    families = {b for b in beginnings if b.endswith(("_", "."))}
    names = {f"{kind}." for kind in ("state", "role", "kind", "mode", "clock", "light", "basis", "stop")}
    names |= {
        f"{kind}."
        for kind in ("deemed", "joint", "result", "askstate", "outcome", "letter", "health", "attribute")
    }
    names |= {"level.", "event.", "fail.", "next.", "wrong."}
    silent = {key for key in TABLE if key not in keys and not key.startswith(tuple(families | names))}
    assert silent == set()


def test_every_code_of_the_contract_has_a_word() -> None:
    for enum, kind in (
        (pb.CaseState, "state"),
        (pb.ClockKind, "clock"),
        (pb.Role, "role"),
        (pb.Light, "light"),
    ):
        for name in enum.keys()[1:]:
            short = re.sub(r"^(CASE_STATE|CLOCK_KIND|ROLE|LIGHT)_", "", name).lower()
            assert f"{kind}.{short}" in TABLE
    for field in EventCore.DESCRIPTOR.oneofs_by_name["body"].fields:
        assert field.message_type is not None
        assert f"event.{field.message_type.name}" in TABLE
    for verb in VERBS:
        assert f"help.act.{verb}" in TABLE
    for state in ("parked", "replayed", "dropped"):
        assert f"letter.{state}" in TABLE
    for end in Exit:
        assert f"exit.{end.name.lower()}" in TABLE
    for attribute in fields(TopicSpec)[1:]:
        assert f"attribute.{attribute.name}" in TABLE


def test_an_unknown_name_is_shown_as_it_is() -> None:
    assert words("zh").name("state", "in_review") == "审批中"
    assert words("en").name("state", "quite_new") == "quite_new"


def test_a_sentence_of_one_language_stands_in_for_the_other() -> None:
    assert Words("zh").pick(("", "only English")) == "only English"
    assert both("fail.which_node") == ("有多个节点在运行。", "several nodes are running.")
    with pytest.raises(KeyError):
        both("no.such")
