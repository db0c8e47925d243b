"""The files of compose/, read as an engine would read them: merged anchors, variables filled in."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.house.project import ROOT

COMPOSE = ROOT / "compose"
FILES = ("bus.yaml", "region.yaml", "observe.yaml")
REGIONS = ("31", "32", "33", "34")
SECRETS = {"CLUSTER_ID": "AAAAAAAAAAAAAAAAAAAAAA", "DB_PASSWORD": "secret"}

VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<kind>:[-?])(?P<rest>[^}]*))?\}")


def env_file(path: Path) -> dict[str, str]:
    """The variables that an env file sets."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value.strip("'") for name, _, value in pairs}


def filled(value: Any, variables: Mapping[str, str]) -> Any:
    """A parsed file with its ${VARIABLES} filled in; KeyError for one that nobody gives."""

    def one(match: re.Match[str]) -> str:
        if match["kind"] == ":-":
            return variables.get(match["name"]) or match["rest"]
        return variables[match["name"]]

    if isinstance(value, str):
        return VARIABLE.sub(one, value)
    if isinstance(value, list):
        return [filled(item, variables) for item in value]
    if isinstance(value, dict):
        return {key: filled(item, variables) for key, item in value.items()}
    return value


def parsed(name: str) -> dict[str, Any]:
    """A YAML file of compose/."""
    loaded: dict[str, Any] = yaml.safe_load((COMPOSE / name).read_text(encoding="utf-8"))
    return loaded


def project(name: str, region: str = "31") -> dict[str, Any]:
    """A compose file as it is started, for one region where it matters."""
    variables = {**SECRETS, **env_file(COMPOSE / f"regions/{region}.env")}
    started: dict[str, Any] = filled(parsed(name), variables)
    return started


def node_environment(region: str) -> dict[str, str]:
    """What the node's container of a region finds in its environment."""
    node = project("region.yaml", region)["services"]["node"]
    given: dict[str, str] = {}
    for name in node["env_file"]:
        given |= env_file(COMPOSE / name)
    return {**given, **{key: str(value) for key, value in node["environment"].items()}}
