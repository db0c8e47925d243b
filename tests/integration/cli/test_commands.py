"""Each command against a node on a real port: what it asks, what it answers, how it ends."""

import json
from collections.abc import Callable
from typing import Any

import grpc

from tests.integration.cli import canned
from tests.integration.cli.conftest import Run
from tests.integration.cli.double import NodeDouble, refusal, requests_of
from tongban.v1 import case_pb2 as pb

FILE = ("file", "--matter", "HF-003", "--origin", "320509", "--name", "沈小雨", "--id", "110101199003077571")


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
    assert requests_of(node, "GetRequest")[0].actor == pb.Actor(
        role=pb.ROLE_APPLICANT, region="32", id="cli-applicant"
    )


def test_every_page_is_followed(run: Run, node: NodeDouble) -> None:
    result = run("cases", "--limit", "1", "--all", "--json", "--node", node.address)
    lines = [json.loads(line)["state"] for line in result.stdout.splitlines()]
    assert lines == ["CASE_STATE_IN_REVIEW", "CASE_STATE_IN_REVIEW", "CASE_STATE_CLOSED"]


def test_filters_are_sent(run: Run, node: NodeDouble) -> None:
    run("cases", "--state", "in-review", "--light", "red", "--open", "--origin", "32", "--node", node.address)
    sent = requests_of(node, "ListRequest")[0].filter
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
        asked = requests_of(owner, "ActRequest")[0]
    assert asked.actor.authority == "fund_centre-310000"
    assert asked.actor.region == "31"
    assert asked.command.decide.decision.granted
    assert asked.command.decide.decision.remedy == "appeal"


def test_what_an_officer_can_do_is_asked_of_the_node_that_owns_the_case(
    run: Run, node: NodeDouble, running: Callable[..., None]
) -> None:
    with NodeDouble("31") as owner:
        running(node, owner)
        assert run("track", canned.NUMBER, "--as", "officer").exit_code == 0
        asked = requests_of(owner, "GetRequest")[0]
    assert asked.actor == pb.Actor(
        role=pb.ROLE_OFFICER, region="31", id="cli-officer", authority="fund_centre-310000"
    )


def test_a_refused_act_says_with_which_command_to_go_on(run: Run, node: NodeDouble) -> None:
    detail = refusal("STEPS_OPEN", "command.decide.decision.granted", "", "", ("", ""))
    node.refuse = lambda request: (
        (grpc.StatusCode.FAILED_PRECONDITION, detail) if type(request).__name__ == "ActRequest" else None
    )
    told = run("act", "decide", canned.NUMBER, "--grant", "--node", node.address, columns=160).stderr
    assert "  --grant: " in told
    assert f"Next: finish each step first: tongban act finish-step {canned.NUMBER}" in told


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
    asked = requests_of(node, "ActRequest")[0]
    assert asked.command.WhichOneof("verb") == "decide"
    assert not asked.command.decide.decision.granted


def test_an_ask_is_told_as_one(run: Run, node: NodeDouble, running: Callable[..., None]) -> None:
    running(node)
    result = run("act", "withdraw", canned.NUMBER, "--request-id", "r-9", "--expect-version", "6")
    assert "018f-ask" in result.output
    assert "tongban track" in result.output
    asked = requests_of(node, "ActRequest")[0]
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
    orders = [request.command for request in requests_of(node, "ActRequest")]
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
    filed = requests_of(node, "FileRequest")[0]
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
        ("填写所问的地点", "state the place that is asked for"),
    )
    node.refuse = lambda _request: (grpc.StatusCode.FAILED_PRECONDITION, detail)
    result = run(*FILE, "--node", node.address)
    assert result.exit_code == 3
    assert "--place fund_centre=AREA: Where is your housing fund held?" in result.stderr
    assert "Next: add --place fund_centre=AREA" in result.stderr
