"""Texts that mean harm: to databases, pages, spreadsheets, terminals, readers and decoders."""

from __future__ import annotations

SQL = "'); DROP TABLE case_row; --"
SQL_OR = "' OR '1'='1"
HTML = "<script>alert(1)</script>"
IMAGE = '<img src=x onerror="alert(1)">'
CSV = '=HYPERLINK("http://x","y")'
CSV_PLUS = "+cmd|' /C calc'!A0"
INJECTIONS = {"sql": SQL, "html": HTML, "csv": CSV}
"""A text may be any of these: kept as it is, it does nothing; or its field has a form and refuses it."""

NUL = "ab\x00cd"
CONTROL = "ab\x1b[2Jcd"
BIDI = "ab\u202ecd"
ZERO_WIDTH = "ab\u200bcd"
LINES = "ab\u2028cd"
PRIVATE_USE = "ab\ue000cd"
UNSHOWABLE = {
    "nul": NUL, "control": CONTROL, "bidi": BIDI, "zero width": ZERO_WIDTH, "line separator": LINES,
    "private use": PRIVATE_USE,
}  # fmt: skip
"""No text may hold these."""

OVERLONG = b"\xc0\x80"
"""NUL, in more bytes than it needs."""
SURROGATE = b"\xed\xa0\x80"
"""Half a character."""
TRAVERSAL = "../../../../etc/passwd"
LOOK_ALIKES = {"full width": "３２", "arabic": "٣٢", "letter o": "3O", "blank": "32 ", "long": "032"}
"""What a region's id is not."""
