"""What goes wrong: an exit code, the field, what to do next, in the language of the reader."""

import json
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from tests.integration.cli import canned
from tests.integration.cli.conftest import Run
from tests.integration.cli.double import NodeDouble, refusal, requests_of

FILE = ("file", "--matter", "HF-003", "--origin", "320509", "--name", "沈小雨", "--id", "110101199003077571")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, 3),
        (grpc.StatusCode.FAILED_PRECONDITION, 3),
        (grpc.StatusCode.NOT_FOUND, 4),
        (grpc.StatusCode.UNAVAILABLE, 6),
        (grpc.StatusCode.PERMISSION_DENIED, 7),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 8),
        (grpc.StatusCode.INTERNAL, 1),
        (grpc.StatusCode.UNIMPLEMENTED, 1),
    ],
)
def test_every_status_has_its_exit_code_and_advice(
    run: Run, node: NodeDouble, status: grpc.StatusCode, code: int
) -> None:
    node.refuse = lambda _request: (status, None)
    result = run("cases", "--region", "32", "--node", node.address)
    assert result.exit_code == code
    assert result.stderr.startswith("Failed: ")
    assert "Traceback" not in result.output


def test_a_refusal_tells_code_fields_and_advice_in_both_languages(run: Run, node: NodeDouble) -> None:
    detail = refusal(
        "SECOND_LIST", "command.defects.0", "只能一次", "told once", ("看第一份清单", "see the first list")
    )
    node.refuse = lambda _request: (grpc.StatusCode.FAILED_PRECONDITION, detail)
    flags = ("act", "request-correction", canned.NUMBER, "--defect", "a=b", "--node", node.address)
    chinese = run(*flags, lang="zh").stderr
    assert "第一次本可告知" in chinese
    assert "下一步：看第一份清单" in chinese
    error = json.loads(run(*flags, "--json").stderr)["error"]
    assert (error["exit_code"], error["code"], error["advice_en"]) == (3, "SECOND_LIST", "see the first list")
    assert error["fields"][0]["field"] == "command.defects.0"


def test_nobody_listening_is_told_with_what_to_do(run: Run) -> None:
    result = run("cases", "--node", "127.0.0.1:1")
    assert result.exit_code == 6
    assert "make up" in result.stderr


def test_an_unanswered_filing_says_how_to_repeat_it_safely(run: Run, node: NodeDouble) -> None:
    node.refuse = lambda request: (
        (grpc.StatusCode.UNAVAILABLE, None) if type(request).__name__ == "FileRequest" else None
    )
    result = run(*FILE, "--request-id", "r-7", "--node", node.address, columns=200)
    assert result.exit_code == 6
    assert "--request-id r-7, it is not filed twice" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("track", "320500"), 2, "26 digits"),
        (("track", canned.NUMBER[:-1] + "0"), 2, "check character"),
        (("track",), 2, "CASE is missing"),
        (("bogus",), 2, "No such command"),
        (("cases", "--state", "sleeping"), 2, "one of: filed"),
        (("act", "accept", canned.NUMBER, "--as", "king"), 2, "one of: applicant"),
        (("act", "return-original", canned.NUMBER, "--item", "a", "--at", "soon"), 2, "is no time"),
        (("file", "--from", "x.csv", "--matter", "HF-003"), 2, "--from does not go"),
        (("file", "--from", "x.xlsx"), 2, ".csv or .jsonl"),
        (("file", "--from", "x.csv"), 3, "cannot be opened"),
        (("file", "--place", "moon=320509"), 2, "one of: household"),
        (("file", "--place", "household"), 2, "NAME=VALUE"),
        (("file", "--matter", "HF-003"), 3, "--origin: must not be empty"),
        (("serve",), 2, "--region"),
        (("serve", "--region", "32", "--peer", "99=x"), 2, "31=host:port"),
        (("topics", "--bus-url", "carrier-pigeon://x"), 10, "no bus"),
        (("migrate",), 2, "--database-url"),
        (("migrate", "--database-url", "mysql://x"), 6, "mysql"),
        (("matters", "nothing like it"), 4, "no matter fits"),
        (("areas", "Atlantis"), 4, "no place fits"),
        (("explain", "XX-1", "--origin", "320509"), 4, "no such matter"),
        (("explain", "HF-003", "--origin", "110000"), 3, "outside the four regions"),
    ],
)
def test_bad_input_is_told_before_anything_is_done(
    run: Run, node: NodeDouble, arguments: tuple[str, ...], code: int, said: str
) -> None:
    at = (
        ()
        if arguments[0] in ("serve", "topics", "migrate", "matters", "areas", "explain", "bogus")
        else (
            "--node",
            node.address,
        )
    )
    result = run(*arguments, *at, columns=200)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
    assert not requests_of(node, "ActRequest")
    assert not requests_of(node, "FileRequest")


def test_which_node_is_asked_for_when_there_are_several(
    run: Run, node: NodeDouble, running: Callable[..., None]
) -> None:
    assert run("cases").exit_code == 2
    running(node)
    assert run("cases").exit_code == 0
    with NodeDouble("31") as other:
        running(node, other)
        result = run("cases")
        assert (result.exit_code, "--region 31 | 32" in result.stderr) == (2, True)
        assert run("cases", "--region", "31").exit_code == 0
    assert run("cases", "--region", "33").exit_code == 6


def test_a_broken_file_of_nodes_is_named(run: Run, tmp_path: Any) -> None:
    (tmp_path / "nodes.json").write_text('{"99": 1}')
    result = run("cases")
    assert result.exit_code == 10
    assert "nodes.json" in result.stderr


def test_control_characters_of_others_do_not_reach_the_terminal(run: Run, node: NodeDouble) -> None:
    node.case.case.correction.add(code="id_card", reason="\x1b[2J\u202eevil")
    result = run("track", canned.NUMBER, "--node", node.address)
    assert "\x1b" not in result.output
    assert "\u202e" not in result.output
    assert "evil" in result.output


def test_a_mistake_of_the_program_is_told_without_its_insides(run: Run) -> None:
    def broken(_settings: Any) -> int:
        raise KeyError("secret")

    result = run("serve", "--region", "32", serve=broken)
    assert result.exit_code == 1
    assert "KeyError" in result.stderr
    assert "secret" not in result.output
