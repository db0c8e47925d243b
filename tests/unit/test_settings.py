"""What settings accept, and how they say what is wrong."""

import os

import pytest

from nodes.assembly import config_of
from nodes.settings import SettingsError, host_and_port, is_loopback, language, load, unknown


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("TONGBAN_") or name in ("LC_ALL", "LC_MESSAGES", "LANG"):
            monkeypatch.delenv(name)


def test_a_region_has_its_own_places_by_default() -> None:
    found = load(region="32")
    assert found.listen_address == "127.0.0.1:50032"
    assert found.database == "sqlite:///var/32/node.db"
    assert str(found.materials) == "var/32/materials"


def test_the_environment_is_read_and_the_command_line_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONGBAN_LANES", "4")
    monkeypatch.setenv("TONGBAN_PEERS", '{"31": "127.0.0.1:50031"}')
    assert load().lanes == 4
    assert load().peers == {"31": "127.0.0.1:50031"}
    assert load(lanes=8).lanes == 8


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"region": "99"}, "TONGBAN_REGION"),
        ({"listen": "0.0.0.0:50032"}, "TONGBAN_LISTEN"),
        ({"listen": "nowhere"}, "TONGBAN_LISTEN"),
        ({"listen": "127.0.0.1:70000"}, "TONGBAN_LISTEN"),
        ({"peers": {"99": "127.0.0.1:1"}}, "TONGBAN_PEERS"),
        ({"business_rate": 60.0}, "TONGBAN_BUSINESS_RATE"),
        ({"business_start": "2026-09-24T09:00:00"}, "TONGBAN_BUSINESS_START"),
        ({"topic_retention_days": 7, "promised_outage_days": 7}, "TONGBAN_TOPIC_RETENTION_DAYS"),
        ({"inbox_retention_days": 30}, "TONGBAN_INBOX_RETENTION_DAYS"),
        ({"request_retention_days": 14}, "TONGBAN_REQUEST_RETENTION_DAYS"),
        ({"trace_retention_days": 0.0001}, "TONGBAN_TRACE_RETENTION_DAYS"),
        ({"dead_retention_days": float("nan")}, "TONGBAN_DEAD_RETENTION_DAYS"),
        ({"topic_retention_days": float("inf")}, "TONGBAN_TOPIC_RETENTION_DAYS"),
        ({"min_insync": 3}, "TONGBAN_MIN_INSYNC"),
        ({"lanes": 0}, "TONGBAN_LANES"),
        ({"lane": 1}, "TONGBAN_LANE"),
    ],
)
def test_a_bad_setting_is_named(given: dict[str, object], named: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(**given)
    assert [name for name, _ in refused.value.problems] == [named]
    assert all(reason for _, reason in refused.value.problems)


def test_ages_may_be_parts_of_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONGBAN_PROMISED_OUTAGE_DAYS", "0.001")
    monkeypatch.setenv("TONGBAN_TOPIC_RETENTION_DAYS", "0.0015")
    monkeypatch.setenv("TONGBAN_INBOX_RETENTION_DAYS", "0.002")
    found = load(region="32", dead_retention_days=7)
    config = config_of(found)
    assert (config.topic_plan.retention_ms, config.topic_plan.promised_outage_ms) == (129_600, 86_400)
    assert config.terms.seen_s == pytest.approx(172.8)
    assert config.terms.every_s == pytest.approx(43.2)


def test_what_is_old_is_looked_for_every_five_minutes_at_least() -> None:
    assert config_of(load(region="32")).terms.every_s == 300


def test_peers_that_are_no_json_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONGBAN_PEERS", "31=127.0.0.1:1")
    with pytest.raises(SettingsError) as refused:
        load()
    assert refused.value.problems == (("TONGBAN_PEERS", "is not JSON"),)


def test_a_fast_clock_never_runs_beyond_loopback() -> None:
    fast = {"business_rate": 3600.0, "business_start": "2026-09-24T09:00:00+08:00"}
    assert load(**fast, listen="127.0.0.1:0").business_rate == 3600
    with pytest.raises(SettingsError, match="TONGBAN_BUSINESS_RATE"):
        load(**fast, listen="0.0.0.0:50032", insecure=True)


def test_misspelt_settings_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONGBAN_LISTENN", "x")
    assert unknown() == ("TONGBAN_LISTENN",)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LC_ALL": "en_US.UTF-8", "TONGBAN_LANG": "zh"}, "zh"),
        ({"LC_ALL": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_language_follows_the_locale(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language() == expected


def test_addresses_are_split() -> None:
    assert host_and_port("[::1]:5") == ("::1", 5)
    assert host_and_port("node.example:443") == ("node.example", 443)
    assert is_loopback("localhost")
    assert is_loopback("::1")
    assert not is_loopback("node.example")
