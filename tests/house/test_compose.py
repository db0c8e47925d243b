"""What compose/ starts fits together and fits the code, as far as that shows without an engine."""

import re
import subprocess
import sys
import zipfile
from concurrent import futures
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from nodes.settings import PREFIX, Settings, load
from nodes.telemetry.metrics import NodeMetrics
from tests.house.deployment import COMPOSE, FILES, REGIONS, env_file, node_environment, parsed, project
from tests.house.project import ROOT


def seconds(duration: str) -> float:
    return float(duration.removesuffix("s"))


def test_every_file_keeps_the_compose_schema() -> None:
    checker = str(Path(sys.executable).with_name("check-jsonschema"))
    files = [str(COMPOSE / name) for name in FILES]
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_variable_is_given_by_an_example_or_a_region() -> None:
    example = set(env_file(COMPOSE / "example.env"))
    for region in REGIONS:
        given = example | set(env_file(COMPOSE / f"regions/{region}.env"))
        assert given == {"CLUSTER_ID", "DB_PASSWORD", "REGION", "PEERS", "BUS_URL"}
        for name in FILES:
            project(name, region)  # KeyError names the variable that is missing


@pytest.mark.parametrize("name", FILES)
def test_what_a_file_refers_to_is_there(name: str) -> None:
    started = project(name)
    for title, service in started["services"].items():
        for file in service.get("env_file", []):
            assert (COMPOSE / file).is_file(), f"{title}: {file}"
        if build := service.get("build"):
            assert (COMPOSE / build["context"] / build["dockerfile"]).resolve().is_file()
        assert {each["source"] for each in service.get("configs", [])} <= set(started.get("configs", {})), (
            title
        )
        assert {each.split(":")[0] for each in service.get("volumes", [])} <= set(started["volumes"]), title
        assert set(service.get("networks", [])) <= set(started["networks"]), title
        assert set(service.get("depends_on", [])) <= set(started["services"]), title
        assert "image" in service, title
    for config in started.get("configs", {}).values():
        assert (COMPOSE / config["file"]).is_file()


def test_the_image_copies_what_is_there_and_not_ignored() -> None:
    allowed = {
        line[1:] for line in (COMPOSE / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (COMPOSE / "Dockerfile").read_text(), re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    assert sources == allowed
    assert all((ROOT / source).exists() for source in sources)


def test_everything_is_published_to_this_machine_alone() -> None:
    for name in FILES:
        for service in project(name)["services"].values():
            assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize("region", REGIONS)
def test_a_node_takes_the_settings_it_is_given(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in node_environment(region).items():
        monkeypatch.setenv(name, value)
    settings = load()
    assert settings.region == region
    assert set(settings.peers) == set(REGIONS) - {region}
    assert settings.peers == {peer: f"node-{peer}:50051" for peer in settings.peers}


def test_the_settings_of_a_deployment_are_those_of_the_page() -> None:
    documented = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert documented == set(re.findall(rf"^\| `({PREFIX}\w+)`", page, re.MULTILINE))

    text = (COMPOSE / "node.env").read_text(encoding="utf-8")
    in_file = set(re.findall(rf"^#?({PREFIX}\w+)=", text, re.MULTILINE))
    in_compose = set(project("region.yaml")["services"]["node"]["environment"])
    assert in_file | in_compose == documented
    assert not in_file & in_compose


def test_the_defaults_that_comments_show_are_the_defaults() -> None:
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    defaults = dict(re.findall(rf"^\| `({PREFIX}\w+)` \| (.*?) \|", page, re.MULTILINE))
    shown = re.findall(
        rf"^#({PREFIX}\w+)=(.*)$", (COMPOSE / "node.env").read_text(encoding="utf-8"), re.MULTILINE
    )
    for name, value in shown:
        assert value == defaults[name].strip("`").replace("(empty)", ""), name


def test_the_ports_of_node_collector_and_prometheus_meet() -> None:
    environment = node_environment("31")
    collector = parsed("collector.yaml")
    receivers, exporters = collector["receivers"], collector["exporters"]
    assert (
        environment["TONGBAN_OTLP_ENDPOINT"] == f"http://{receivers['otlp']['protocols']['grpc']['endpoint']}"
    )
    scraped = receivers["prometheus"]["config"]["scrape_configs"][0]["static_configs"][0]["targets"]
    assert scraped == [f"127.0.0.1:{environment['TONGBAN_METRICS_PORT']}"]

    shown = exporters["prometheus"]["endpoint"].rpartition(":")[2]
    targets = parsed("prometheus.yaml")["scrape_configs"][0]["static_configs"][0]["targets"]
    aliases = {
        r: project("region.yaml", r)["services"]["node"]["networks"]["tongban"]["aliases"][0] for r in REGIONS
    }
    assert targets == [f"{alias}:{shown}" for alias in aliases.values()]
    assert exporters["otlp"]["endpoint"].split(":")[0] in project("observe.yaml")["services"]

    listen = environment["TONGBAN_LISTEN"].rpartition(":")[2]
    for region, alias in aliases.items():
        node = project("region.yaml", region)["services"]["node"]
        assert node["ports"] == [f"127.0.0.1:500{region}:{listen}"]
        for other in set(REGIONS) - {region}:
            assert f'"{region}": "{alias}:{listen}"' in env_file(COMPOSE / f"regions/{other}.env")["PEERS"]
    assert f":{listen}" in (COMPOSE / "health.py").read_text()
    assert f"EXPOSE {listen}" in (COMPOSE / "Dockerfile").read_text()


def test_the_collectors_pipelines_use_what_is_defined() -> None:
    collector = parsed("collector.yaml")
    for pipeline in collector["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= set(collector[kind])


def test_three_brokers_keep_three_copies_and_two_acknowledge() -> None:
    brokers = project("bus.yaml")["services"]
    environment = node_environment("31")
    assert len(brokers) == 3
    voters = ",".join(f"{number}@{name}:9093" for number, name in enumerate(brokers, 1))
    for number, (name, broker) in enumerate(brokers.items(), 1):
        told = broker["environment"]
        assert told["KAFKA_NODE_ID"] == number
        assert told["KAFKA_CONTROLLER_QUORUM_VOTERS"] == voters
        assert told["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{name}:9092"
        assert str(told["KAFKA_DEFAULT_REPLICATION_FACTOR"]) == environment["TONGBAN_REPLICATION"] == "3"
        assert str(told["KAFKA_MIN_INSYNC_REPLICAS"]) == environment["TONGBAN_MIN_INSYNC"] == "2"
        assert told["KAFKA_LOG_DIRS"] == broker["volumes"][0].split(":")[1]
    assert environment["TONGBAN_BUS_URL"] == "kafka://" + ",".join(f"{name}:9092" for name in brokers)


def test_a_node_has_time_to_drain_before_it_is_killed() -> None:
    node = project("region.yaml")["services"]["node"]
    assert seconds(node["stop_grace_period"]) >= 2 * Settings.model_fields["drain_s"].default


def test_the_alarms_speak_of_numbers_that_a_node_shows() -> None:
    registry = NodeMetrics("31", "0").registry
    known = {sample.name for metric in registry.collect() for sample in metric.samples} | {
        f"{metric.name}{end}" for metric in registry.collect() for end in ("", "_total", "_bucket")
    }
    for rule in parsed("alarms.yaml")["groups"][0]["rules"]:
        named = set(re.findall(r"\btongban_\w+", rule["expr"])) - {"tongban_region"}
        assert named, rule["alert"]
        assert named <= known, rule["alert"]


def test_the_wheel_of_the_image_holds_code_messages_and_facts(tmp_path: Path) -> None:
    build = [
        str(Path(sys.executable).with_name("hatchling")),
        "build",
        "--target",
        "wheel",
        "--directory",
        str(tmp_path),
    ]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"nodes/__main__.py", "broker/bus.py", "tongban/v1/case_pb2.py"} <= names
    for room in ("nodes", "regions", "broker"):
        data = [
            file.relative_to(ROOT).as_posix()
            for file in (ROOT / room).rglob("*")
            if file.is_file() and "__pycache__" not in file.parts
        ]
        assert set(data) <= names
    assert not [name for name in names if name.startswith(("tests/", "tools/", "compose/"))]


@pytest.mark.parametrize("state", ["SERVING", "NOT_SERVING"])
def test_the_images_health_check_asks_the_health_service(state: str) -> None:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    servicer.set("", health_pb2.HealthCheckResponse.ServingStatus.Value(state))
    server.start()
    try:
        asked = [sys.executable, str(COMPOSE / "health.py"), f"127.0.0.1:{port}"]
        assert subprocess.run(asked, check=False).returncode == (0 if state == "SERVING" else 1)
    finally:
        server.stop(None).wait()


def test_the_images_health_check_fails_where_nothing_listens() -> None:
    asked = [sys.executable, str(COMPOSE / "health.py"), "127.0.0.1:1"]
    assert subprocess.run(asked, check=False, capture_output=True).returncode == 1
