"""The exit codes: what a script may rely on. docs/cli.md prints this table and a test holds them together."""

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    REFUSED = 3
    NOT_FOUND = 4
    PARTLY = 5
    UNREACHABLE = 6
    NOT_PERMITTED = 7
    BUSY = 8
    CHECK_FAILED = 9
    SETTINGS = 10
    INTERRUPTED = 130
