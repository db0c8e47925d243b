"""Which backend a URL means. The one place of this room that chooses; knows no more of a backend than its
name.

sqlite:///path/to/bus.db (relative), sqlite:////absolute/bus.db
"""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from broker.bus import BusError, EventBus
from broker.sqlite import SqliteBus


class BusUrlError(BusError):
    """The URL names no bus; the message says which part is wrong."""


def open_bus(url: str) -> EventBus:
    """The bus at `url`, not yet started. Raises BusUrlError."""
    parts = urlsplit(url)
    if parts.scheme != "sqlite":
        raise BusUrlError(f"scheme: {parts.scheme!r} is no bus; use sqlite:///file")
    path = unquote(parts.path.removeprefix("/"))
    if parts.netloc or not path:
        raise BusUrlError(f"path: a file is wanted after sqlite:///, not {parts.netloc + parts.path!r}")
    return SqliteBus(Path(path))
