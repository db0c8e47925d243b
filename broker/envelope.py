"""The envelope: what stands on a message's outside, as a CloudEvent 1.0 in Kafka's binary binding.

Attributes travel as headers `ce_...`, the data as the message's value, `ce_subject` is the message's key.
Knows the forms of these headers; must not know what data or subject mean. Everything here may come from a
stranger: each header is checked for form and size before it is used, an error names the header and never
repeats its value. Headers that are not of CloudEvents are left alone (a later sealing and signing of messages
adds its own: what it covers is this envelope, so it belongs between `wrap` and the bus).
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from broker.bus import Headers, Message

SPECVERSION: Final = "1.0"
CONTENT_TYPE: Final = "application/protobuf"
MAX_DATA_BYTES: Final = 960_000
"""Leaves room for headers under `broker.limits.MAX_MESSAGE_BYTES`."""
MAX_HEADERS: Final = 40
MAX_HEADERS_BYTES: Final = 8_192

FORMS: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "ce_specversion": re.compile(r"1\.0"),
        "ce_id": re.compile(r"[A-Za-z0-9._:-]{1,64}"),
        "ce_source": re.compile(r"[A-Za-z0-9._~:/-]{1,128}"),
        "ce_type": re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+){0,9}"),
        "ce_subject": re.compile(r"[A-Za-z0-9._:-]{1,64}"),
        "ce_time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)"),
        "ce_dataschema": re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,15}:[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]{1,200}"),
        "content-type": re.compile(re.escape(CONTENT_TYPE)),
        "ce_traceparent": re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"),
        "ce_tracestate": re.compile(r"[!-~][ -~]{0,511}"),
    }
)
"""The form of each header that is understood, whole; at most 512 characters each."""

OPTIONAL: Final = frozenset({"ce_traceparent", "ce_tracestate"})
EXTENSION_NAME: Final = re.compile(r"ce_[a-z0-9]{1,20}", re.ASCII)
EXTENSION_VALUE: Final = re.compile(r".{0,512}")


class EnvelopeError(Exception):
    """A message whose outside is not as it must be. `header` names the part: a header, `key`, `value`,
    `headers`.
    """

    def __init__(self, header: str, reason: str) -> None:
        super().__init__(f"{header}: {reason}")
        self.header = header
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Envelope:
    """A CloudEvent. (source, id) is unique; `time` is aware; `traceparent` says in which trace it arose (the
    hop over the bus has a header of its own); `extensions` are other attributes, without their prefix.
    """

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    dataschema: str
    data: bytes
    traceparent: str | None = None
    tracestate: str | None = None
    extensions: tuple[tuple[str, str], ...] = ()


def wrap(envelope: Envelope, topic: str) -> Message:
    """The message that carries `envelope` to `topic`. Raises EnvelopeError by the rules of `open_`."""
    if envelope.time.tzinfo is None:
        raise EnvelopeError("ce_time", "has no time zone")
    time = envelope.time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    texts = [
        ("ce_specversion", SPECVERSION),
        ("ce_id", envelope.id),
        ("ce_source", envelope.source),
        ("ce_type", envelope.type),
        ("ce_subject", envelope.subject),
        ("ce_time", time),
        ("ce_dataschema", envelope.dataschema),
        ("content-type", CONTENT_TYPE),
    ]
    if envelope.traceparent is not None:
        texts.append(("ce_traceparent", envelope.traceparent))
    if envelope.tracestate is not None:
        texts.append(("ce_tracestate", envelope.tracestate))
    texts += [(f"ce_{name}", value) for name, value in envelope.extensions]
    headers = tuple((name, value.encode(errors="surrogatepass")) for name, value in texts)
    _checked_texts(headers)
    _check_data(envelope.data)
    return Message(topic, envelope.subject.encode(), envelope.data, headers)


def open_(message: Message) -> Envelope:
    """The envelope of a message from the bus. Raises EnvelopeError."""
    texts = _checked_texts(message.headers)
    for name in FORMS:
        if name not in texts and name not in OPTIONAL:
            raise EnvelopeError(name, "is missing")
    if message.value is None:
        raise EnvelopeError("value", "is a tombstone")
    _check_data(message.value)
    if message.key != texts["ce_subject"].encode():
        raise EnvelopeError("key", "is not the subject")
    try:
        time = datetime.fromisoformat(texts["ce_time"])
    except ValueError:
        raise EnvelopeError("ce_time", "is no point in time") from None
    return Envelope(
        id=texts["ce_id"],
        source=texts["ce_source"],
        type=texts["ce_type"],
        subject=texts["ce_subject"],
        time=time,
        dataschema=texts["ce_dataschema"],
        data=message.value,
        traceparent=texts.get("ce_traceparent"),
        tracestate=texts.get("ce_tracestate"),
        extensions=tuple((name[3:], value) for name, value in texts.items() if name not in FORMS),
    )


def _check_data(data: bytes) -> None:
    if len(data) > MAX_DATA_BYTES:
        raise EnvelopeError("value", f"has {len(data)} bytes, at most {MAX_DATA_BYTES} are allowed")


def _checked_texts(headers: Headers) -> dict[str, str]:
    """The headers of CloudEvents by name, each of its form."""
    if len(headers) > MAX_HEADERS:
        raise EnvelopeError("headers", f"there are {len(headers)}, at most {MAX_HEADERS} are allowed")
    if sum(len(name) + len(value) for name, value in headers) > MAX_HEADERS_BYTES:
        raise EnvelopeError("headers", f"are longer than {MAX_HEADERS_BYTES} bytes together")
    texts: dict[str, str] = {}
    for name, value in headers:
        folded = name.strip().lower()
        if not folded.startswith("ce_") and folded != "content-type":
            continue
        if name not in FORMS and not EXTENSION_NAME.fullmatch(name):
            raise EnvelopeError(
                "headers", "one has a name that is not lower-case letters and digits after ce_"
            )
        if name in texts:
            raise EnvelopeError(name, "occurs twice")
        texts[name] = _text(name, value)
    return texts


def _text(name: str, raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise EnvelopeError(name, "is not valid UTF-8") from None
    if not (text.isascii() and text.isprintable()):
        for character in text:
            if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
                raise EnvelopeError(name, f"contains U+{ord(character):04X}, which is not allowed in text")
    if not FORMS.get(name, EXTENSION_VALUE).fullmatch(text):
        raise EnvelopeError(name, "does not have the form of this header")
    return text
