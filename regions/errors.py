"""The errors of this room: a broken data file, a bad identifier, a bad fact.

Knows how to say what is wrong. Must not know who asked: no status code, no
screen text, and never the offending value itself (it may be personal data).
"""


class RegionsError(ValueError):
    """Base of every error raised by `regions`."""


class DataError(RegionsError):
    """A data file is broken: raised when facts are loaded, before any case is touched.

    file: name of the file below the data directory; key: row, table or field
    (``matter=HF-006,field=unit``); reason: one sentence for the clerk who edits it.
    """

    def __init__(self, file: str, key: str, reason: str) -> None:
        super().__init__(f"{file}: {key}: {reason}")
        self.file = file
        self.key = key
        self.reason = reason


class FieldError(RegionsError):
    """An input field is not usable. field: dotted path; reason: a stable lower-case code."""

    def __init__(self, field: str, reason: str, detail: str = "") -> None:
        super().__init__(f"{field}: {reason}" + (f" ({detail})" if detail else ""))
        self.field = field
        self.reason = reason
        self.detail = detail


class IdentifierError(FieldError):
    """A number is not what its kind demands. `reason` is one of the codes named by the parser."""


class FactError(FieldError):
    """A fact of the applicant or of a place cannot be used (unknown code, wrong level)."""


class CalendarError(FieldError):
    """A date lies outside the calendar, a time has no zone, or a limit cannot be counted."""
