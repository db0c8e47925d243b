"""A sentence in both languages, with a stable code.

Knows how reasons look. Must not know what they are about.
"""

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of an explanation. code: stable; zh, en: a sentence each."""

    code: str
    zh: str
    en: str

    def text(self, language: Language) -> str:
        """The sentence in that language."""
        return self.zh if language == "zh" else self.en


def reason(code: str, zh: str, en: str) -> Reason:
    """A reason; the same as Reason(code, zh, en)."""
    return Reason(code, zh, en)
