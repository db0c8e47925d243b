"""The main job by the command line alone: four nodes as processes, one bus, nothing but `tongban …`."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from broker.bus import Message
from broker.sqlite.embedded import SqliteBus
from broker.topics import inbox
from tests.e2e.provinces import CALL_S, Provinces, ended, provinces, state

APPLICANT = ("--name", "沈小雨", "--id", "110101199003077571", "--consent", "C-2026-0001")
MATTER = ("--matter", "HF-003", "--origin", "320509")
OFFICER = (
    ("pre-check",),
    ("accept",),
    ("start-review",),
    *(("finish-step", "--outcome", "passed"),) * 3,
    ("decide", "--grant", "--reasons", "every condition is met"),
)
HEAD = "matter,origin_area,applicant_name,applicant_id_no,consent,place_fund_centre,materials\n"


def wait_for(nodes: Provinces, case: str, wanted: str, region: str) -> None:
    """Until that node has the case in that state."""
    deadline = time.monotonic() + CALL_S
    while (found := nodes.run("track", case, "--region", region, "--json")).code or state(
        found.data
    ) != wanted:
        assert time.monotonic() < deadline, f"{found.out} {found.err}"


@pytest.mark.timeout(600)
def test_the_whole_job_by_the_command_line_alone(tmp_path: Path) -> None:
    (tmp_path / "card.pdf").write_bytes(b"%PDF-1.7 an identity card")
    with provinces(tmp_path) as nodes:
        case = filed_once_the_place_is_named(nodes)
        settled_by_the_other_province_and_followed_to_the_end(nodes, case)
        traced_over_both(nodes, case)
        many_are_filed_and_the_rejected_once_corrected(nodes)
        what_nobody_can_read_is_put_aside_shown_and_dropped(nodes)
        assert nodes.run("doctor").code == 0
        assert nodes.stop() == dict.fromkeys(nodes.addresses, 0), "a node did not drain in good order"
        away = nodes.run("track", case)
        assert (away.code, "tongban doctor" in away.err) == (6, True), away.err


def filed_once_the_place_is_named(nodes: Provinces) -> str:
    asked = nodes.run("file", *MATTER, *APPLICANT)
    assert (asked.code, "--place fund_centre=AREA" in asked.err) == (3, True), asked.err
    paper = f"id_card={nodes.folder / 'card.pdf'}"
    place = ("--place", "fund_centre=310000", "--material", paper)
    filed = nodes.run("file", *MATTER, *APPLICANT, *place, "--json")
    assert filed.code == 0, filed.err
    assert filed.data["authority"] == "fund_centre-310000"
    return str(filed.data["case_number"])


def settled_by_the_other_province_and_followed_to_the_end(nodes: Provinces, case: str) -> None:
    watching = nodes.begin("track", case, "--watch", "--json")
    wait_for(nodes, case, "CASE_STATE_FILED", "31")
    told = nodes.run("act", "accept", case)
    assert (told.code, f"tongban track {case} --as officer" in told.err) == (3, True), told.err
    for verb, *flags in OFFICER:
        done = nodes.run("act", verb, case, *flags)
        assert (done.code, done.out.startswith("Applied: ")) == (0, True), f"{verb}: {done.err}"
    watched = ended(watching)
    assert watched.code == 0, watched.err
    lines = [json.loads(line) for line in watched.out.splitlines()]
    versions = [int(line["event"]["core"]["version"]) for line in lines[1:]]
    assert versions == list(range(versions[0], versions[0] + len(versions)))
    assert lines[-1]["event"]["core"]["after"]["state"] == "CASE_STATE_CLOSED"
    track = nodes.run("track", case)
    assert "closed: granted" in track.out
    assert "Shanghai 31 owns the case" in track.out


def traced_over_both(nodes: Provinces, case: str) -> None:
    trace = nodes.run("trace", case, "--json")
    assert trace.code == 0, trace.err
    assert trace.data["connected"] is True
    assert {hop["region"] for hop in trace.data["hops"]} == {"31", "32"}


def many_are_filed_and_the_rejected_once_corrected(nodes: Provinces) -> None:
    good = "HF-003,320509,沈小雨,110101199003077571,C-{n},310000,id_card=card.pdf\n"
    wrong = "HF-003,330106,沈小雨,110101199003077572,C-3,310000,\n"
    source = nodes.folder / "cases.csv"
    source.write_text(HEAD + good.format(n=1) + good.format(n=2) + wrong, "utf-8")
    first = nodes.run("file", "--from", str(source))
    assert first.code == 5, first.err
    assert "line 4  refused  applicant_id_no: its check digit is wrong" in first.out
    assert "3 lines: 2 filed, 1 refused" in first.out
    again = nodes.run("file", "--from", str(source), "--json")
    assert (again.code, json.loads(again.out)["summary"]["from_earlier_runs"]) == (5, 3)
    rejected = nodes.folder / "cases.rejected.csv"
    corrected = rejected.read_text("utf-8-sig").replace("110101199003077572", "110101199003077571")
    rejected.write_text(corrected, "utf-8-sig")
    assert nodes.run("file", "--from", str(rejected)).code == 0
    for region, count in (("32", 3), ("33", 1)):
        listed = nodes.run("cases", "--region", region, "--json")
        assert len(listed.data["cases"]) == count, region


def what_nobody_can_read_is_put_aside_shown_and_dropped(nodes: Provinces) -> None:
    asyncio.run(published(nodes.folder / "bus.db", Message(inbox("31"), b"nobody", b"rubbish", ())))
    deadline = time.monotonic() + CALL_S
    while not (letters := nodes.run("dead", "list", "--region", "31", "--json").data.get("letters")):
        assert time.monotonic() < deadline, "the message was not put aside"
    assert [letter["reason"] for letter in letters] == ["BAD_ENVELOPE"]
    letter = letters[0]["id"]
    assert "BAD_ENVELOPE" in nodes.run("dead", "show", letter, "--region", "31").out
    again = nodes.run("dead", "replay", letter, "--region", "31")
    assert again.code != 0, "what cannot be read cannot be read a second time"
    dropped = nodes.run("dead", "drop", letter, "--reason", "rubbish", "--region", "31")
    assert dropped.code == 0, dropped.err
    assert not nodes.run("dead", "list", "--region", "31", "--json").data.get("letters")


async def published(file: Path, message: Message) -> None:
    bus = SqliteBus(file)
    await bus.start()
    try:
        await bus.publish([message])
    finally:
        await bus.close()
