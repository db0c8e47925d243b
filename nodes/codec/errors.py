"""What is said of bytes that are not a message: which field, and why. Never the value itself."""

from __future__ import annotations


class CodecError(ValueError):
    """Bytes or values that this contract has no form for. `field`: dotted path, "" for the whole."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason

    def under(self, name: str) -> CodecError:
        """The same error seen from one level higher."""
        return type(self)(f"{name}.{self.field}" if self.field else name, self.reason)


class DecodeError(CodecError):
    """Received or stored bytes are malformed."""


class EncodeError(CodecError):
    """A domain value cannot be told to another region (a draft, a name twice, a time out of range)."""
