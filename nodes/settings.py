"""What one node is told from outside: every setting, its default and what it means.

The only room that reads the environment. Read by `__main__` and `assembly` alone; below them go plain
values. A setting is an environment variable with the prefix TONGBAN_; docs/settings.md is written from the
descriptions here (`python -m nodes.settings`) and checked against them.
"""

from __future__ import annotations

import os
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import AwareDatetime, Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting

PREFIX: Final = "TONGBAN_"
REGIONS: Final = ("31", "32", "33", "34")
RegionCode = Literal["", "31", "32", "33", "34"]
LEAST_DAYS: Final = 0.0005
"""The shortest age, some 43 s: a sweep comes every quarter of it, and trimming is no part of any call."""


class SettingsError(ValueError):
    """Settings that no node can run with. `problems`: (name of the variable, what is wrong) for each."""

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in problems))
        self.problems = problems


def _set(default: Any, text: str, **bounds: Any) -> Any:
    return Field(default, description=text, **bounds)


def _days(default: float, text: str, *, most: float = 3650) -> Any:
    return _set(default, text, ge=LEAST_DAYS, le=most, allow_inf_nan=False)


class Settings(BaseSettings):
    """One node's settings, validated. Build with `load`, which raises SettingsError."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True)

    # who and where
    region: RegionCode = _set("", "Region of this node: 31, 32, 33 or 34. `serve` needs it.")
    listen: str = _set("", "gRPC face, host:port. Empty: 127.0.0.1:50000 + region.")
    insecure: bool = _set(False, "Allow `listen` to be more than loopback, unauthenticated.")
    process: str = _set("node", "Lasting name of this process among its region's; outlives restarts.")
    peers: dict[str, str] = _set({}, 'Nodes of the other regions, as JSON such as {"31": "127.0.0.1:50031"}.')

    # where things are kept
    database_url: str = _set("", "Database. Empty: sqlite:///var/REGION/node.db. Or postgresql://…")
    bus_url: str = _set("sqlite:///var/bus.db", "Shared by all regions: sqlite:///file, kafka://…")
    materials_dir: Path | None = _set(None, "Where materials lie. Empty: var/REGION/materials.")

    registers: str = _set(
        "", "Entry point (group tongban.registers) that asks the authorities' registers. Empty: none."
    )

    # business time
    business_start: AwareDatetime | None = _set(None, "Business time at the epoch, zoned. Empty: wall clock.")
    business_epoch_s: float = _set(0.0, "Wall time of `business_start`, seconds since 1970.", ge=0)
    business_rate: float = _set(1.0, "Business seconds a second; not 1 only on loopback.", gt=0, le=1_000_000)
    calendar: Path | None = _set(
        None, "File of working days in place of the shipped one, which ends with 2026."
    )
    business_clock: Path | None = _set(
        None, "File of eight bytes that a rehearsal moves; business time stands as it says. Only on loopback."
    )

    # the bus
    promised_outage_days: float = _days(14, "Longest outage in days that loses nothing.", most=365)
    topic_retention_days: float = _days(30, "Days of messages kept; more than the outage.")
    partitions: int = _set(6, "Partitions of each inbox; never changed afterwards.", ge=1, le=1000)
    replication: int = _set(1, "Copies of a topic (Kafka: 3 in production).", ge=1, le=9)
    min_insync: int = _set(1, "Copies that must have a message before it counts as sent.", ge=1, le=9)
    lanes: int = _set(16, "Lanes of the relay; each is held by one process at a time.", ge=1, le=1024)
    lane_lease_s: float = _set(10.0, "Seconds that a lane is held without renewal.", ge=1, le=300)
    resend_after_s: float = _set(30.0, "Seconds until the unacknowledged is resent.", ge=1, le=86_400)
    hold_limit: int = _set(
        1000, "Events held per case while an earlier version is missing.", ge=1, le=100_000
    )
    recovery_s: float = _set(
        300.0, "Seconds that a restored node waits for the other regions before it writes.", ge=0, le=86_400
    )

    # how much at once
    batch_size: int = _set(200, "Commands decided and committed as one group.", ge=1, le=5000)
    queue_limit: int = _set(5000, "Waiting commands, beyond it RESOURCE_EXHAUSTED.", ge=1, le=1_000_000)
    max_message_bytes: int = _set(
        4 * 1024 * 1024, "Largest gRPC message, bytes.", ge=65_536, le=64 * 1024 * 1024
    )
    max_metadata_bytes: int = _set(8192, "Largest gRPC metadata of a call, bytes.", ge=1024, le=65_536)
    max_material_bytes: int = _set(50 * 1024 * 1024, "Largest material, bytes.", ge=1024, le=2 * 1024**3)
    max_calls: int = _set(
        1000, "gRPC calls under way at once, beyond it RESOURCE_EXHAUSTED.", ge=1, le=100_000
    )
    peer_calls: int = _set(600, "Of these, from one host.", ge=1, le=100_000)
    client_calls: int = _set(400, "Of these, of one client: changing calls by name.", ge=1, le=100_000)
    max_open_streams: int = _set(
        2000, "Streams open at once, beyond it RESOURCE_EXHAUSTED.", ge=1, le=100_000
    )
    peer_streams: int = _set(600, "Of these, from one host.", ge=1, le=100_000)
    max_streams: int = _set(1024, "Calls and streams that one connection may hold open.", ge=1, le=10_000)
    peer_rate: float = _set(
        10000.0, "Filings and verbs a second from one host, beyond it RESOURCE_EXHAUSTED. 0: any.", ge=0
    )
    patience_s: float = _set(
        0.5, "Seconds that a filing or a verb may have to wait, beyond it RESOURCE_EXHAUSTED.", gt=0, le=600
    )
    client_rate: float = _set(5000.0, "Of these, of one client, by name. 0: any.", ge=0)

    # time-outs, seconds of wall time
    rpc_timeout_s: float = _set(10.0, "Seconds that a call to a node or a peer may take.", gt=0, le=600)
    slow_reader_s: float = _set(
        60.0, "Seconds that an answer of a stream may lie unread; then it is dropped.", gt=0, le=3600
    )
    keepalive_s: float = _set(
        30.0, "Seconds of silence after which a connection is tried, and dropped when dead.", ge=1, le=3600
    )
    drain_s: float = _set(10.0, "Seconds that calls under way get when a node stops.", ge=0, le=600)
    poll_s: float = _set(0.2, "Seconds between looks at a database or an embedded bus.", gt=0, le=60)

    # how long things are kept, days
    trace_retention_days: float = _days(90, "Days that spans are kept after a case closed.")
    inbox_retention_days: float = _days(
        60, "Days that the cache of seen messages is kept; more than messages are."
    )
    request_retention_days: float = _days(
        90, "Days that answers to request ids are kept; more than the outage."
    )
    dead_retention_days: float = _days(365, "Days that replayed or dropped dead letters are kept.")

    # what is told
    otlp_endpoint: str = _set("", "Collector for traces, http://host:4317. Empty: none.")
    metrics_port: int = _set(0, "Port of the Prometheus metrics. 0: none.", ge=0, le=65_535)
    log_format: Literal["json", "console"] = _set("json", "How log lines are written: json or console.")
    log_level: Literal["debug", "info", "warning", "error"] = _set("info", "Least level that is logged.")

    # the command line
    node: str = _set("", "Node that commands talk to, host:port. Empty: what `nodes_file` says.")
    nodes_file: Path = _set(Path("var/up/nodes.json"), "Running nodes, JSON: region to host:port.")
    client: str = _set("cli", "Caller's name, the scope of its request ids.", min_length=1, max_length=64)
    lang: Literal["", "zh", "en"] = _set("", "zh or en. Empty: LC_ALL, LC_MESSAGES, LANG.")

    @field_validator("listen", "node")
    @classmethod
    def _address(cls, value: str) -> str:
        if value:
            host_and_port(value)
        return value

    @field_validator("peers")
    @classmethod
    def _addresses(cls, value: dict[str, str]) -> dict[str, str]:
        for region, address in value.items():
            if region not in REGIONS:
                raise ValueError(f"{region!r} is no region; use one of {', '.join(REGIONS)}")
            host_and_port(address)
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.topic_retention_days <= self.promised_outage_days:
            raise ValueError("topic_retention_days: must exceed promised_outage_days")
        if self.inbox_retention_days <= self.topic_retention_days:
            raise ValueError(
                "inbox_retention_days: must exceed topic_retention_days, or a message that still lies on the"
                " bus is not known as seen"
            )
        if self.request_retention_days <= self.promised_outage_days:
            raise ValueError(
                "request_retention_days: must exceed promised_outage_days, or a request that is repeated"
                " after the outage counts as a new one"
            )
        if self.min_insync > self.replication:
            raise ValueError("min_insync: must not exceed replication")
        loopback = is_loopback(host_and_port(self.listen)[0]) if self.listen else True
        if not loopback and not self.insecure:
            raise ValueError("listen: not loopback, and callers are not authenticated; insecure allows it")
        if not loopback and self.business_clock is not None:
            raise ValueError("business_clock: is for rehearsals on loopback")
        if not loopback and self.business_rate != 1:
            raise ValueError("business_rate: other than 1 is for rehearsals on loopback")
        if self.business_rate != 1 and self.business_start is None:
            raise ValueError("business_rate: other than 1 needs business_start")
        return self

    @property
    def listen_address(self) -> str:
        """host:port of the gRPC face; by default the region's own port on loopback."""
        return self.listen or f"127.0.0.1:{50_000 + int(self.region or 0)}"

    @property
    def database(self) -> str:
        """URL of the database; by default a file of the region."""
        return self.database_url or f"sqlite:///var/{self.region or 'node'}/node.db"

    @property
    def materials(self) -> Path:
        """Directory of the materials; by default one of the region."""
        return self.materials_dir or Path("var") / (self.region or "node") / "materials"


def host_and_port(address: str) -> tuple[str, int]:
    """Split "host:port" or "[::1]:port"; port 0 lets the system choose. Raises ValueError."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise ValueError(f"{address!r} is not host:port")
    return host.strip("[]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that host."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def load(**overrides: Any) -> Settings:
    """The settings of the environment, with what the command line says instead. Raises SettingsError."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError(tuple(_problem(item) for item in error.errors(include_url=False))) from None
    except UnreadableSetting as error:
        name = next((known for known in Settings.model_fields if f'"{known}"' in str(error)), "")
        raise SettingsError(((f"{PREFIX}{name.upper()}", "is not JSON"),)) from None


def unknown() -> tuple[str, ...]:
    """Variables that begin like a setting and are none: most likely misspelt."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    return tuple(sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known))


def language() -> Literal["zh", "en"]:
    """The language of the reader: TONGBAN_LANG, else the locale; en when neither says Chinese."""
    for name in (f"{PREFIX}LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def document() -> str:
    """The rows of docs/settings.md: one per setting, in the order above."""
    return "".join(
        f"| `{PREFIX}{name.upper()}` | {_shown(field)} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    )


def _shown(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    if default in ("", None):
        return "(empty)"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default}`"


def _problem(item: Any) -> tuple[str, str]:
    where, reason = (
        ".".join(str(part) for part in item["loc"]),
        str(item["msg"]).removeprefix("Value error, "),
    )
    if not where:
        where, _, reason = reason.partition(": ")
    return f"{PREFIX}{where.upper()}", reason


if __name__ == "__main__":
    sys.stdout.write(document())
