"""What `__main__` hands the command line: plain values, and the two ways to run nodes.

Knows names and types only. Must not know where the values come from.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broker.topics import TopicPlan
from nodes.business_time import BusinessClock


@dataclass(frozen=True, slots=True)
class Defaults:
    """Values used where a flag says nothing.

    lang: zh or en. node: host:port or "". region: two digits or "". nodes_file: JSON, region to host:port.
    timeout_s: seconds a call may take. clock: business time here. serve, demo: run a node (until a signal)
    and the rehearsal, given the settings that flags override and the options of the demo; each returns an
    exit code. bus_is_named: bus_url was set, it is no mere default. unknown_settings: variables that look
    like settings and are none.
    """

    lang: str
    version: str
    serve: Callable[[Mapping[str, Any]], int]
    demo: Callable[[Mapping[str, Any], Mapping[str, Any]], int]
    node: str = ""
    region: str = ""
    nodes_file: Path = Path("var/up/nodes.json")
    client: str = "cli"
    timeout_s: float = 10.0
    peers: Mapping[str, str] = field(default_factory=dict)
    database_url: str = ""
    materials_dir: Path | None = None
    bus_url: str = ""
    bus_is_named: bool = False
    topics: TopicPlan = field(default_factory=TopicPlan)
    clock: BusinessClock = field(default_factory=BusinessClock)
    unknown_settings: tuple[str, ...] = ()
