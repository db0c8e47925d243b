"""Which backend a URL means. The one place of this room that chooses; knows a backend's name and its options.
It loads the backend that is meant and not the other: aiokafka takes 5 MB of every process that has it.

- sqlite:///path/to/bus.db (relative), sqlite:////absolute/bus.db
- kafka://host:port[,host:port][?option=value&...], the options being the fields of `KafkaSettings` other than
  `bootstrap`, for example kafka://b1:9092,b2:9092?compression=zstd&publish_timeout_s=60
"""

import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote

from broker.bus import BusError, EventBus

COMPRESSIONS: Final = ("none", "gzip", "lz4", "zstd")


_PARTS: Final = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
"""RFC 3986, appendix B. `urlsplit` takes a list of hosts apart or refuses it, as its release has it."""


class BusUrlError(BusError):
    """The URL names no bus. `part` is scheme, path, host, or the name of an option."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"bus URL, {part}: {reason}")
        self.part = part


def open_bus(url: str) -> EventBus:
    """The bus at `url`, not yet started. Raises BusUrlError."""
    parts = _split(url)
    opener = BACKENDS.get(parts.scheme)
    if opener is None:
        raise BusUrlError("scheme", f"{parts.scheme!r} is no bus; use sqlite:///file or kafka://host:port")
    return opener(parts)


def _split(url: str) -> SplitResult:
    found = _PARTS.fullmatch(url)
    assert found is not None  # any text fits
    scheme, *others = (part or "" for part in found.groups())
    return SplitResult(scheme.lower(), *others)


def _sqlite(parts: SplitResult) -> EventBus:
    path = unquote(parts.path.removeprefix("/"))
    if parts.netloc or not path or path.endswith("/"):
        raise BusUrlError("path", f"a file is wanted after sqlite:///, not {parts.netloc + parts.path!r}")
    if parts.query:
        raise BusUrlError("options", "sqlite:/// has none")
    from broker.sqlite import SqliteBus

    return SqliteBus(Path(path))


def _kafka(parts: SplitResult) -> EventBus:
    for server in parts.netloc.split(","):
        host, colon, port = server.rpartition(":")
        if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
            raise BusUrlError("host", f"{server!r} is not host:port")
    if parts.path.strip("/"):
        raise BusUrlError("path", "kafka:// has none")
    from broker.kafka import KafkaBus, KafkaSettings

    defaults = {field.name: field.default for field in fields(KafkaSettings) if field.name != "bootstrap"}
    options: dict[str, Any] = {}
    for name, text in parse_qsl(parts.query, keep_blank_values=True):
        if name not in defaults:
            raise BusUrlError(name, "is no option of kafka://")
        options[name] = _option(name, type(defaults[name]), text)
    return KafkaBus(KafkaSettings(parts.netloc, **options))


def _option(name: str, parse: Callable[[str], Any], text: str) -> Any:
    try:
        value = parse(text)
    except ValueError:
        raise BusUrlError(name, f"{text!r} is not a number") from None
    if isinstance(value, int | float) and not 0 <= value < 2**31:
        raise BusUrlError(name, f"{text} is out of bounds")
    if name == "compression":
        if value not in COMPRESSIONS:
            raise BusUrlError(name, f"{value!r} is none of {', '.join(COMPRESSIONS)}")
        return None if value == "none" else value
    return value


BACKENDS: Final = MappingProxyType({"sqlite": _sqlite, "kafka": _kafka})
