"""What can be wrong with a material. `field` names what the caller stated; `code` is stable
(docs/errors.md).
"""

from __future__ import annotations


class MaterialError(Exception):
    """A material is refused, or cannot be had."""

    def __init__(self, field: str, code: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.code = code
        self.detail = detail


class BadDigest(MaterialError):
    """Not 64 lower-case hex digits."""

    def __init__(self) -> None:
        super().__init__("sha256", "MALFORMED", "is not a SHA-256 digest")


class TooLarge(MaterialError):
    """More bytes than this node takes."""

    def __init__(self, most: int) -> None:
        super().__init__("size", "MATERIAL_TOO_LARGE", f"is more than {most} bytes")


class TypeRefused(MaterialError):
    """A media type that this node does not take."""

    def __init__(self) -> None:
        super().__init__("media_type", "MATERIAL_TYPE", "is not a type that is taken")


class SizeDiffers(MaterialError):
    """Not as many bytes as were announced."""

    def __init__(self, announced: int, got: int) -> None:
        super().__init__("size", "MATERIAL_SIZE", f"{announced} bytes were announced, {got} came")


class DigestDiffers(MaterialError):
    """The bytes are not those that the digest names; what came of them is thrown away."""

    def __init__(self) -> None:
        super().__init__("sha256", "MATERIAL_DIGEST", "is not the digest of what came")


class OffsetDiffers(MaterialError):
    """An offset behind the end, or a piece that does not follow what is there."""

    def __init__(self, size: int) -> None:
        super().__init__("offset", "MATERIAL_OFFSET", f"does not fit, there are {size} bytes")


class NotStored(MaterialError):
    """The bytes are not in this node's store."""

    def __init__(self) -> None:
        super().__init__("sha256", "MATERIAL_NOT_STORED", "its content is not here")


class StoreFails(MaterialError):
    """The directory cannot be written or read (disk full, gone): nothing is stored of the attempt."""

    def __init__(self, reason: str) -> None:
        super().__init__("", "MATERIAL_STORE", f"the store of materials fails: {reason}")
