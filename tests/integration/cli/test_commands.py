"""Each command against a node on a real port: what it asks, what it answers, how it ends."""

import json
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from tests.integration.cli import canned
from tests.integration.cli.conftest import Run
from tests.integration.cli.double import NodeDouble, refusal
from tongban.v1 import case_pb2 as pb
from tongban.v1.operator_service_pb2 import PartHealth

FILE = ("file", "--matter", "HF-003", "--origin", "320509", "--name", "沈小雨", "--id", "110101199003077571")


def of(node: NodeDouble, kind: str) -> list[Any]:
    return [request for request in node.requests if type(request).__name__ == kind]


def test_json_is_the_message_of_the_contract(run: Run, node: NodeDouble) -> None:
    result = run("track", canned.NUMBER, "--json", "--node", node.address)
    found = json.loads(result.stdout)
    assert found["case"]["filing"]["case_number"] == canned.NUMBER
    assert found["case"]["state"] == "CASE_STATE_IN_REVIEW"
    assert found["asks"][0]["verb"] == "withdraw"
    assert result.exit_code == 0


def test_common_flags_may_go_before_the_command(run: Run, node: NodeDouble) -> None:
    before = run("--json", "--node", node.address, "cases")
    assert len(json.loads(before.stdout)["cases"]) == 3


def test_a_case_number_finds_its_node_in_any_spelling(
    run: Run, node: NodeDouble, running: Callable[..., None]
) -> None:
    running(node)
    spoken = f"{canned.NUMBER[:6]}-{canned.NUMBER[6:14]} {canned.NUMBER[14:].lower()}"
    assert run("track", spoken).exit_code == 0
    assert of(node, "GetRequest")[0].actor == pb.Actor(
        role=pb.ROLE_APPLICANT, region="32", id="cli-applicant"
    )


def test_every_page_is_followed(run: Run, node: NodeDouble) -> None:
    result = run("cases", "--limit", "1", "--all", "--json", "--node", node.address)
    lines = [json.loads(line)["state"] for line in result.stdout.splitlines()]
    assert lines == ["CASE_STATE_IN_REVIEW", "CASE_STATE_IN_REVIEW", "CASE_STATE_CLOSED"]


def test_filters_are_sent(run: Run, node: NodeDouble) -> None:
    run("cases", "--state", "in-review", "--light", "red", "--open", "--origin", "32", "--node", node.address)
    sent = of(node, "ListRequest")[0].filter
    assert (list(sent.states), sent.light, sent.open, sent.origin) == (
        [pb.CASE_STATE_IN_REVIEW],
        pb.LIGHT_RED,
        True,
        "32",
    )


def test_an_officer_acts_at_the_node_that_owns_the_case(
    run: Run, node: NodeDouble, running: Callable[..., None]
) -> None:
    with NodeDouble("31") as owner:
        running(node, owner)
        result = run(
            "act", "decide", canned.NUMBER, "--grant", "--reasons", "fits", "--remedy", "appeal", "--json"
        )
        assert json.loads(result.stdout) == {"applied_version": "7"}
        asked = of(owner, "ActRequest")[0]
    assert asked.actor.authority == "fund_centre-310000"
    assert asked.actor.region == "31"
    assert asked.command.decide.decision.granted
    assert asked.command.decide.decision.remedy == "appeal"


def test_a_denial_is_sent_as_one(run: Run, node: NodeDouble) -> None:
    run(
        "act",
        "decide",
        canned.NUMBER,
        "--deny",
        "--reasons",
        "no",
        "--remedy",
        "appeal",
        "--node",
        node.address,
    )
    asked = of(node, "ActRequest")[0]
    assert asked.command.WhichOneof("verb") == "decide"
    assert not asked.command.decide.decision.granted


def test_an_ask_is_told_as_one(run: Run, node: NodeDouble, running: Callable[..., None]) -> None:
    running(node)
    result = run("act", "withdraw", canned.NUMBER, "--request-id", "r-9", "--expect-version", "6")
    assert "018f-ask" in result.output
    assert "tongban track" in result.output
    asked = of(node, "ActRequest")[0]
    assert (asked.request_id, asked.expected_version) == ("r-9", 6)


def test_every_kind_of_flag_reaches_its_field(run: Run, node: NodeDouble, tmp_path: Any) -> None:
    (tmp_path / "card.pdf").write_bytes(b"%PDF card")
    at = ("--node", node.address)
    defects = ("--defect", "id_card=unreadable@received", "--defect", "field:phone=missing")
    run("act", "request-correction", canned.NUMBER, *defects, *at)
    answers = ("--material", f"id_card={tmp_path}/card.pdf", "--value", "field:phone=1")
    run("act", "correct", canned.NUMBER, *answers, *at)
    run("act", "rate", canned.NUMBER, "--target", "origin", "--stars", "5", "--indicator", "speed", *at)
    run("act", "return-original", canned.NUMBER, "--item", "id_card", "--at", "2026-10-08T15:30", *at)
    run("act", "return-original", canned.NUMBER, "--item", "id_card", *at)
    orders = [request.command for request in of(node, "ActRequest")]
    told, corrected, rated, given, given_now = orders
    assert [(d.code, d.knowable_since) for d in told.request_correction.defects] == [
        ("id_card", "received"),
        ("field:phone", "first"),
    ]
    assert node.materials[corrected.correct.materials[0].sha256] == b"%PDF card"
    assert corrected.correct.materials[0].media_type == "application/pdf"
    assert dict(corrected.correct.values) == {"field:phone": "1"}
    assert (rated.rate.rating.stars, list(rated.rate.rating.indicators)) == (5, ["speed"])
    assert given.return_original.at == canned.at("2026-10-08T15:30:00")
    assert given_now.return_original.at.seconds > 0


def test_a_filing_brings_its_materials(run: Run, node: NodeDouble, tmp_path: Any) -> None:
    content = b"x" * 600_000
    (tmp_path / "合同.pdf").write_bytes(content)
    flags = ("--material", f"purchase_contract={tmp_path}/合同.pdf", "--place", "insured=330106", "--window")
    result = run(*FILE, *flags, "--json", "--node", node.address)
    assert json.loads(result.stdout)["competent"] == "31"
    filed = of(node, "FileRequest")[0]
    assert node.materials[filed.filing.materials[0].sha256] == content
    assert filed.filing.materials[0].file_name == "合同.pdf"
    assert filed.filing.materials[0].held_by == "32"
    assert filed.filing.places.insured == "330106"
    assert (filed.actor.role, filed.filing.channel) == (pb.ROLE_WINDOW, "window")


def test_what_must_be_chosen_is_said_when_nobody_can_be_asked(run: Run, node: NodeDouble) -> None:
    detail = refusal(
        "NEEDS_CHOICE",
        "filing.places.fund_centre",
        "请问缴存在哪里？",
        "Where is your housing fund held?",
        ("加上 --place fund_centre=…", "add --place fund_centre=…"),
    )
    node.refuse = lambda _request: (grpc.StatusCode.FAILED_PRECONDITION, detail)
    result = run(*FILE, "--node", node.address)
    assert result.exit_code == 3
    assert "filing.places.fund_centre: Where is your housing fund held?" in result.stderr
    assert "Next: add --place fund_centre=…" in result.stderr


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
    assert "所列事项第一次告知时即可知悉" in chinese.replace("\n", "")
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
    assert "--request-id r-7: it will not be filed twice" in result.stderr


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
        (("file", "--matter", "HF-003"), 3, "origin_area: must not be empty"),
        (("serve",), 2, "--region"),
        (("serve", "--region", "32", "--peer", "99=x"), 2, "31=host:port"),
        (("topics", "--bus-url", "carrier-pigeon://x"), 9, "no bus"),
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
    assert not of(node, "ActRequest")
    assert not of(node, "FileRequest")


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


def test_dead_letters_are_replayed_and_dropped(run: Run, node: NodeDouble) -> None:
    again = run("dead", "replay", "dl-7", "--node", node.address)
    assert (again.exit_code, "hash differs" in again.output) == (9, True)
    assert run("dead", "drop", "dl-7", "--node", node.address).exit_code == 2
    dropped = run("dead", "drop", "dl-7", "--reason", "forged", "--node", node.address)
    assert dropped.exit_code == 0
    assert "snapshot" in dropped.output
    assert of(node, "DropDeadRequest")[0].reason == "forged"
    node.letters = []
    assert "Nothing is put aside" in run("dead", "list", "--node", node.address).output


def test_topics_are_made_and_checked_and_the_doctor_looks_at_all(
    run: Run, node: NodeDouble, running: Callable[..., None]
) -> None:
    bus = ("--bus-url", "sqlite:///bus.db")
    missing = run("topics", "--check", *bus)
    assert (missing.exit_code, "missing" in missing.output) == (9, True)
    assert run("topics", *bus).exit_code == 0
    assert run("topics", "--check", *bus).exit_code == 0
    database = ("--database-url", "sqlite:///node.db")
    assert json.loads(run("migrate", *database, "--json").stdout)["before"] == ""
    assert "already" in run("migrate", *database).output
    assert "CREATE TABLE" in run("migrate", "--sql", "postgresql").output
    running(node)
    well = run("doctor", *bus, *database, "--json")
    states = {found["name"]: found["state"] for found in json.loads(well.stdout)["findings"]}
    assert well.exit_code == 0, states
    assert states["Jiangsu 32"] == "up"
    node.health.parked = 1
    node.health.parts.append(PartHealth(name="relay", state="degraded", detail="31 is away"))
    ill = run("doctor", *bus, *database, unknown_settings=("TONGBAN_LISTENN",))
    assert ill.exit_code == 9
    assert "31 is away" in ill.output
    assert "TONGBAN_LISTENN" in ill.output


def test_serve_and_demo_are_handed_what_was_said(run: Run) -> None:
    told: list[Any] = []

    def serve(settings: Any) -> int:
        told.append(dict(settings))
        return 0

    def demo(settings: Any, options: Any) -> int:
        told.append((dict(settings), dict(options)))
        return 9

    assert (
        run("serve", "--region", "32", "--peer", "31=h:1", "--listen", "127.0.0.1:0", serve=serve).exit_code
        == 0
    )
    assert run("demo", "--bus", "sqlite:///b.db", "--day-s", "0.5", "--lang", "zh", demo=demo).exit_code == 9
    assert told == [
        {"region": "32", "listen": "127.0.0.1:0", "peers": {"31": "h:1"}},
        ({"bus_url": "sqlite:///b.db"}, {"lang": "zh", "as_json": False, "day_s": 0.5}),
    ]


def test_a_mistake_of_the_program_is_told_without_its_insides(run: Run) -> None:
    def broken(_settings: Any) -> int:
        raise KeyError("secret")

    result = run("serve", "--region", "32", serve=broken)
    assert result.exit_code == 1
    assert "KeyError" in result.stderr
    assert "secret" not in result.output
