"""The table of verbs is the contract's: every verb, every field, no more."""

from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import Descriptor

from nodes.cli.commands.act import _defect
from nodes.cli.failures import Failure
from nodes.cli.verbs import UNFLAGGED, VERBS
from nodes.cli.words import TABLE
from tongban.v1.command_pb2 import Command

MEMBERS = Command.DESCRIPTOR.oneofs_by_name["verb"].fields
WHOLE = {"Timestamp", "Material", "Defect"}


def paths(message: Descriptor, before: str = "") -> Iterator[str]:
    for field in message.fields:
        inner = field.message_type
        if inner and inner.name not in WHOLE and not inner.GetOptions().map_entry:
            yield from paths(inner, f"{before}{field.name}.")
        else:
            yield f"{before}{field.name}"


def test_every_verb_is_there() -> None:
    assert set(VERBS) == {field.name for field in MEMBERS}


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_field_has_a_flag_and_every_flag_a_field(verb: str) -> None:
    member = Command.DESCRIPTOR.fields_by_name[verb].message_type
    assert member is not None
    wanted = {path for path in paths(member) if f"{verb}.{path}" not in UNFLAGGED}
    assert {flag.path for flag in VERBS[verb].flags} == wanted


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_flag_is_explained(verb: str) -> None:
    for flag in VERBS[verb].flags:
        assert flag.help in TABLE


def test_defects_are_read() -> None:
    found = _defect("id_card=unreadable@received")
    assert (found.code, found.reason, found.knowable_since) == ("id_card", "unreadable", "received")
    assert _defect("id_card=a@b.example").knowable_since == "first"
    with pytest.raises(Failure):
        _defect("id_card")
