"""What no tracked file may hold: download hosts, unfinished work, tests that look away."""

import re

import pytest

from tests.house.project import ROOT, is_generated, modules, tracked

HOSTS = [  # each written in two halves: this file is tracked as well
    "pypi" + ".org",
    "python" + "hosted",
    "registry.npm" + "js",
    "crates" + ".io",
    "repo.maven" + ".apache",
    "repo1." + "maven",
    "proxy.golang" + ".org",
    "deb.debian" + ".org",
]

UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b|raise NotImplemented" r"Error")
LOOKS_AWAY = re.compile(
    r"pytest\.(?:mark\.)?(?:sk" r"ip|skip" r"if|import" r"orskip)\b|# type: ig" r"nore(?:$|[^\[])",
    re.MULTILINE,
)
VENDORS = (
    ".github/",
    ".gitlab",
    ".circleci/",
    ".travis",
    "azure-pipelines",
    "Jenkinsfile",
    "bitbucket-pipelines",
)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize("host", HOSTS)
def test_no_tracked_file_names_a_download_host(host: str) -> None:
    assert not [name for name in tracked() if host in text(name).lower()]


def test_no_lock_of_another_kind_is_kept() -> None:
    assert not [
        name for name in tracked() if name.rsplit("/", 1)[-1] in {"uv.lock", "poetry.lock", "Pipfile.lock"}
    ]


def test_no_ci_vendor_is_named() -> None:
    assert not [name for name in tracked() if name.startswith(VENDORS)]


def test_nothing_is_left_unfinished() -> None:
    left = [name for name in modules() if UNFINISHED.search(text(name))]
    assert not left


def test_no_test_looks_away_and_no_type_is_ignored_without_a_code() -> None:
    assert not [name for name in modules() if LOOKS_AWAY.search(text(name))]


def test_the_proto_root_is_no_package() -> None:
    assert "proto/__init__.py" not in tracked(), "proto is the import name of another library"


def test_generated_code_stands_beside_its_source() -> None:
    generated = {name for name in tracked() if is_generated(name)}
    sources = {name.removesuffix(".proto") for name in tracked() if name.endswith(".proto")}
    assert {re.sub(r"_pb2(_grpc)?\.pyi?$", "", name) for name in generated} == sources
