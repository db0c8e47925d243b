"""Which backend a URL means."""

from pathlib import Path

import pytest

from broker.kafka import KafkaBus, KafkaSettings
from broker.sqlite import SqliteBus
from broker.url import BusUrlError, open_bus


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///var/bus.db", "var/bus.db"),
        ("sqlite:////tmp/bus.db", "/tmp/bus.db"),
        ("sqlite:///a%20b.db", "a b.db"),
    ],
)
def test_sqlite_takes_a_file(url: str, path: str) -> None:
    bus = open_bus(url)
    assert isinstance(bus, SqliteBus)
    assert bus._path == Path(path)


async def test_kafka_takes_servers_and_options() -> None:
    bus = open_bus("kafka://b1:9092,[::1]:9093?compression=zstd&publish_timeout_s=60&linger_ms=0")
    assert isinstance(bus, KafkaBus)
    assert bus._settings == KafkaSettings(
        "b1:9092,[::1]:9093", compression="zstd", publish_timeout_s=60.0, linger_ms=0
    )
    plain = open_bus("kafka://b1:9092?compression=none")
    assert isinstance(plain, KafkaBus)
    assert plain._settings.compression is None


@pytest.mark.parametrize(
    ("part", "url"),
    [
        ("scheme", "bus.db"),
        ("scheme", "amqp://b1:5672"),
        ("path", "sqlite:///"),
        ("path", "sqlite://bus.db"),
        ("path", "sqlite:///var/"),
        ("options", "sqlite:///bus.db?mode=ro"),
        ("host", "kafka://"),
        ("host", "kafka://b1"),
        ("host", "kafka://b1:9092,"),
        ("host", "kafka://b1:99999"),
        ("path", "kafka://b1:9092/topic"),
        ("acks", "kafka://b1:9092?acks=0"),
        ("bootstrap", "kafka://b1:9092?bootstrap=b2:9092"),
        ("linger_ms", "kafka://b1:9092?linger_ms=soon"),
        ("linger_ms", "kafka://b1:9092?linger_ms=-1"),
        ("check_s", "kafka://b1:9092?check_s=nan"),
        ("compression", "kafka://b1:9092?compression=snappy"),
    ],
)
def test_a_wrong_url_names_the_part(part: str, url: str) -> None:
    with pytest.raises(BusUrlError) as error:
        open_bus(url)
    assert error.value.part == part
