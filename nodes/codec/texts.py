"""What a text from outside may be: characters that can be shown, and no more than its length.

Refused are control, format (bidi, zero width), surrogate, private-use and unassigned characters and
separators of lines; a text of several lines may have LF.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from nodes.codec.errors import DecodeError

MAX_TEXT: Final = 400
"""Characters of a text in one line."""
MAX_PROSE: Final = 4_000
"""Characters of a text that may have several lines."""
FORBIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def check_text(text: str, most: int = MAX_TEXT, *, lines: bool = False) -> None:
    """Raises DecodeError("", reason) for a text that is too long or has a character that may not be shown."""
    if len(text) > most:
        raise DecodeError("", f"has more than {most} characters")
    if text.isprintable():
        return
    for character in text:
        if unicodedata.category(character) in FORBIDDEN and not (lines and character == "\n"):
            raise DecodeError("", f"contains U+{ord(character):04X}, which is not allowed in text")
